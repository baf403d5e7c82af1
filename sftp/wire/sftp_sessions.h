// The connections of one channel to one server.
#pragma once

#include <functional>
#include <memory>
#include <semaphore>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/transport/sftp_settings.h"
#include "sftp/wire/sftp_dialogue.h"
#include "sftp/wire/socket_watchdog.h"

namespace cmpost {

// Opens connections as they are needed, keeps them while they are used, and never mends one: what
// is broken is dropped, and the next call connects anew. Used by one thread, which is joined by
// others only within for_parts().
class SftpSessions {
 public:
  // `steady` measures pauses and must outlive the object. `dial` is there for tests; without one
  // connections are SshConnections.
  SftpSessions(const SftpUrl& url, const SftpSettings& settings, const Clock& steady,
               SftpDial dial = {});
  // Takes leave of the servers, within a moment.
  ~SftpSessions();

  // The first connection, which is also the one that for_parts() uses in the calling thread. Valid
  // until the next call. A login that was refused is not tried again for 5 s, doubling to 5 min, so
  // that no account is locked, unless a file of the login changes.
  Result<SftpDialogue*> first();

  // Work on the items begin..end, on a connection of its own.
  using Part = std::function<Result<void>(SftpDialogue&, std::size_t begin, std::size_t end)>;
  // Divides `count` items among the connections. On an Error of a part no new ones are begun; the
  // first Error is returned, and some of the items may have been worked on.
  Result<void> for_parts(std::size_t count, const Part& work);

  // Tells an idle server that we are there; drops connections that are of no use any more.
  void keep_alive();

  // Until it goes, a stop ends what is under way within a moment.
  class Stoppable;

  const std::string& peer() const { return peer_; }

 private:
  struct Slot {
    std::unique_ptr<SftpDialogue> dialogue;
    Time used{};
  };

  Result<SftpDialogue*> ready(Slot& slot);
  Result<void> dial(Slot& slot);
  std::string login_stamp() const;
  void note_dial(const std::optional<Error>& refused);
  std::size_t part_size(std::size_t count) const;

  const SftpSettings settings_;
  const Clock& steady_;
  const std::string peer_;
  const SftpDial dial_;
  SocketWatchdog watchdog_;
  std::vector<Slot> slots_;  // each used by one thread at a time
  // Servers refuse connections when too many have not logged in yet (MaxStartups).
  std::counting_semaphore<4> dialling_{4};
  Mutex mutex_;
  std::optional<Error> refusal_ GUARDED_BY(mutex_);
  std::string refused_stamp_ GUARDED_BY(mutex_);
  Time rests_until_ GUARDED_BY(mutex_){};
  Duration next_rest_ GUARDED_BY(mutex_);
};

class SftpSessions::Stoppable {
 public:
  Stoppable(SftpSessions& sessions, const std::stop_token& stop);
  ~Stoppable();
  Stoppable(const Stoppable&) = delete;

 private:
  SftpSessions& sessions_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace cmpost
