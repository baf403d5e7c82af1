#include "carrier/batch_manifest.h"

#include <algorithm>
#include <set>

#include "carrier/manifest_text.h"

namespace cmpost {
namespace {

constexpr std::string_view kFirstLine = "cmpost-batch 1";
constexpr std::size_t kStreamDigits = 16;
constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20U;

std::optional<BatchFile> parse_file(std::string_view line) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto digest = lower_case_sha256(line.substr(0, first));
  const auto size = canonical_decimal(line.substr(first + 1, second - first - 1), kLargestFile);
  const auto name = line.substr(second + 1);
  if (!digest || !size || !is_plain_file_name(name)) return std::nullopt;
  return BatchFile{std::string(name), *size, *digest};
}

// Everything between the first line and the checksum.
Result<BatchManifest> parse_body(ManifestLines lines) {
  BatchManifest manifest;
  const auto stream = lines.value("stream");
  if (!stream || !is_stream_name(*stream)) return hold("no name of a stream in the manifest");
  manifest.stream = *stream;
  const auto number = lines.value("number");
  manifest.number = canonical_decimal(number.value_or(""), kHighestBatch).value_or(0);
  if (manifest.number == 0) return hold("no number in the manifest");
  const auto previous = lower_case_sha256(lines.value("previous").value_or(""));
  if (!previous) return hold("no hash of the previous manifest in the manifest");
  manifest.previous = *previous;
  const auto created = from_iso8601(lines.value("created").value_or(""));
  if (!created) return hold("no time in the manifest");
  manifest.created = *created;
  const auto count = canonical_decimal(lines.value("files").value_or(""), kMostBatchFiles);
  if (!count) return hold("no number of files in the manifest, or too many");
  std::set<std::string> names;
  std::uint64_t octets = 0;
  while (!lines.done()) {
    auto file = parse_file(lines.next().value_or(""));
    if (!file || manifest.files.size() == *count) return hold("a line of the manifest is wrong");
    octets += file->size;
    if (octets > kLargestBatch) return hold("the files of the batch are too large");
    if (!names.insert(file->name).second) return hold("the manifest names a file twice");
    manifest.files.push_back(std::move(*file));
  }
  if (manifest.files.size() != *count) return hold("the manifest does not list all files");
  return manifest;
}

}  // namespace

bool is_stream_name(std::string_view text) {
  return text.size() == kStreamDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string format(const BatchManifest& manifest) {
  std::string text(kFirstLine);
  text += "\nstream: " + manifest.stream + "\nnumber: " + std::to_string(manifest.number) +
          "\nprevious: " + to_hex(manifest.previous) +
          "\ncreated: " + to_iso8601(manifest.created) +
          "\nfiles: " + std::to_string(manifest.files.size()) + "\n";
  for (const auto& file : manifest.files) {
    text += to_hex(file.sha256) + " " + std::to_string(file.size) + " " + file.name + "\n";
  }
  return with_checksum(std::move(text));
}

Result<BatchManifest> parse_batch_manifest(ByteView octets) {
  ASSIGN_OR_RETURN(const auto body, manifest_body(octets, kFirstLine, kLargestManifest));
  return parse_body(ManifestLines(body));
}

}  // namespace cmpost
