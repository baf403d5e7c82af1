#include "carrier/batch_manifest.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace cmpost {
namespace {

constexpr std::string_view kFirstLine = "cmpost-batch 1";
constexpr std::size_t kStreamDigits = 16;
constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20U;

// Takes the text apart line by line; an empty optional is a line that is not as it must be.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  std::optional<std::string_view> next() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }
  // The value of the line "KEY: VALUE".
  std::optional<std::string_view> value(std::string_view key) {
    auto line = next();
    if (!line || !line->starts_with(key) || !line->substr(key.size()).starts_with(": ")) {
      return std::nullopt;
    }
    return line->substr(key.size() + 2);
  }

 private:
  std::string_view rest_;
};

// Decimal without sign and leading zeros: one spelling for each number.
std::optional<std::uint64_t> decimal(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const bool canonical = text == "0" || (!text.empty() && text.front() != '0');
  return whole && canonical && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<Sha256> lower_case_sha256(std::string_view text) {
  const bool upper =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  return upper ? std::nullopt : sha256_from_hex(text);
}

std::optional<BatchFile> parse_file(std::string_view line) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto digest = lower_case_sha256(line.substr(0, first));
  const auto size = decimal(line.substr(first + 1, second - first - 1), kLargestFile);
  const auto name = line.substr(second + 1);
  if (!digest || !size || !is_plain_file_name(name)) return std::nullopt;
  return BatchFile{std::string(name), *size, *digest};
}

// Everything between the first line and the checksum.
Result<BatchManifest> parse_body(Lines lines) {
  BatchManifest manifest;
  const auto stream = lines.value("stream");
  if (!stream || !is_stream_name(*stream)) return hold("no name of a stream in the manifest");
  manifest.stream = *stream;
  const auto number = lines.value("number");
  manifest.number = decimal(number.value_or(""), kHighestBatch).value_or(0);
  if (manifest.number == 0) return hold("no number in the manifest");
  const auto previous = lower_case_sha256(lines.value("previous").value_or(""));
  if (!previous) return hold("no hash of the previous manifest in the manifest");
  manifest.previous = *previous;
  const auto created = from_iso8601(lines.value("created").value_or(""));
  if (!created) return hold("no time in the manifest");
  manifest.created = *created;
  const auto count = decimal(lines.value("files").value_or(""), kMostBatchFiles);
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
  return text + "end: " + to_hex(sha256(view_of(text))) + "\n";
}

Result<BatchManifest> parse_batch_manifest(ByteView octets) {
  constexpr std::string_view kEnd = "end: ";
  constexpr std::size_t kEndLine = kEnd.size() + 64 + 1;
  if (octets.size() > kLargestManifest) return hold("the manifest is too large");
  const auto text = text_of(octets);
  if (!text.starts_with(std::string(kFirstLine) + "\n")) {
    return hold("it is no manifest of a batch", "or of a version that is not known here");
  }
  if (text.size() < kEndLine) return hold("the manifest is cut off");
  const auto body = text.substr(0, text.size() - kEndLine);
  const auto end = text.substr(body.size());
  if (!body.ends_with('\n') || !end.starts_with(kEnd) || !end.ends_with('\n')) {
    return hold("the manifest is cut off");
  }
  if (end.substr(kEnd.size(), 64) != to_hex(sha256(view_of(body)))) {
    return hold("the manifest is damaged: its checksum is wrong");
  }
  return parse_body(Lines(body.substr(kFirstLine.size() + 1)));
}

}  // namespace cmpost
