// Announcements in the ledger database: those that came, and which of ours are out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "queue/job.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

// One that came in and is believed.
struct ReceivedAnnouncement {
  std::int64_t id = 0;  // of the row; 0 before it is stored
  Sha256 digest{};      // of the whole DER
  Time at{};
  std::string channel, body;
  std::string sender;  // subject of the signer's certificate
  Bytes der;
};

extern const std::vector<Migration> kAnnouncementMigrations;

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class AnnouncementTable {
 public:
  explicit AnnouncementTable(Connection& connection) : connection_(connection) {}

  // The same octets again change nothing.
  Result<void> add(const ReceivedAnnouncement& announcement);
  // One by one; how many match, whatever limit and offset say.
  Result<std::int64_t> for_each(
      const ListFilter& filter,
      const std::function<Result<void>(const ReceivedAnnouncement&)>& each);
  Result<std::optional<ReceivedAnnouncement>> find(std::int64_t id);

  // Whether an announcement of ours has been put into the queue; for ever, longer than the queue
  // remembers it.
  Result<bool> is_out(const JobId& job);
  Result<void> mark_out(const JobId& job, Time at);

  // Up to where the audit log has been read for revocations to announce.
  Result<std::optional<std::int64_t>> audit_position();
  Result<void> set_audit_position(std::int64_t id);

 private:
  Connection& connection_;
};

}  // namespace cmpost
