#include "carrier/batch_assembly.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/presence.h"

namespace cmpost {
namespace {

constexpr std::size_t kNamedFiles = 3;  // so many names stand in a complaint

// The octets of a file, or why there are none.
struct FoundFile {
  std::optional<Bytes> contents;
  bool gone = false;
  std::string mistake;
  bool not_read = false;  // what it is nobody can say now
};

FoundFile no_file(std::string mistake) { return {{}, false, std::move(mistake), false}; }
FoundFile not_read(const Error& error) { return {{}, false, "unreadable: " + error.what, true}; }

// One of more than `limit` octets is judged without being read.
FoundFile read_found(const FileDescriptor& directory, const std::string& name, std::size_t limit) {
  struct stat status {};
  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {{}, true, "missing"};
    return not_read(errno_error("examining", name, errno));
  }
  if (!S_ISREG(status.st_mode)) return no_file("no regular file");
  if (static_cast<std::size_t>(status.st_size) > limit) return no_file("too long");
  auto contents = read_if_there(directory, name, limit);
  if (!contents) return not_read(contents.error());
  if (!*contents) return {{}, true, "missing"};
  return {std::move(**contents), false, {}};
}

FoundManifest find_any_manifest(const FileDescriptor& directory, const ArrivedBatch& arrived) {
  FoundManifest best;
  best.why = "its manifest is missing";
  for (const auto& [copy, name] : arrived.manifests) {
    auto found = find_manifest(directory, arrived, name);
    if (found.what == FoundManifest::What::fits) return found;
    // One that may still fit says more than one that does not.
    const bool open = best.what == FoundManifest::What::not_read;
    if (found.what != FoundManifest::What::gone && !open) best = std::move(found);
  }
  return best;
}

FoundFile read_part(const FileDescriptor& directory, const std::string& name,
                    const BatchFile& file) {
  auto found = read_found(directory, name, static_cast<std::size_t>(file.size));
  if (!found.contents) return found;
  if (found.contents->size() != file.size) {
    return no_file("cut off: " + std::to_string(found.contents->size()) + " of " +
                   std::to_string(file.size) + " octets");
  }
  return sha256(*found.contents) == file.sha256 ? std::move(found) : no_file("damaged");
}

FoundFile find_part(const FileDescriptor& directory, const ArrivedBatch& arrived,
                    const BatchFile& file) {
  const auto copies = arrived.parts.find(file.name);
  FoundFile best{{}, true, "missing"};
  if (copies == arrived.parts.end()) return best;
  for (const auto& [copy, name] : copies->second) {
    auto found = read_part(directory, name, file);
    if (found.contents) return found;
    if (!best.not_read) best = std::move(found);
  }
  return best;
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

FoundManifest find_manifest(const FileDescriptor& directory, const ArrivedBatch& arrived,
                            const std::string& name) {
  using What = FoundManifest::What;
  FoundManifest found;
  const auto file = read_found(directory, name, kLargestManifest);
  if (file.gone) return found;
  if (!file.contents) {
    found.what = file.not_read ? What::not_read : What::damaged;
    found.why = "its manifest is " + file.mistake;
    return found;
  }
  auto manifest = parse_batch_manifest(*file.contents);
  const bool fits =
      manifest && manifest->stream == arrived.stream && manifest->number == arrived.number;
  found.what = fits ? What::fits : What::damaged;
  if (fits) {
    found.hash = sha256(*file.contents);
    found.manifest = std::move(*manifest);
  } else {
    found.why = manifest ? "the manifest in it is that of another batch" : manifest.error().what;
  }
  return found;
}

Assembly assemble(const FileDescriptor& directory, const ArrivedBatch& arrived) {
  auto found = find_any_manifest(directory, arrived);
  const bool open = found.what == FoundManifest::What::not_read;
  if (!found.manifest) return {std::nullopt, found.why, open};
  AssembledBatch batch{std::move(*found.manifest), found.hash, {}};
  std::vector<std::string> mistakes;
  bool any_not_read = false;
  for (const auto& file : batch.manifest.files) {
    auto part = find_part(directory, arrived, file);
    if (part.contents) {
      batch.contents.push_back(std::move(*part.contents));
    } else {
      mistakes.push_back(printable(file.name, 80) + " is " + part.mistake);
      any_not_read = any_not_read || part.not_read;
    }
  }
  if (mistakes.empty()) return {std::move(batch), {}};
  const auto count = batch.manifest.files.size();
  auto torn =
      std::to_string(count - mistakes.size()) + " of " + std::to_string(count) + " files are whole";
  for (std::size_t i = 0; i < std::min(mistakes.size(), kNamedFiles); ++i)
    torn += "; " + mistakes[i];
  if (mistakes.size() > kNamedFiles) torn += "; ...";
  return {std::nullopt, torn, any_not_read};
}

}  // namespace cmpost
