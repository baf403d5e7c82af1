#include "carrier/bundle_manifest.h"

#include <algorithm>
#include <set>

#include "carrier/manifest_text.h"

namespace cmpost {
namespace {

constexpr std::string_view kBundleFirstLine = "cmpost-batch 2";
constexpr std::size_t kKeyIdentifierDigits = 128;  // at most

template <typename E>
struct Spelled {
  E value;
  std::string_view word;
};
constexpr std::array kPurposes = {Spelled<BundlePurpose>{BundlePurpose::requests, "requests"},
                                  Spelled<BundlePurpose>{BundlePurpose::answers, "answers"},
                                  Spelled<BundlePurpose>{BundlePurpose::notices, "notices"}};
constexpr std::array kFileKinds = {Spelled<BundleFileKind>{BundleFileKind::requests, "requests"},
                                   Spelled<BundleFileKind>{BundleFileKind::answers, "answers"},
                                   Spelled<BundleFileKind>{BundleFileKind::crl, "crl"},
                                   Spelled<BundleFileKind>{BundleFileKind::report, "report"},
                                   Spelled<BundleFileKind>{BundleFileKind::other, "other"},
                                   Spelled<BundleFileKind>{BundleFileKind::sealed, "sealed"}};

template <typename E, std::size_t N>
std::string_view word_of(const std::array<Spelled<E>, N>& words, E value) {
  return std::ranges::find(words, value, &Spelled<E>::value)->word;
}

template <typename E, std::size_t N>
std::optional<E> value_of(const std::array<Spelled<E>, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word, &Spelled<E>::word);
  return found == words.end() ? std::nullopt : std::optional(found->value);
}

// Up to the next blank, which is taken too.
std::string_view next_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

bool is_key_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kKeyIdentifierDigits && text.size() % 2 == 0 &&
         std::ranges::all_of(
             text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// "no", or the identifiers of keys.
std::optional<std::vector<std::string>> parse_sealed(std::string_view text) {
  std::vector<std::string> keys;
  if (text == "no") return keys;
  if (text.ends_with(' ')) return std::nullopt;
  while (!text.empty()) {
    keys.emplace_back(next_word(text));
    if (keys.size() > kMostSealRecipients || !is_key_identifier(keys.back())) return std::nullopt;
  }
  return keys.empty() ? std::nullopt : std::optional(std::move(keys));
}

// "KEY: STREAM RANGES", in the order of the streams.
bool parse_ranges(ManifestLines& lines, std::string_view key, StreamRanges& found) {
  while (lines.has(key)) {
    auto line = *lines.value(key);
    const std::string stream(next_word(line));
    auto ranges = NumberRanges::parse(line);
    const bool ordered = found.empty() || found.rbegin()->first < stream;
    if (!is_stream_name(stream) || !ordered || found.size() == kMostReceiptStreams || !ranges ||
        ranges->empty() || ranges->text() != line) {
      return false;
    }
    found.emplace(stream, std::move(*ranges));
  }
  return true;
}

std::optional<BundleFile> parse_bundle_file(std::string_view line) {
  const auto digest = lower_case_sha256(next_word(line));
  const auto size = canonical_decimal(next_word(line), kLargestBundleFile);
  const auto kind = value_of(kFileKinds, next_word(line));
  const bool reserved = line == kBundleSignature || line == kBundleSums;
  if (!digest || !size || !kind || !is_plain_file_name(line) || reserved) return std::nullopt;
  return BundleFile{std::string(line), *size, *digest, *kind};
}

Result<void> parse_files(ManifestLines& lines, BundleManifest& manifest) {
  const auto count = canonical_decimal(lines.value("files").value_or(""), kMostBatchFiles);
  if (!count) return hold("no number of files in the manifest, or too many");
  std::set<std::string_view> names;
  std::uint64_t octets = 0;
  manifest.files.reserve(static_cast<std::size_t>(*count));  // the views in `names` stay good
  while (!lines.done()) {
    auto file = parse_bundle_file(lines.next().value_or(""));
    if (!file || manifest.files.size() == *count) return hold("a line of the manifest is wrong");
    octets += file->size;
    if (octets > kLargestBundle) return hold("the files of the bundle are too large");
    manifest.files.push_back(std::move(*file));
    if (!names.insert(manifest.files.back().name).second) {
      return hold("the manifest names a file twice");
    }
  }
  if (manifest.files.size() != *count) return hold("the manifest does not list all files");
  return {};
}

// What a manifest shows of a sealed bundle says no names and has sealed files alone.
bool is_of_one_piece(const BundleManifest& manifest) {
  const bool named = is_bundle_party(manifest.from) && is_bundle_party(manifest.to);
  const auto is_sealed = [](const BundleFile& file) { return file.kind == BundleFileKind::sealed; };
  if (!manifest.is_stub()) return named && std::ranges::none_of(manifest.files, is_sealed);
  return !manifest.sealed.empty() && std::ranges::all_of(manifest.files, is_sealed) &&
         manifest.received.empty() && manifest.given_up.empty();
}

Result<BundleManifest> parse_bundle_body(ManifestLines lines) {
  BundleManifest manifest;
  const auto stream = lines.value("stream");
  if (!stream || !is_stream_name(*stream)) return hold("no name of a stream in the manifest");
  manifest.stream = *stream;
  manifest.number =
      canonical_decimal(lines.value("number").value_or(""), kHighestBatch).value_or(0);
  if (manifest.number == 0) return hold("no number in the manifest");
  const auto previous = lower_case_sha256(lines.value("previous").value_or(""));
  if (!previous) return hold("no hash of the previous manifest in the manifest");
  manifest.previous = *previous;
  const auto time = lines.value("created").value_or("");
  const auto created = from_iso8601(time);
  if (!created || to_iso8601(*created) != time) return hold("no time in the manifest");
  manifest.created = *created;
  manifest.from = lines.value("from").value_or("");
  manifest.to = lines.value("to").value_or("");
  const auto purpose = value_of(kPurposes, lines.value("purpose").value_or(""));
  if (!purpose) return hold("the manifest does not say what the bundle is for");
  manifest.purpose = *purpose;
  auto sealed = parse_sealed(lines.value("sealed").value_or(""));
  if (!sealed) return hold("the manifest does not say whether the bundle is sealed");
  manifest.sealed = std::move(*sealed);
  if (!parse_ranges(lines, "received", manifest.received) ||
      !parse_ranges(lines, "given-up", manifest.given_up)) {
    return hold("a receipt in the manifest is wrong");
  }
  TRY(parse_files(lines, manifest));
  if (!is_of_one_piece(manifest)) return hold("the manifest says no proper sender and receiver");
  return manifest;
}

std::string range_lines(std::string_view key, const StreamRanges& all) {
  std::string text;
  for (const auto& [stream, ranges] : all) {
    text += std::string(key) + ": " + stream + " " + ranges.text() + "\n";
  }
  return text;
}

}  // namespace

std::string_view to_string(BundlePurpose purpose) { return word_of(kPurposes, purpose); }
std::string_view to_string(BundleFileKind kind) { return word_of(kFileKinds, kind); }

bool BundleManifest::is_stub() const { return from == kHiddenParty && to == kHiddenParty; }

bool is_message(BundleFileKind kind) {
  return kind == BundleFileKind::requests || kind == BundleFileKind::answers;
}

bool is_bundle_party(std::string_view name) {
  constexpr std::string_view kOthers = "._-";
  return !name.empty() && name.size() <= 64 && name != kHiddenParty &&
         std::ranges::all_of(name, [&](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != std::string_view::npos;
         });
}

std::string format(const BundleManifest& manifest) {
  std::string sealed;
  for (const auto& key : manifest.sealed) sealed += (sealed.empty() ? "" : " ") + key;
  std::string text(kBundleFirstLine);
  text += "\nstream: " + manifest.stream + "\nnumber: " + std::to_string(manifest.number) +
          "\nprevious: " + to_hex(manifest.previous) +
          "\ncreated: " + to_iso8601(manifest.created) + "\nfrom: " + manifest.from +
          "\nto: " + manifest.to + "\npurpose: " + std::string(to_string(manifest.purpose)) +
          "\nsealed: " + (sealed.empty() ? "no" : sealed) + "\n" +
          range_lines("received", manifest.received) + range_lines("given-up", manifest.given_up) +
          "files: " + std::to_string(manifest.files.size()) + "\n";
  for (const auto& file : manifest.files) {
    text += to_hex(file.sha256) + " " + std::to_string(file.size) + " " +
            std::string(to_string(file.kind)) + " " + file.name + "\n";
  }
  return with_checksum(std::move(text));
}

Result<BundleManifest> parse_bundle_manifest(ByteView octets) {
  ASSIGN_OR_RETURN(const auto body, manifest_body(octets, kBundleFirstLine, kLargestManifest));
  return parse_bundle_body(ManifestLines(body));
}

BatchManifest place_of(const BundleManifest& manifest) {
  return {manifest.stream, manifest.number, manifest.previous, manifest.created, {}};
}

}  // namespace cmpost
