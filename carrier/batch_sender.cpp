#include "carrier/batch_sender.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/group_sync.h"
#include "carrier/batch_name.h"

namespace cmpost {

// The directories that a copy is written to.
struct BatchSender::Target {
  FileDescriptor out;
  FileDescriptor staging;  // none: `out`
  const FileDescriptor& first() const { return staging ? staging : out; }
};

namespace {

constexpr int kOtherCopies = 3;  // copy numbers to try when strangers' files have the names

// Always the same for one file, so that a second try finds what the first one left.
std::string hidden(const std::string& name) { return "." + name + ".part"; }

Result<FileDescriptor> open_target(const std::string& path) {
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno_error("opening directory", path, errno));
  return directory;
}

Result<FileDescriptor> write_hidden(const FileDescriptor& directory, const std::string& name,
                                    ByteView contents) {
  ::unlinkat(directory.get(), name.c_str(), 0);
  FileDescriptor file(::openat(directory.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return failure(errno_error("creating", name, errno));
  while (!contents.empty()) {
    const auto count = ::write(file.get(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const auto error = errno_error("writing", name, errno);
      ::unlinkat(directory.get(), name.c_str(), 0);
      return failure(error);
    }
    contents = contents.subspan(static_cast<std::size_t>(count));
  }
  start_writeback(file);
  return file;
}

// An Error: whose file has the name cannot be found out.
Result<bool> is_same(const FileDescriptor& directory, const std::string& name, ByteView contents) {
  struct stat status {};
  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return failure(errno_error("examining", name, errno));
  }
  if (!S_ISREG(status.st_mode) || static_cast<std::size_t>(status.st_size) != contents.size()) {
    return false;
  }
  ASSIGN_OR_RETURN(const auto found, read_file_at(directory, name, contents.size()));
  return equal(found, contents);
}

struct NamedContents {
  std::string name;
  ByteView contents;
};

// True: all are durable in `out` under their names. False: one of the names is a stranger's.
Result<bool> put_files(const FileDescriptor& first, const FileDescriptor& out,
                       const std::vector<NamedContents>& files) {
  std::vector<FileDescriptor> open_files;
  std::vector<int> numbers;
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(auto written, write_hidden(first, hidden(file.name), file.contents));
    numbers.push_back(written.get());
    open_files.push_back(std::move(written));
  }
  for (const int error : sync_group(numbers)) {
    if (error != 0) return failure(errno_error("syncing", "the files of a batch", error));
  }
  crash_point("batch.files_written");
  bool all = true;
  for (const auto& file : files) {
    const auto renamed = rename_no_replace(first, hidden(file.name), out, file.name);
    if (renamed) continue;
    ::unlinkat(first.get(), hidden(file.name).c_str(), 0);
    if (::faccessat(out.get(), file.name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
      return failure(renamed.error());
    }
    ASSIGN_OR_RETURN(const bool same, is_same(out, file.name, file.contents));
    all = all && same;
  }
  crash_point("batch.files_renamed");
  TRY(sync(out, "the directory of batches"));
  return all;
}

// Of the batches of a stream that lie there; 0: none.
Result<std::uint64_t> highest_in(const std::string& directory, const std::string& stream) {
  std::uint64_t highest = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = BatchName::parse(at->path().filename().string());
    if (name && name->stream == stream) highest = std::max(highest, name->number);
  }
  if (error) return failure(errno_error("listing", directory, error.value()));
  return highest;
}

}  // namespace

bool BatchSender::is_due(Time next) const {
  const auto now = clock_.now();
  return now >= next || next > now + settings_.repeat_after;
}

Result<BatchArchive*> BatchSender::archive() {
  if (!archive_) {
    ASSIGN_OR_RETURN(archive_, BatchArchive::open(settings_.state));
  }
  return &*archive_;
}

Result<std::uint64_t> BatchSender::add(std::span<const BatchItem> items) {
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  return archive->add(items, clock_.now(), settings_.copies, random_);
}

Result<std::vector<EmittedCopy>> BatchSender::emit() {
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  std::vector<EmittedCopy> emitted;
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  ASSIGN_OR_RETURN(const auto due, archive->due());
  for (const auto& [number, copies] : due) {
    if (is_due(copies.next)) TRY(emit(number, copies, emitted));
  }
  return emitted;
}

Result<void> BatchSender::emit(std::uint64_t number, BatchArchive::Copies copies,
                               std::vector<EmittedCopy>& emitted) {
  Target target;
  ASSIGN_OR_RETURN(target.out, open_target(settings_.out));
  if (!settings_.staging.empty()) {
    ASSIGN_OR_RETURN(target.staging, open_target(settings_.staging));
  }
  ASSIGN_OR_RETURN(const auto batch, archive_->read(number));
  int others = 0;
  while (copies.written < copies.wanted && is_due(copies.next)) {
    ASSIGN_OR_RETURN(const bool ours, write_copy(target, batch, copies.written + 1));
    ++copies.written;
    if (!ours) {
      if (++others > kOtherCopies) {
        return hold("other files have the names of batch " + std::to_string(number),
                    "move them out of " + settings_.out);
      }
      ++copies.wanted;  // this number of a copy is spent
      continue;
    }
    emitted.push_back({number, copies.written, batch.manifest.files.size()});
    copies.next =
        settings_.repeat_after == Duration::zero() ? Time{} : clock_.now() + settings_.repeat_after;
    TRY(archive_->set(number, copies));
    crash_point("batch.copy_noted");
  }
  return {};
}

Result<bool> BatchSender::write_copy(const Target& target, const ArchivedBatch& batch,
                                     std::uint64_t copy) const {
  BatchName name{batch.manifest.stream, batch.manifest.number, copy, {}};
  const auto manifest_name = name.text();
  std::vector<NamedContents> files;
  ByteView rest = batch.contents;
  for (const auto& file : batch.manifest.files) {
    name.part = file.name;
    files.push_back({name.text(), rest.first(static_cast<std::size_t>(file.size))});
    rest = rest.subspan(static_cast<std::size_t>(file.size));
  }
  ASSIGN_OR_RETURN(const bool ours, put_files(target.first(), target.out, files));
  if (!ours) return false;
  return put_files(target.first(), target.out, {{manifest_name, view_of(batch.manifest_text)}});
}

Result<NumberRanges> BatchSender::want_again(NumberRange range) {
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  return archive->want_again(range);
}

Result<BatchArchive::Known> BatchSender::known(Time since) {
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  return archive->known(since);
}

Result<bool> BatchSender::begin_anew_if_behind(const std::optional<std::string>& last, Time since) {
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  ASSIGN_OR_RETURN(const auto newest, archive->newest());
  if (newest.number == 0) return false;
  ASSIGN_OR_RETURN(const auto highest, highest_in(settings_.out, newest.stream));
  bool behind = highest > newest.number;
  if (!behind && last) {
    ASSIGN_OR_RETURN(const auto known, archive->known(since));
    behind = known.whole && !known.batches.contains(*last);
  }
  if (!behind) return false;
  if (auto begun = archive->begin_new_stream(); !begun) {
    archive_.reset();  // opened anew it has its directories again
    return failure(std::move(begun).error());
  }
  return true;
}

Result<void> BatchSender::purge(Time now, const BatchArchive::StillNeeded& needed) {
  if (settings_.keep == Duration::zero()) return {};
  ASSIGN_OR_RETURN(auto* const archive, this->archive());
  ASSIGN_OR_RETURN(const auto lock, archive->lock());
  TRY(archive->purge(now - settings_.keep, needed));
  return {};
}

}  // namespace cmpost
