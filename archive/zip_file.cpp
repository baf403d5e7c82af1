#include "archive/zip_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

namespace cmpost {
namespace {

constexpr std::size_t kEnd = 22, kLongestComment = 65'535;
constexpr std::size_t kZip64Locator = 20;
// Of the directory: libarchive takes all of it into memory, whatever number of members it names.
constexpr std::size_t kLargestDirectory = std::size_t{16} << 20U;
constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr const char* kSmaller = "make several of it";

std::uint64_t little_endian(ByteView octets) {
  std::uint64_t value = 0;
  for (auto i = octets.size(); i > 0; --i) value = value << 8U | octets[i - 1];
  return value;
}

Result<Bytes> read_at(const FileDescriptor& file, std::size_t offset, std::size_t size,
                      const std::string& name) {
  Bytes octets(size);
  std::size_t got = 0;
  while (got < size) {
    const auto count =
        ::pread(file.get(), octets.data() + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno_error("reading", name, errno));
    if (count == 0) return retry(name + " became shorter while it was read");
    got += static_cast<std::size_t>(count);
  }
  return octets;
}

auto no_zip(const std::string& name) {
  return hold(name + " is no ZIP file, or is cut off", "make it again, or copy it again");
}

// How many members it says that it has. The record at the end says where the directory is, which is
// all that comes before anything else.
Result<std::size_t> check_end(const FileDescriptor& file, std::size_t size, const std::string& name,
                              const ZipLimits& limits) {
  if (size < kEnd) return no_zip(name);
  const auto tail_size = std::min(size, kEnd + kLongestComment + kZip64Locator);
  ASSIGN_OR_RETURN(const auto tail, read_at(file, size - tail_size, tail_size, name));
  constexpr std::string_view kMark = "PK\x05\x06", kMark64 = "PK\x06\x07";
  const auto found = text_of(tail).rfind(kMark, tail.size() - kEnd);
  if (found == std::string_view::npos) return no_zip(name);
  const ByteView end = ByteView(tail).subspan(found, kEnd);
  if (found >= kZip64Locator && text_of(tail).substr(found - kZip64Locator).starts_with(kMark64)) {
    return hold(name + " is a ZIP64 file, as nothing of this size is", kSmaller);
  }
  const auto members = little_endian(end.subspan(10, 2));
  const auto offset = little_endian(end.subspan(16, 4));
  const auto end_at = size - tail_size + found;
  if (offset > end_at) return no_zip(name);
  if (members > limits.members) {
    return hold(name + " has " + std::to_string(members) + " members, and " +
                    std::to_string(limits.members) + " are taken",
                kSmaller);
  }
  if (end_at - offset > kLargestDirectory) {
    return hold("the directory of " + name + " has more than " + std::to_string(kLargestDirectory) +
                    " octets",
                kSmaller);
  }
  return static_cast<std::size_t>(members);
}

// libarchive reads names by the locale of its thread, which is "C" in a program that sets none; a
// name with the UTF-8 flag (APPNOTE.TXT 4.4.4) could then not be read.
class Utf8Locale {
 public:
  Utf8Locale() : mine_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (mine_ != nullptr) before_ = ::uselocale(mine_);
  }
  ~Utf8Locale() {
    if (mine_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(mine_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t mine_ = nullptr, before_ = nullptr;
};

struct CloseArchive {
  void operator()(archive* one) const { archive_read_free(one); }
};
using ArchivePtr = std::unique_ptr<archive, CloseArchive>;

std::string why(archive* one) {
  const auto* const text = archive_error_string(one);
  return text == nullptr ? "nobody knows why" : printable(text);
}

std::string name_of(archive_entry* entry) {
  const auto* text = archive_entry_pathname_utf8(entry);
  if (text == nullptr) text = archive_entry_pathname(entry);
  std::string name = text == nullptr ? "" : text;
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

bool is_passed_over(std::string_view name) {
  if (!fault_of_member_name(name).empty()) return false;  // which is told
  return name.starts_with('.') || name.find("/.") != std::string_view::npos ||
         name.starts_with("__MACOSX/");
}

// What is wrong with a member before anything of it is read.
std::string fault_of(archive_entry* entry, const std::string& name, const ZipLimits& limits) {
  if (auto fault = fault_of_member_name(name); !fault.empty()) return fault;
  if (archive_entry_is_encrypted(entry) != 0) return "it is encrypted";
  const auto type = archive_entry_filetype(entry);
  const bool link = type == AE_IFLNK || archive_entry_symlink(entry) != nullptr ||
                    archive_entry_hardlink(entry) != nullptr;
  if (link) return "it is a link";
  if (type != AE_IFREG && type != 0) return "it is no file";
  if (archive_entry_size_is_set(entry) != 0 &&
      archive_entry_size(entry) > static_cast<std::int64_t>(limits.member)) {
    return "it has more than " + std::to_string(limits.member) + " octets";
  }
  return {};
}

std::string hint_for(const std::string& fault) {
  return fault == "it is encrypted" ? "unpack it with its password first"
                                    : "put the file itself into the archive, by a plain name";
}

}  // namespace

std::string fault_of_member_name(std::string_view name) {
  if (name.empty()) return "it has no name that can be read";
  if (name.size() > 1000) return "its name is too long";
  if (!is_utf8(name)) return "its name is no UTF-8";
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return "its name has control characters";
  }
  if (name.front() == '/') return "its name is absolute";
  if (name.find('\\') != std::string_view::npos) return "its name has a backslash";
  if (name.size() > 1 && name[1] == ':') return "its name has a drive";
  for (std::size_t from = 0; from <= name.size();) {
    const auto to = std::min(name.find('/', from), name.size());
    if (name.substr(from, to - from) == "..") return "its name leads upwards (..)";
    from = to + 1;
  }
  return {};
}

Result<ZipFile> ZipFile::open(FileDescriptor file, std::string name, const ZipLimits& limits) {
  ASSIGN_OR_RETURN(const auto identity, identify(file, name));
  if (!S_ISREG(identity.mode)) return hold(name + " is no file");
  ASSIGN_OR_RETURN(const auto members, check_end(file, identity.size, name, limits));
  return ZipFile(std::move(file), std::move(name), limits, identity.size, members);
}

Result<void> ZipFile::for_each(const Visit& visit) const {
  if (members_ == 0) return {};  // which libarchive does not know
  const Utf8Locale locale;
  if (::lseek(file_.get(), 0, SEEK_SET) < 0) return failure(errno_error("reading", name_, errno));
  const ArchivePtr reading(archive_read_new());
  if (!reading || archive_read_support_format_zip_seekable(reading.get()) != ARCHIVE_OK ||
      archive_read_open_fd(reading.get(), file_.get(), kBlock) != ARCHIVE_OK) {
    return hold(name_ + " cannot be read: " + (reading ? why(reading.get()) : "no memory"));
  }
  const auto most = std::min(limits_.total, size_ * limits_.ratio + kBlock);
  std::set<std::string> names;
  std::size_t members = 0, total = 0;
  while (true) {
    archive_entry* entry = nullptr;
    const auto next = archive_read_next_header(reading.get(), &entry);
    if (next == ARCHIVE_EOF && members == members_) return {};
    if (next == ARCHIVE_EOF) {
      return hold(name_ + " is damaged: it says that it has " + std::to_string(members_) +
                      " members, and has " + std::to_string(members),
                  "make it again, or copy it again");
    }
    if (next < ARCHIVE_WARN) return hold(name_ + " is damaged: " + why(reading.get()));
    if (++members > limits_.members) {
      return hold(name_ + " has more than " + std::to_string(limits_.members) + " members",
                  kSmaller);
    }
    auto name = name_of(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR || is_passed_over(name)) continue;
    auto fault = fault_of(entry, name, limits_);
    if (name.empty()) name = "member " + std::to_string(members);
    if (fault.empty() && !names.insert(name).second) fault = "another member has its name";
    if (!fault.empty()) {
      TRY(visit(name, hold(fault, hint_for(fault))));
      continue;
    }
    Result<Bytes> contents{Bytes()};
    Bytes block(kBlock);
    while (contents) {
      const auto got = archive_read_data(reading.get(), block.data(), block.size());
      if (got == 0) break;
      if (got < 0) {
        contents = hold("it is damaged: " + why(reading.get()), "make the archive again");
        break;
      }
      total += static_cast<std::size_t>(got);
      if (total > most) {
        return hold(name_ + " unpacks to more than " + std::to_string(most) + " octets",
                    "that is the limit for one of its size; make several of it");
      }
      if (contents->size() + static_cast<std::size_t>(got) > limits_.member) {
        contents = hold("it has more than " + std::to_string(limits_.member) + " octets");
      } else {
        append(*contents, ByteView(block).first(static_cast<std::size_t>(got)));
      }
    }
    TRY(visit(name, std::move(contents)));
  }
}

}  // namespace cmpost
