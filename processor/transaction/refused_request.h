// What was refused, or left without an answer, before it became a transaction or part of one: for
// people who ask what has become of it. Bounded, whatever strangers send.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "store/rows.h"

namespace cmpost {

// How far a message has come: each has passed what stands before it.
enum class Milestone {
  channel,      // it is configured
  encoding,     // strict DER, and a body that is asked here
  header,       // RFC 9810 5.1.1: version, times, nonces, transactionID
  sender,       // the protection holds, and who made it is known here
  credential,   // it may open a transaction: not used up, not expired
  transaction,  // a follow-up fits the transaction that it names
  body          // everything else
};
std::string_view to_string(Milestone stage);

struct RefusedRequest {
  std::int64_t id = 0;  // of the row; the newest is the largest
  Time at{};
  std::string channel{};
  Bytes job{};           // JobId
  std::string source{};  // how it came: file name, Message-ID and part
  Bytes transactionID{};
  std::string body{};
  std::string requester{};
  bool known = false;  // the requester has proven who it is; else it is what the message claims
  std::string subject{}, serial{};  // as the message asks for them
  Milestone stage = Milestone::channel;
  std::string failInfo{};  // "badMessageCheck", empty where no answer names one
  std::string reason{};
  std::string note{};        // for operators alone
  std::string reply_body{};  // empty: not answered
  Sha256 digest{};           // of the message
};

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class RefusalTable {
 public:
  // Of a channel, of those who are known and of strangers each: the newest. At some 700 octets each
  // a channel takes 14 MB at most.
  static constexpr std::int64_t kMostKept = 10'000;

  explicit RefusalTable(Connection& connection) : connection_(connection) {}

  // And forgets the oldest of its kind beyond kMostKept.
  Result<void> add(const RefusedRequest& refused);
  Result<std::optional<RefusedRequest>> find(std::int64_t id);
  Result<std::optional<Time>> oldest();
  // Forgets what was refused before that; how many.
  Result<std::int64_t> forget(Time before);

 private:
  Result<void> make_room(const RefusedRequest& refused, std::int64_t last);

  Connection& connection_;
};

// The columns in the order that read_refused() takes them.
inline constexpr std::string_view kRefusedColumns =
    "id, at, channel, job, source, tid, body, requester, known, subject, serial, stage, fail_info, "
    "reason, note, reply_body, digest";
RefusedRequest read_refused(Row& row);

}  // namespace cmpost
