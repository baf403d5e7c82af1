#include "sftp/wire/sftp_sessions.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "base/log.h"
#include "base/mutex.h"
#include "base/start_thread.h"
#include "sftp/wire/ssh_connection.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstRefusalRest = 5s, kLongestRefusalRest = 5min;
constexpr Duration kIdle = 30s;  // a connection that is not the first is not kept longer
constexpr Duration kGrace = 1s;  // for what is under way when a stop is requested
constexpr std::size_t kSmallPart = 8, kLargePart = 64;

}  // namespace

SftpSessions::SftpSessions(const SftpUrl& url, const SftpSettings& settings, const Clock& steady,
                           SftpDial dial)
    : settings_(settings),
      steady_(steady),
      peer_(sftp_peer(url)),
      dial_(dial ? std::move(dial)
                 : [url, settings](
                       SocketWatchdog&
                           watchdog) { return SshConnection::open(url, settings, watchdog); }),
      slots_(settings.sessions),
      next_rest_(kFirstRefusalRest) {}

SftpSessions::~SftpSessions() { watchdog_.hurry(kGrace); }

Result<SftpDialogue*> SftpSessions::first() { return ready(slots_.front()); }

Result<SftpDialogue*> SftpSessions::ready(Slot& slot) {
  // A server may have ended a connection that was idle; that is no trouble.
  if (slot.dialogue && !slot.dialogue->keep_alive()) slot.dialogue.reset();
  if (!slot.dialogue) TRY(dial(slot));
  slot.used = steady_.now();
  return slot.dialogue.get();
}

Result<void> SftpSessions::dial(Slot& slot) {
  {
    const MutexLock lock(mutex_);
    if (refusal_ && steady_.now() < rests_until_ && refused_stamp_ == login_stamp()) {
      return failure(*refusal_);
    }
  }
  dialling_.acquire();
  auto connection = dial_(watchdog_);
  auto dialogue = connection
                      ? SftpDialogue::open(std::move(*connection))
                      : Result<std::unique_ptr<SftpDialogue>>(failure(connection.error().error));
  dialling_.release();
  const bool refused = !connection && connection.error().login_refused;
  note_dial(refused ? std::optional(connection.error().error) : std::nullopt);
  if (!dialogue) return failure(std::move(dialogue).error());
  slot.dialogue = std::move(*dialogue);
  return {};
}

void SftpSessions::note_dial(const std::optional<Error>& refused) {
  const MutexLock lock(mutex_);
  refusal_ = refused;
  if (!refused) {
    next_rest_ = kFirstRefusalRest;
    return;
  }
  refused_stamp_ = login_stamp();
  rests_until_ = steady_.now() + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRefusalRest);
}

// Changes when somebody has changed a file of the login.
std::string SftpSessions::login_stamp() const {
  std::string stamp;
  const auto& login = settings_.login;
  for (const auto* file : {&login.key_file, &login.passphrase_file, &login.password_file}) {
    struct stat status {};
    if (file->empty() || ::stat(file->c_str(), &status) != 0) continue;
    stamp += std::to_string(status.st_ino) + "/" + std::to_string(status.st_size) + "/" +
             std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) +
             ";";
  }
  return stamp;
}

// Large enough that a long way is worth it, small enough that every connection gets some.
std::size_t SftpSessions::part_size(std::size_t count) const {
  return std::clamp(count / slots_.size(), kSmallPart, kLargePart);
}

Result<void> SftpSessions::for_parts(std::size_t count, const Part& work) {
  const auto size = part_size(count);
  std::atomic<std::size_t> next = 0;
  Mutex mutex;
  std::optional<Error> error;
  const auto fail = [&](Error why) {
    const MutexLock lock(mutex);
    if (!error) error = std::move(why);
    next = count;
  };
  const auto run = [&](Slot& slot, bool needed) {
    auto dialogue = ready(slot);
    if (!dialogue) {
      // With one connection fewer it takes longer, that is all.
      if (needed)
        fail(dialogue.error());
      else
        log::debug("sftp.fewer_sessions", {{"reason", dialogue.error().what}});
      return;
    }
    for (auto begin = next.fetch_add(size); begin < count; begin = next.fetch_add(size)) {
      if (auto done = work(**dialogue, begin, std::min(begin + size, count)); !done) {
        return fail(std::move(done).error());
      }
    }
    slot.used = steady_.now();
  };
  const auto helpers = std::min(slots_.size(), (count + size - 1) / size);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < helpers; ++i) {
    auto helper = start_thread([&run, &slot = slots_[i]] { run(slot, false); });
    if (!helper) {
      log::debug("sftp.fewer_sessions", {{"reason", helper.error().what}});
      break;
    }
    threads.push_back(*std::move(helper));
  }
  if (count > 0) run(slots_.front(), true);
  threads.clear();  // joins
  if (error) return failure(std::move(*error));
  return {};
}

void SftpSessions::keep_alive() {
  for (auto& slot : slots_) {
    if (!slot.dialogue) continue;
    const bool idle = &slot != &slots_.front() && steady_.now() - slot.used > kIdle;
    if (idle || !slot.dialogue->keep_alive()) slot.dialogue.reset();
  }
}

SftpSessions::Stoppable::Stoppable(SftpSessions& sessions, const std::stop_token& stop)
    : sessions_(sessions), on_stop_(stop, [this] { sessions_.watchdog_.hurry(kGrace); }) {}

SftpSessions::Stoppable::~Stoppable() { sessions_.watchdog_.relax(); }

}  // namespace cmpost
