// Certificates that a CA above has issued and that nobody has: their answers came when their
// requesters had been told that there is none, or had another one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/connection.h"

namespace cmpost {

// Spelled in the database and in listings as here.
enum class OrphanState {
  open,     // a person has to say what becomes of it
  wanted,   // it is to be revoked, and nobody has asked the CA yet
  asked,    // the CA has been asked to revoke it (rr)
  revoked,  // and says that it has
  kept      // it stays valid, and somebody wants it so
};
std::string_view to_string(OrphanState state);

struct Orphan {
  std::int64_t id = 0;           // of the row; 0 before it is stored
  std::int64_t transaction = 0;  // row id of that which has asked for it
  Bytes transactionID;           // of the same
  std::string channel;           // that it came by
  Bytes der;
  Bytes serial;
  std::string issuer, subject;
  std::string why;  // nobody has it
  Time since{};
  OrphanState state = OrphanState::open;
  Bytes refusal;     // transactionID of the rr
  std::string note;  // what has come of that, or who wants to keep it
};

struct OrphanChange {
  std::int64_t id = 0;
  std::vector<OrphanState> from;
  OrphanState to = OrphanState::open;
  Bytes refusal{};
  std::string note{};
};

class OrphanTable {
 public:
  explicit OrphanTable(Connection& connection) : connection_(connection) {}

  // One that is known already stays as it is.
  Result<void> add(const Orphan& orphan);
  // False: it is in no state of `from`.
  Result<bool> change(const OrphanChange& change);
  Result<std::optional<Orphan>> find(std::int64_t id);
  Result<std::optional<Orphan>> of_refusal(ByteView transactionID);  // in state `asked`
  Result<std::vector<Orphan>> in_state(OrphanState state);
  Result<std::vector<Orphan>> all();

 private:
  Connection& connection_;
};

}  // namespace cmpost
