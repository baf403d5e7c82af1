#include "carrier/batch_archive.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>

#include "base/crash_point.h"
#include "base/presence.h"
#include "carrier/batch_name.h"
#include "carrier/plain_numbers.h"

namespace cmpost {
namespace {

constexpr std::string_view kBatchEnding = ".batch";
constexpr std::size_t kNumberDigits = 10;

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

Result<std::uint64_t> inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failure(errno_error("examining", path, errno));
  return std::uint64_t{status.st_ino};
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
  const auto known = std::exchange(newest_, std::nullopt);  // nothing, should the look fail
  ASSIGN_OR_RETURN(const auto inode, inode_of(directory_ + "/batches"));
  if (known && known->inode == inode) {
    ASSIGN_OR_RETURN(const bool outdated, has(known->number + 1));
    if (!outdated) newest_ = known;
    if (!outdated) return {};
  }
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  if (all.empty()) {
    newest_ = Newest{};
    newest_->inode = inode;
    return {};
  }
  ASSIGN_OR_RETURN(const auto batch, head(all.back()));
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
  ASSIGN_OR_RETURN(bool taken, is_there(aside));
  for (int i = 2; taken; ++i) {
    aside = directory_ + "/batches-" + newest_->stream + "-" + std::to_string(i);
    ASSIGN_OR_RETURN(taken, is_there(aside));
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
  TRY(write_file(path("batches", manifest.number, ".batch"), batch_file_of(text, items), 0640,
                 IfExists::fail));
  crash_point("batch.numbered");
  newest_ = {manifest.number, manifest.stream, sha256(view_of(text)), newest_->inode};
  return manifest.number;
}

Result<ArchivedBatch> BatchArchive::read(std::uint64_t number) const {
  return read_batch_file(path("batches", number, ".batch"));
}

Result<BatchHead> BatchArchive::head(std::uint64_t number) const {
  return read_batch_head(path("batches", number, ".batch"));
}

Result<bool> BatchArchive::has(std::uint64_t number) const {
  return is_there(path("batches", number, ".batch"));
}

Result<std::map<std::uint64_t, BatchArchive::Copies>> BatchArchive::due() const {
  std::map<std::uint64_t, Copies> due;
  ASSIGN_OR_RETURN(const auto all, numbers("due"));
  for (const auto number : all) {
    const auto file = path("due", number);
    ASSIGN_OR_RETURN(const bool made, has(number));
    if (!made) {  // it died before the batch had its number
      ::unlink(file.c_str());
      continue;
    }
    ASSIGN_OR_RETURN(const auto copies, read_copies(file));
    if (copies.written < copies.wanted) {
      due[number] = copies;
    } else {  // it died before this was put away
      TRY(put_away(number));
    }
  }
  return due;
}

Result<void> BatchArchive::set(std::uint64_t number, const Copies& copies) const {
  TRY(write_file(path("due", number), view_of(to_text(copies)), 0640, IfExists::replace));
  return copies.written < copies.wanted ? Result<void>() : put_away(number);
}

Result<void> BatchArchive::put_away(std::uint64_t number) const {
  const auto due = path("due", number);
  if (::rename(due.c_str(), path("copies", number).c_str()) != 0) {
    return failure(errno_error("renaming", due, errno));
  }
  return {};
}

Result<BatchArchive::Copies> BatchArchive::copies(std::uint64_t number) const {
  for (const auto* kind : {"due", "copies"}) {
    const auto at = path(kind, number);
    ASSIGN_OR_RETURN(const bool there, is_there(at));
    if (there) return read_copies(at);
  }
  return Copies{};
}

Result<NumberRanges> BatchArchive::want_again(NumberRange range) const {
  NumberRanges found;
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  for (const auto number : all) {
    if (number < range.first || number > range.last) continue;
    ASSIGN_OR_RETURN(auto copies, this->copies(number));
    copies.wanted = std::max(copies.wanted, copies.written) + 1;
    copies.next = Time{};
    TRY(set(number, copies));
    found.add(number);
  }
  return found;
}

// A number that is missing below one that counts was forgotten, and its batch may count, too.
Result<BatchArchive::Known> BatchArchive::known(Time since) const {
  Known known;
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  std::uint64_t expected = all.empty() ? 0 : all.back();
  for (auto number = all.rbegin(); number != all.rend(); ++number) {
    if (*number != expected) known.whole = false;
    ASSIGN_OR_RETURN(const auto batch, head(*number));
    if (batch.manifest.created < since) return known;
    for (const auto& id : batch.ids) known.batches.emplace(id, *number);
    expected = *number - 1;
  }
  if (expected > 0) known.whole = false;
  return known;
}

Result<std::size_t> BatchArchive::purge(Time before, const StillNeeded& needed) const {
  ASSIGN_OR_RETURN(const auto all, numbers("batches"));
  std::size_t removed = 0;
  Result<void> trouble;
  for (const auto number : all) {
    if (number == all.back()) continue;
    const auto file = path("batches", number, ".batch");
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return failure(errno_error("examining", file, errno));
    if (Time(std::chrono::seconds(status.st_mtime)) >= before) break;
    ASSIGN_OR_RETURN(const bool due, is_there(path("due", number)));
    if (due) continue;
    const auto batch = head(number);
    if (!batch) {  // stays, since nobody can say whose answers are in it; and others may go
      trouble = failure(batch.error());
      continue;
    }
    ASSIGN_OR_RETURN(const bool kept, needed(batch->ids));
    if (kept) continue;
    if (::unlink(file.c_str()) != 0) return failure(errno_error("removing", file, errno));
    ::unlink(path("copies", number).c_str());
    ++removed;
  }
  for (const auto* kind : {"batches", "due", "copies"}) remove_hidden(directory_ + "/" + kind);
  TRY(trouble);
  return removed;
}

}  // namespace cmpost
