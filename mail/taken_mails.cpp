#include "mail/taken_mails.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/own_files.h"
#include "base/presence.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kMostFile = std::size_t{256} << 20U;
// A file that is this much longer than what it says is written anew.
constexpr std::size_t kMostWaste = 1000;

// The last octet tells a whole line from one that was cut off.
constexpr char kWhole = ';';

std::string line_of(const std::string& key, Time time) {
  return key + " " + std::to_string(to_unix_micros(time)) + kWhole + "\n";
}

std::optional<std::pair<std::string, Time>> read_taken_line(std::string_view line) {
  if (line.size() < kKeyDigits + 3 || line[kKeyDigits] != ' ' || line.back() != kWhole) {
    return std::nullopt;
  }
  line.remove_suffix(1);
  const auto key = line.substr(0, kKeyDigits);
  std::int64_t micros = 0;
  const auto* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + kKeyDigits + 1, end, micros);
  if (!from_hex(key) || error != std::errc() || stop != end) return std::nullopt;
  return std::pair(std::string(key), from_unix_micros(micros));
}

}  // namespace

Result<TakenMails> TakenMails::open(std::string file) {
  TakenMails mails(std::move(file));
  if (mails.file_.empty()) return mails;
  ASSIGN_OR_RETURN(const auto octets, read_if_there(mails.file_, kMostFile));
  if (octets) mails.read(text_of(*octets));
  return mails;
}

void TakenMails::read(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    ++lines_;
    if (end == std::string_view::npos) return;  // cut off by a crash
    if (auto line = read_taken_line(text.substr(0, end))) taken_.insert(*std::move(line));
    text.remove_prefix(end + 1);
  }
}

TakenMails::Key TakenMails::key_of(const std::string& arrival) {
  return to_hex(ByteView(sha256(view_of(arrival))).first(kKeyDigits / 2));
}

// Begins with a line end: what stands before may be cut off.
Result<void> TakenMails::append_lines(const std::string& lines) const {
  const auto directory = std::filesystem::path(file_).parent_path().string();
  ASSIGN_OR_RETURN(const bool there, is_there(file_));
  if (!there) TRY(make_directories(directory, 0700));
  ASSIGN_OR_RETURN(const auto file, open_for_appending(file_, 0600));
  const auto text = "\n" + lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto written = ::write(file.get(), text.data() + at, text.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno_error("writing", file_, errno));
    at += static_cast<std::size_t>(written);
  }
  crash_point("mail.taken");
  TRY(sync(file, file_));
  crash_point("mail.taken");
  return there ? Result<void>() : sync_directory(directory);
}

Result<void> TakenMails::add(const std::vector<std::string>& arrivals, Time now) {
  std::map<Key, Time> fresh;
  std::string lines;
  for (const auto& arrival : arrivals) {
    const auto key = key_of(arrival);
    if (taken_.contains(key) || !fresh.emplace(key, now).second) continue;
    lines += line_of(key, now);
  }
  if (fresh.empty()) return {};
  if (!file_.empty()) TRY(append_lines(lines));
  lines_ += fresh.size();
  taken_.merge(fresh);
  return {};
}

std::optional<Time> TakenMails::taken(const std::string& arrival) const {
  const auto found = taken_.find(key_of(arrival));
  if (found == taken_.end()) return std::nullopt;
  return found->second;
}

Result<void> TakenMails::keep_only(const std::vector<std::string>& there) {
  std::map<Key, Time> kept;
  for (const auto& arrival : there) {
    if (auto found = taken_.extract(key_of(arrival))) kept.insert(std::move(found));
  }
  taken_ = std::move(kept);
  if (file_.empty() || lines_ <= 2 * taken_.size() + kMostWaste) return {};
  std::string lines;
  for (const auto& [key, time] : taken_) lines += line_of(key, time);
  TRY(write_file(file_, view_of(lines), 0600, IfExists::replace));
  lines_ = taken_.size();
  return {};
}

}  // namespace cmpost
