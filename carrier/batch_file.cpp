#include "carrier/batch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "carrier/plain_numbers.h"

namespace cmpost {
namespace {

constexpr std::string_view kArchiveMark = "cmpost-archive 1 ";
constexpr std::size_t kLargestArchive = std::size_t{kLargestBatch} + kLargestManifest * 2;
constexpr std::size_t kFirstPart = std::size_t{64} << 10U;  // most heads are smaller

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// Where the two texts before the contents lie.
struct HeadLayout {
  std::size_t line = 0, manifest = 0, ids = 0;  // octets
  std::size_t size() const { return line + manifest + ids; }
};

std::optional<HeadLayout> head_layout(std::string_view text, std::size_t file_size) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(kArchiveMark)) return std::nullopt;
  const auto sizes = numbers_in<2>(text.substr(0, end + 1).substr(kArchiveMark.size()));
  if (!sizes || (*sizes)[0] < 0 || (*sizes)[1] < 0) return std::nullopt;
  const HeadLayout layout{end + 1, static_cast<std::size_t>((*sizes)[0]),
                          static_cast<std::size_t>((*sizes)[1])};
  const bool fits =
      layout.manifest <= file_size && layout.ids <= file_size && layout.size() <= file_size;
  return fits ? std::optional(layout) : std::nullopt;
}

Result<BatchHead> head_in(std::string_view text, const HeadLayout& layout, std::size_t file_size,
                          const std::string& path) {
  BatchHead head;
  head.manifest_text = text.substr(layout.line, layout.manifest);
  auto manifest = parse_batch_manifest(view_of(head.manifest_text));
  if (!manifest) return failure(std::move(manifest).error().within(path));
  head.manifest = std::move(*manifest);
  head.ids = lines_of(text.substr(layout.line + layout.manifest, layout.ids));
  std::uint64_t total = layout.size();
  for (const auto& file : head.manifest.files) total += file.size;
  if (total != file_size) return hold(path + " is damaged: its files are not whole");
  return head;
}

// The octets from 0 up to `size`.
Result<std::string> read_start(const FileDescriptor& file, std::size_t size,
                               const std::string& path) {
  std::string text(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto count = ::pread(file.get(), text.data() + got, size - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("reading", path, errno));
    if (count == 0) return hold(path + " is damaged: it is cut off");
    got += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace

// The first line tells how long the two texts are that follow it, before the contents.
Bytes batch_file_of(const std::string& manifest, std::span<const BatchItem> items) {
  std::string ids;
  for (const auto& item : items) ids += item.id + "\n";
  Bytes octets = to_bytes(std::string(kArchiveMark) + std::to_string(manifest.size()) + " " +
                          std::to_string(ids.size()) + "\n");
  append(octets, view_of(manifest));
  append(octets, view_of(ids));
  for (const auto& item : items) append(octets, item.contents);
  return octets;
}

Result<ArchivedBatch> read_batch_file(const std::string& path) {
  ASSIGN_OR_RETURN(const auto octets, read_file(path, kLargestArchive));
  const auto layout = head_layout(text_of(octets), octets.size());
  if (!layout) return hold(path + " is damaged");
  ASSIGN_OR_RETURN(auto head, head_in(text_of(octets), *layout, octets.size(), path));
  return ArchivedBatch{std::move(head), to_bytes(ByteView(octets).subspan(layout->size()))};
}

Result<BatchHead> read_batch_head(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failure(errno_error("opening", path, errno));
  ASSIGN_OR_RETURN(const auto identity, identify(file, path));
  const auto size = static_cast<std::size_t>(identity.size);
  if (size > kLargestArchive) return hold(path + " is damaged: it is too large");
  ASSIGN_OR_RETURN(auto text, read_start(file, std::min(size, kFirstPart), path));
  const auto layout = head_layout(text, size);
  if (!layout) return hold(path + " is damaged");
  if (layout->size() > text.size()) {
    ASSIGN_OR_RETURN(text, read_start(file, layout->size(), path));
  }
  return head_in(text, *layout, size, path);
}

}  // namespace cmpost
