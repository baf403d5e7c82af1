#include "sftp/taken_ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/crash_point.h"
#include "base/own_files.h"
#include "base/presence.h"

namespace cmpost {
namespace {

constexpr std::string_view kFirstLine = "cmpost taken 1\n";
constexpr std::size_t kLine = 33;  // 32 digits and the line's end
constexpr std::size_t kLargest = kFirstLine.size() + kLine * 10'000'000;

std::string lines_of(auto&& keys) {
  std::string text;
  for (const auto& key : keys) text += key.text() + "\n";
  return text;
}

}  // namespace

Result<TakenLedger> TakenLedger::open(const std::string& path) {
  TakenLedger ledger(path);
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kLargest));
  if (contents) {
    TRY(ledger.read(text_of(*contents)));
  } else {
    if (const auto slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
      TRY(make_directories(path.substr(0, slash)));
    }
    TRY(ledger.rewrite());
  }
  TRY(ledger.open_for_appending());
  return ledger;
}

Result<void> TakenLedger::read(std::string_view text) {
  const auto damaged = [this] {
    return hold(path_ + " is not a list of what was taken",
                "move it away: what still lies at the server is then fetched again and answered "
                "again");
  };
  if (!text.starts_with(kFirstLine)) return damaged();
  text.remove_prefix(kFirstLine.size());
  while (text.size() >= kLine) {
    const auto key = JobId::from_text(text.substr(0, kLine - 1));
    if (!key || text[kLine - 1] != '\n') return damaged();
    keys_.insert(*key);
    text.remove_prefix(kLine);
  }
  return text.empty() ? Result<void>() : rewrite();
}

Result<void> TakenLedger::rewrite() {
  const auto text = std::string(kFirstLine) + lines_of(keys_);
  return write_file(path_, view_of(text), 0600, IfExists::replace);
}

Result<void> TakenLedger::open_for_appending() {
  ASSIGN_OR_RETURN(file_, cmpost::open_for_appending(path_, 0600));
  return {};
}

Result<void> TakenLedger::add(std::span<const JobId> keys) {
  if (keys.empty()) return {};
  const auto text = lines_of(keys);
  crash_point("sftp.ledger");
  const auto written = ::write(file_.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || ::fdatasync(file_.get()) != 0) {
    auto error = errno_error("writing", path_, written < 0 ? errno : ENOSPC);
    // Half a line must not be followed by another one.
    TRY(rewrite());
    TRY(open_for_appending());
    return failure(std::move(error));
  }
  crash_point("sftp.ledger");
  keys_.insert(keys.begin(), keys.end());
  return {};
}

Result<void> TakenLedger::keep_only(const std::set<JobId>& keys) {
  std::set<JobId> kept;
  std::set_intersection(keys_.begin(), keys_.end(), keys.begin(), keys.end(),
                        std::inserter(kept, kept.end()));
  if (kept.size() * 2 >= keys_.size()) return {};
  keys_ = std::move(kept);
  TRY(rewrite());
  return open_for_appending();
}

}  // namespace cmpost
