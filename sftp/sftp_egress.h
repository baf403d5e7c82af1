// Answers that are put on an SFTP server.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/channel_settings.h"
#include "outbox/egress.h"
#include "sftp/remote_files.h"
#include "sftp/wire/sftp_sessions.h"

namespace cmpost {

// Writes each answer to a hidden name in settings.sftp()->send.path, has the server sync it where
// it can, and renames it to a name that the answer itself fixes (answer_name.h); only then it is
// reported as sent. A reader that takes no hidden files never sees half an answer. Nothing is ever
// overwritten: a file of that name with the same octets is this answer, sent before a crash; one
// with other octets is left alone and the answer gets the next of its names, and is held when all
// are taken.
class SftpEgress final : public Egress {
 public:
  // `steady` must outlive the object. `dial` as in SftpSessions.
  SftpEgress(const ChannelSettings& settings, const Clock& steady, SftpDial dial = {},
             UnderWay under_way = {});

  const std::string& channel() const override { return settings_.name; }
  // The first call removes the hidden files that a crash has left; those of answers that are under
  // way elsewhere stay.
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;

 private:
  // An answer on its way.
  struct Draft {
    const Lease* lease = nullptr;
    std::size_t index = 0;
    std::vector<std::string> names;  // that it may have
    std::size_t next_name = 0;
    std::string hidden;
  };

  Result<void> send_part(SftpDialogue& dialogue, std::span<const Lease> leases, std::size_t begin,
                         Deliveries& deliveries);
  Result<void> find_names(SftpDialogue& dialogue, std::vector<Draft>& drafts,
                          Deliveries& deliveries);
  Result<void> write(SftpDialogue& dialogue, std::vector<Draft>& drafts, Deliveries& deliveries);
  Result<void> publish(SftpDialogue& dialogue, std::vector<Draft>& drafts, Deliveries& deliveries);
  Result<void> explain(SftpDialogue& dialogue, const std::vector<Draft>& failed,
                       const std::vector<SftpStatus>& why, Deliveries& deliveries);
  // What has the name that each draft is to get.
  enum class Presence { absent, same, other };
  Result<std::vector<Presence>> look_for(SftpDialogue& dialogue, const std::vector<Draft>& drafts);
  void note_failure(Error error, const Draft& draft, Deliveries& deliveries);
  void take_names(std::vector<Draft>& drafts, Deliveries& deliveries);
  bool reserve(const std::string& name);
  Error not_writable(SftpDialogue& dialogue, std::string_view doing, const std::string& name,
                     const SftpStatus& status);
  Result<void> tidy(SftpDialogue& dialogue, std::span<const Lease> leases);
  std::string path(const std::string& name) const;

  const ChannelSettings settings_;
  const UnderWay under_way_;
  SftpSessions sessions_;
  bool tidied_ = false;
  Mutex mutex_;
  // Names of this group: two answers for one name must not meet on two connections.
  std::set<std::string> reserved_ GUARDED_BY(mutex_);
  std::optional<Error> trouble_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
