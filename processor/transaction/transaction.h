// A CMP transaction as the ledger keeps it, between its messages and after its end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// Spelled in the database and in listings as here.
enum class TransactionState {
  challenged,  // the request is parked until popdecr proves possession (challenge.h)
  waiting,     // something is not decided yet, or decided and not delivered (waiting.h)
  open,        // certificates are out, certConf is awaited
  closed,      // ended; kept as a tombstone, so that its transactionID is not used again
};
std::string_view to_string(TransactionState state);
std::optional<TransactionState> transaction_state(std::string_view text);

// What a message has come to. Spelled in the database as here.
enum class MessageResult {
  granted,  // or only answered: whatever is no refusal
  changed,  // grantedWithMods (RFC 9810 5.2.3)
  partly,   // of several parts some are refused, and others granted or not decided
  waiting,  // for people, for a CA above, or for proof of possession
  refused,
};
std::string_view to_string(MessageResult result);
std::optional<MessageResult> message_result(std::string_view text);
// All of it, or a part.
inline bool is_refusal(MessageResult result) {
  return result == MessageResult::refused || result == MessageResult::partly;
}

// Spelled in the database as one character behind the certificate.
enum class IssueState {
  ready,      // "+": its requester polls for it
  delivered,  // "": it has been sent at least once
  confirmed,  // "~": what its requester says about it is on its way to the CA above
};

struct TransactionCertificate {
  std::int64_t certReqId = 0;
  Bytes serial;          // INTEGER content octets
  bool settled = false;  // no certConf is awaited for it (any more)
  IssueState delivery = IssueState::delivered;

  // certConf is to be about it.
  bool awaits_confirm() const { return !settled && delivery != IssueState::ready; }
};

// R-307; what only requests have that wait is in waiting.h.
struct Transaction {
  std::int64_t id = 0;  // of the row; 0 before it is stored
  Bytes transactionID;
  std::string channel;
  TransactionState state = TransactionState::closed;
  std::string body;  // of the first message: "ir", "rr", ...
  std::int64_t pvno = 2;
  std::string credential;  // who opened it; nobody else goes on with it
  Bytes our_nonce;         // senderNonce of our last message: the next recipNonce
  std::vector<TransactionCertificate> certificates;
  Bytes old_serial;  // kur: the certificate being renewed, else empty
  // When certConf or popdecr is due. Not known before the answer has left: then `reply` is
  // the id of the job that carries it.
  std::optional<Time> confirm_by;
  Bytes reply;
  Bytes batch;  // transactionID of the nested message that it came in, or empty
  Time opened{};
  // For people, of the message that has opened it: who has proven to be its sender, the first
  // subject that it asks for, how it came.
  std::string requester, subject, source;

  bool awaits_confirm() const;
  bool is_settled() const;  // all of it that is here by now
  // The next message is the requester's, and must not take for ever.
  bool awaits_requester() const;
};

// What an answer to a batch is put together from, so that the answers of its members, which are
// stored with their own transactions, are not stored twice: the next `count` octets of its own, or
// the answers in `count` messages from the row `first` on.
struct ReplyPiece {
  bool own = true;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// One message that was worked on and what was answered: the same octets get the same answer
//
struct StoredMessage {
  Sha256 digest{};  // of the whole DER
  std::string channel;
  std::string body;        // of the message
  std::string reply_body;  // empty: no answer was due
  Bytes request;
  Bytes reply;
  bool sealed = false;  // the request is, see stored_request.h
  std::string outcome;  // "accepted", "rejection badPOP", ...: for people
  MessageResult result = MessageResult::granted;
  std::string failInfo;  // "badPOP"; empty: nothing is refused
  std::string source;    // how it came, for people
  Time at{};             // when it was worked on
  Bytes job;             // that it came as; empty: not known
  // To be stored: not empty where `reply` has only what is of its own in the answer. What was read
  // is whole.
  std::vector<ReplyPiece> pieces{};
};

}  // namespace cmpost
