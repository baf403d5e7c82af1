#include "carrier/batch_archive.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "base/crash_point.h"
#include "base/files.h"
#include "carrier/batch_name.h"

namespace cmpost {
namespace {

constexpr std::string_view kArchiveMark = "cmpost-archive 1 ";
constexpr std::string_view kBatchEnding = ".batch";
constexpr std::size_t kNumberDigits = 10;
constexpr std::size_t kLargestArchive = std::size_t{kLargestBatch} + kLargestManifest * 2;

std::string file_name(std::uint64_t number) {
  const auto text = std::to_string(number);
  return std::string(kNumberDigits - std::min(kNumberDigits, text.size()), '0') + text;
}

std::optional<std::uint64_t> number_in(std::string_view name) {
  if (name.ends_with(kBatchEnding)) name.remove_suffix(kBatchEnding.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && name.size() == kNumberDigits && number > 0 ? std::optional(number) : std::nullopt;
}

// Numbers with blanks between them and nothing else but one line end.
template <std::size_t N>
std::optional<std::array<std::int64_t, N>> numbers_in(std::string_view text) {
  std::array<std::int64_t, N> values;
  for (std::size_t i = 0; i < N; ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), values[i]);
    if (error != std::errc() || end == text.data() + text.size()) return std::nullopt;
    if (*end != (i + 1 < N ? ' ' : '\n')) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return text.empty() ? std::optional(values) : std::nullopt;
}

std::string to_text(const BatchArchive::Copies& copies) {
  return std::to_string(copies.written) + " " + std::to_string(copies.wanted) + " " +
         std::to_string(to_unix_micros(copies.next)) + "\n";
}

Result<BatchArchive::Copies> read_copies(const std::string& path) {
  ASSIGN_OR_RETURN(const auto text, read_file(path, 100));
  const auto values = numbers_in<3>(text_of(text));
  if (!values || (*values)[0] < 0 || (*values)[1] < 0) return hold(path + " is damaged");
  return BatchArchive::Copies{static_cast<std::uint64_t>((*values)[0]),
                              static_cast<std::uint64_t>((*values)[1]),
                              from_unix_micros((*values)[2])};
}

BatchManifest manifest_of(std::span<const BatchItem> items) {
  BatchManifest manifest;
  for (const auto& item : items) {
    manifest.files.push_back({item.name, item.contents.size(), sha256(item.contents)});
  }
  return manifest;
}

// The first line tells how long the two texts are that follow it, before the contents.
Bytes archive_of(const std::string& manifest, std::span<const BatchItem> items) {
  std::string ids;
  for (const auto& item : items) ids += item.id + "\n";
  Bytes archive = to_bytes(std::string(kArchiveMark) + std::to_string(manifest.size()) + " " +
                           std::to_string(ids.size()) + "\n");
  append(archive, view_of(manifest));
  append(archive, view_of(ids));
  for (const auto& item : items) append(archive, item.contents);
  return archive;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// What write_file() leaves when it is killed.
void remove_hidden(const std::string& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> hidden;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) hidden.push_back(at->path());
  }
  for (const auto& file : hidden) std::filesystem::remove(file, error);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

Result<ArchivedBatch> take_apart(ByteView octets, const std::string& path) {
  const auto text = text_of(octets);
  const auto line = text.substr(0, text.find('\n'));
  const auto sizes = line.starts_with(kArchiveMark)
                         ? numbers_in<2>(std::string(line.substr(kArchiveMark.size())) + "\n")
                         : std::nullopt;
  const auto first = sizes ? static_cast<std::size_t>(std::max<std::int64_t>((*sizes)[0], 0)) : 0;
  const auto second = sizes ? static_cast<std::size_t>(std::max<std::int64_t>((*sizes)[1], 0)) : 0;
  if (!sizes || first > octets.size() || second > octets.size() ||
      line.size() + 1 + first + second > octets.size()) {
    return hold(path + " is damaged");
  }
  ArchivedBatch batch;
  batch.manifest_text = text.substr(line.size() + 1, first);
  auto manifest = parse_batch_manifest(view_of(batch.manifest_text));
  if (!manifest) return failure(std::move(manifest).error().within(path));
  batch.manifest = std::move(*manifest);
  batch.ids = lines_of(text.substr(line.size() + 1 + first, second));
  batch.contents = to_bytes(octets.subspan(line.size() + 1 + first + second));
  std::uint64_t total = 0;
  for (const auto& file : batch.manifest.files) total += file.size;
  if (total != batch.contents.size()) return hold(path + " is damaged: its files are not whole");
  return batch;
}

}  // namespace

Result<BatchArchive> BatchArchive::open(const std::string& directory) {
  for (const auto* part : {"/batches", "/due", "/copies"}) {
    TRY(make_directories(directory + part));
  }
  return BatchArchive(directory);
}

Result<FileDescriptor> BatchArchive::lock() const {
  const auto path = directory_ + "/lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return failure(errno_error("opening", path, errno));
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failure(errno_error("locking", path, errno));
  }
  return file;
}

std::string BatchArchive::path(const char* kind, std::uint64_t number, const char* ending) const {
  return directory_ + "/" + kind + "/" + file_name(number) + ending;
}

Result<std::vector<std::uint64_t>> BatchArchive::numbers(const char* kind) const {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  const auto path = directory_ + "/" + kind;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    const auto number = number_in(at->path().filename().string());
    if (number) numbers.push_back(*number);
  }
  if (error) return failure(errno_error("listing", path, error.value()));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// What is remembered holds until another process has added a batch or begun a new stream.
Result<void> BatchArchive::find_newest() {
  const auto inode = inode_of(directory_ + "/batches");
  if (newest_ && newest_->inode == inode && !has(newest_->number + 1)) return {};
  newest_.reset();
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  if (all.empty()) {
    newest_ = Newest{};
    newest_->inode = inode;
    return {};
  }
  ASSIGN_OR_RETURN(const auto batch, read(all.back()));
  newest_ = {all.back(), batch.manifest.stream, sha256(view_of(batch.manifest_text)), inode};
  return {};
}

Result<BatchArchive::Newest> BatchArchive::newest() {
  TRY(find_newest());
  return *newest_;
}

// The batches alone: wishes and counts without their batch are nothing. The lock stays where it is,
// so that whoever waits for it finds the new stream.
Result<void> BatchArchive::begin_new_stream() {
  TRY(find_newest());
  if (newest_->number == 0) return {};
  const auto from = directory_ + "/batches";
  auto aside = directory_ + "/batches-" + newest_->stream;
  for (int i = 2; exists(aside); ++i) {
    aside = directory_ + "/batches-" + newest_->stream + "-" + std::to_string(i);
  }
  if (::rename(from.c_str(), aside.c_str()) != 0) {
    return failure(errno_error("renaming", from, errno));
  }
  newest_.reset();
  crash_point("batch.put_aside");
  TRY(make_directories(from));
  return sync_directory(directory_);
}

Result<std::uint64_t> BatchArchive::add(std::span<const BatchItem> items, Time now,
                                        std::uint64_t copies, Random& random) {
  TRY(find_newest());
  auto manifest = manifest_of(items);
  manifest.stream = newest_->number == 0 ? to_hex(random.bytes(8)) : newest_->stream;
  manifest.number = newest_->number + 1;
  manifest.previous = newest_->manifest_hash;
  manifest.created = std::chrono::floor<std::chrono::seconds>(now);
  const auto text = format(manifest);
  // What cannot be read back must not get a number.
  if (auto checked = parse_batch_manifest(view_of(text)); !checked) {
    return failure(std::move(checked).error().within("making a batch"));
  }
  // First the wish, then the batch: a wish without a batch is nothing, a batch without a wish
  // would never be written.
  TRY(set(manifest.number, {0, copies, now}));
  crash_point("batch.wanted");
  TRY(write_file(path("batches", manifest.number, ".batch"), archive_of(text, items), 0640,
                 IfExists::fail));
  crash_point("batch.numbered");
  newest_ = {manifest.number, manifest.stream, sha256(view_of(text)), newest_->inode};
  return manifest.number;
}

Result<ArchivedBatch> BatchArchive::read(std::uint64_t number) const {
  const auto file = path("batches", number, ".batch");
  ASSIGN_OR_RETURN(const auto octets, read_file(file, kLargestArchive));
  return take_apart(octets, file);
}

bool BatchArchive::has(std::uint64_t number) const {
  return exists(path("batches", number, ".batch"));
}

Result<std::map<std::uint64_t, BatchArchive::Copies>> BatchArchive::due() const {
  std::map<std::uint64_t, Copies> due;
  ASSIGN_OR_RETURN(const auto all, numbers("due"));
  for (const auto number : all) {
    const auto file = path("due", number);
    if (!has(number)) {  // it died before the batch had its number
      ::unlink(file.c_str());
      continue;
    }
    ASSIGN_OR_RETURN(due[number], read_copies(file));
  }
  return due;
}

Result<void> BatchArchive::set(std::uint64_t number, const Copies& copies) const {
  const auto due = path("due", number);
  TRY(write_file(due, view_of(to_text(copies)), 0640, IfExists::replace));
  if (copies.written < copies.wanted) return {};
  if (::rename(due.c_str(), path("copies", number).c_str()) != 0) {
    return failure(errno_error("renaming", due, errno));
  }
  return {};
}

Result<NumberRanges> BatchArchive::want_again(NumberRange range) const {
  NumberRanges found;
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  for (const auto number : all) {
    if (number < range.first || number > range.last) continue;
    const auto at = exists(path("due", number)) ? path("due", number) : path("copies", number);
    Copies copies;
    if (exists(at)) {
      ASSIGN_OR_RETURN(copies, read_copies(at));
    }
    copies.wanted = std::max(copies.wanted, copies.written) + 1;
    copies.next = Time{};
    TRY(set(number, copies));
    found.add(number);
  }
  return found;
}

Result<std::map<std::string, std::uint64_t>> BatchArchive::known(Time since) const {
  std::map<std::string, std::uint64_t> known;
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  for (auto number = all.rbegin(); number != all.rend(); ++number) {
    ASSIGN_OR_RETURN(const auto batch, read(*number));
    if (batch.manifest.created < since) break;
    for (const auto& id : batch.ids) known.emplace(id, *number);
  }
  return known;
}

Result<std::size_t> BatchArchive::purge(Time before) const {
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  std::size_t removed = 0;
  for (const auto number : all) {
    if (number == all.back() || exists(path("due", number))) continue;
    const auto file = path("batches", number, ".batch");
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) continue;
    if (Time(std::chrono::seconds(status.st_mtime)) >= before) break;
    if (::unlink(file.c_str()) == 0) ++removed;
    ::unlink(path("copies", number).c_str());
  }
  for (const auto* kind : {"batches", "due", "copies"}) remove_hidden(directory_ + "/" + kind);
  return removed;
}

}  // namespace cmpost
