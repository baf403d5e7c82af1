#include "watcher/intake_gate.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/log.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr Duration kAskDisk = 2s, kAskQueue = 500ms, kCountHolds = 1s, kCalm = 10s;

std::string mebibytes(std::uint64_t octets) {
  const auto tenths = octets * 10 / (std::uint64_t{1} << 20U);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

}  // namespace

IntakeGate::IntakeGate(const ChannelSettings& settings, JobQueue& requests, const Clock& steady)
    : channel_(settings.name),
      state_(settings.state),
      limits_(settings.limits),
      requests_(requests),
      steady_(steady),
      note_(settings.state, "paused"),
      unseen_(settings.state, "disk"),
      tokens_(static_cast<double>(limits_.max_rate)) {}

Result<std::size_t> IntakeGate::allowance() {
  if (!std::exchange(asked_, true)) remove_notes(state_);
  if (closed() && steady_.now() < opens_) return 0;
  if (const auto full = full_disk(); !full.empty()) return close(full, kAskDisk, true);
  ASSIGN_OR_RETURN(const auto pending, room_for_pending());
  if (pending == 0) {
    return close("requests that are not yet answered: " + std::to_string(pending_) +
                     ", max_pending is " + std::to_string(limits_.max_pending),
                 kAskQueue, false);
  }
  const auto rate = room_for_rate();
  if (rate == 0) {
    const auto missing = (1 - tokens_) / static_cast<double>(limits_.max_rate);
    return close("more requests come than max_rate allows, which is " +
                     std::to_string(limits_.max_rate) + " a second",
                 std::chrono::ceil<Duration>(std::chrono::duration<double>(missing)), false);
  }
  return open(std::min(pending, rate));
}

void IntakeGate::took(std::size_t count) {
  pending_ += count;
  if (limits_.max_rate > 0) tokens_ -= static_cast<double>(count);
}

std::string IntakeGate::full_disk() {
  if (limits_.min_free == 0) return {};
  std::string unseen, full;
  for (const auto& disk : limits_.disks) {
    struct statvfs status {};
    if (::statvfs(disk.c_str(), &status) != 0) {
      unseen = errno_error("asking for the room on the disk of", disk, errno).what;
      continue;
    }
    const auto free = std::uint64_t{status.f_bavail} * status.f_frsize;
    if (free < limits_.min_free) {
      full = "the disk of " + disk + " is nearly full: " + mebibytes(free) +
             " are free, min_free is " + mebibytes(limits_.min_free);
    }
  }
  note_unseen(unseen);
  return full;
}

void IntakeGate::note_unseen(const std::string& why) {
  if (why.empty()) {
    unseen_.clear();
  } else if (unseen_.set("min_free cannot be kept: " + why)) {
    log::warning("channel.disk_unseen", {{"channel", channel_}, {"reason", why}});
  }
}

Result<std::size_t> IntakeGate::room_for_pending() {
  if (limits_.max_pending == 0) return kNoLimit;
  // The count is asked for when the last one is old, or when it would stop the intake.
  const auto now = steady_.now();
  if (counted_ == Time::min() || now - counted_ >= kCountHolds || pending_ >= limits_.max_pending) {
    ASSIGN_OR_RETURN(pending_, requests_.pending(channel_));
    counted_ = now;
  }
  return limits_.max_pending - std::min(limits_.max_pending, pending_);
}

std::size_t IntakeGate::room_for_rate() {
  if (limits_.max_rate == 0) return kNoLimit;
  const auto now = steady_.now();
  const auto most = static_cast<double>(limits_.max_rate);  // what one second allows
  if (filled_ != Time::min()) {
    const std::chrono::duration<double> elapsed = now - filled_;
    tokens_ = std::min(most, tokens_ + elapsed.count() * most);
  }
  filled_ = now;
  return tokens_ < 1 ? 0 : static_cast<std::size_t>(tokens_);
}

std::size_t IntakeGate::close(const std::string& why, Duration again, bool needs_help) {
  opens_ = last_closed_ = steady_.now();
  opens_ += again;
  closed_ = true;
  const bool news = !told_ || needs_help != needs_help_;
  needs_help_ = needs_help;
  if (!news) {
    note_.hold();
    return 0;
  }
  told_ = true;
  note_.set("input waits: " + why);
  const auto level = needs_help ? log::Level::error : log::Level::info;
  log::write(level, "channel.paused", {{"channel", channel_}, {"reason", why}});
  return 0;
}

// A limit that is reached again and again is one pause, not many.
std::size_t IntakeGate::open(std::size_t allowance) {
  closed_ = false;
  opens_ = Time::min();
  if (!told_) return allowance;
  if (!needs_help_ && steady_.now() - last_closed_ < kCalm) return allowance;
  log::info("channel.resumed", {{"channel", channel_}});
  note_.clear();
  told_ = needs_help_ = false;
  return allowance;
}

}  // namespace cmpost
