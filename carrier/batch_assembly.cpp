#include "carrier/batch_assembly.h"

namespace cmpost {
namespace {

constexpr std::size_t kNamedFiles = 3;  // so many names stand in a complaint

struct FoundManifest {
  std::optional<BatchManifest> manifest;
  Sha256 hash{};
  std::string mistake;
};

FoundManifest find_manifest(const FileDescriptor& directory, const ArrivedBatch& arrived) {
  FoundManifest found;
  found.mistake = "its manifest is missing";
  for (const auto& [copy, name] : arrived.manifests) {
    const auto octets = read_file_at(directory, name, kLargestManifest);
    auto manifest =
        octets ? parse_batch_manifest(*octets) : Result<BatchManifest>(failure(octets.error()));
    const bool fits =
        manifest && manifest->stream == arrived.stream && manifest->number == arrived.number;
    if (fits) return {std::move(*manifest), sha256(*octets), {}};
    found.mistake =
        manifest ? "the manifest in it is that of another batch" : manifest.error().what;
  }
  return found;
}

// The octets of one file, or what is wrong with it.
tl::expected<Bytes, std::string> find_part(const FileDescriptor& directory,
                                           const ArrivedBatch& arrived, const BatchFile& file) {
  const auto copies = arrived.parts.find(file.name);
  if (copies == arrived.parts.end()) return tl::unexpected(std::string("missing"));
  std::string mistake;
  for (const auto& [copy, name] : copies->second) {
    auto contents = read_file_at(directory, name, static_cast<std::size_t>(file.size));
    if (!contents) {
      mistake = "unreadable or too long";
    } else if (contents->size() != file.size) {
      mistake = "cut off: " + std::to_string(contents->size()) + " of " +
                std::to_string(file.size) + " octets";
    } else if (sha256(*contents) != file.sha256) {
      mistake = "damaged";
    } else {
      return std::move(*contents);
    }
  }
  return tl::unexpected(mistake);
}

}  // namespace

std::vector<std::string> ArrivedBatch::names() const {
  std::vector<std::string> names;
  for (const auto& [part, copies] : parts) {
    for (const auto& [copy, name] : copies) names.push_back(name);
  }
  for (const auto& [copy, name] : manifests) names.push_back(name);
  return names;
}

bool ArrivedBatches::add(const std::string& name) {
  const auto parsed = BatchName::parse(name);
  if (!parsed) return false;
  auto& batch = all_[{parsed->stream, parsed->number}];
  batch.stream = parsed->stream;
  batch.number = parsed->number;
  (parsed->part.empty() ? batch.manifests : batch.parts[parsed->part])[parsed->copy] = name;
  return true;
}

std::optional<Sha256> manifest_hash(const FileDescriptor& directory, const ArrivedBatch& arrived,
                                    const std::string& name) {
  const auto octets = read_file_at(directory, name, kLargestManifest);
  if (!octets) return std::nullopt;
  const auto manifest = parse_batch_manifest(*octets);
  const bool fits =
      manifest && manifest->stream == arrived.stream && manifest->number == arrived.number;
  return fits ? std::optional(sha256(*octets)) : std::nullopt;
}

Assembly assemble(const FileDescriptor& directory, const ArrivedBatch& arrived) {
  auto found = find_manifest(directory, arrived);
  if (!found.manifest) return {std::nullopt, found.mistake};
  AssembledBatch batch{std::move(*found.manifest), found.hash, {}};
  std::vector<std::string> mistakes;
  for (const auto& file : batch.manifest.files) {
    auto contents = find_part(directory, arrived, file);
    if (contents) {
      batch.contents.push_back(std::move(*contents));
    } else {
      mistakes.push_back(printable(file.name, 80) + " is " + contents.error());
    }
  }
  if (mistakes.empty()) return {std::move(batch), {}};
  const auto count = batch.manifest.files.size();
  auto torn =
      std::to_string(count - mistakes.size()) + " of " + std::to_string(count) + " files are whole";
  for (std::size_t i = 0; i < std::min(mistakes.size(), kNamedFiles); ++i)
    torn += "; " + mistakes[i];
  if (mistakes.size() > kNamedFiles) torn += "; ...";
  return {std::nullopt, torn};
}

}  // namespace cmpost
