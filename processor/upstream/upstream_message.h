// What an RA has asked the CA above for a requester, and what became of it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/keys/algorithm.h"
#include "queue/job.h"

namespace cmpost {

// How a message goes up; fixed for a transaction by its first one (RFC 9483 3.2: the same kind of
// protection throughout). Spelled in the database and in listings as here.
enum class UpstreamMode {
  forward,    // as it came (5.2.1)
  reprotect,  // under our protection instead of the requester's (5.2.3)
  nest,       // under ours around it (5.2.2.1)
  pkcs10      // as an order to a CA that speaks no CMP: of p10cr the PKCS#10 alone
};
std::string_view to_string(UpstreamMode mode);
std::optional<UpstreamMode> upstream_mode(std::string_view text);
// Our protection stands between the requester and the CA: answers are made here, also to polls.
constexpr bool answers_are_ours(UpstreamMode mode) {
  return mode == UpstreamMode::reprotect || mode == UpstreamMode::pkcs10;
}

// Spelled in the database and in listings as here.
enum class UpstreamState {
  collected,   // waits for others to leave with it in one batch
  made,        // stored, its job may be in the queue
  left,        // gone by its channel
  waits,       // the CA has answered `waiting`, and we ask again
  answered,    // by an answer that counts
  unanswered,  // nobody has in time, and the requester has heard so
  given_up     // nobody waits for an answer any more: another one says it all, or the requester
               // has ended the transaction
};
std::string_view to_string(UpstreamState state);
std::optional<UpstreamState> upstream_state(std::string_view text);
// An answer would count.
bool is_open(UpstreamState state);

struct UpstreamMessage {
  std::int64_t id = 0;           // of the row; 0 before it is stored
  std::int64_t transaction = 0;  // row id; 0: of the transaction that the same effects open
  std::int64_t renewal = 0;      // row of the OwnRenewal that it belongs to instead, or 0
  std::int64_t seq = 1;          // 1 opens it, 2.. follow
  std::string channel;
  UpstreamMode mode = UpstreamMode::reprotect;
  std::string body;  // "ir", "certConf", ...
  Bytes octets;      // that leave; built once, so that what is sent again is the same
  Bytes transactionID;
  Bytes senderNonce;  // recipNonce of the answer
  Bytes signer;       // Identity::key_identifier of who has signed it; empty: not we
  // The requester's message that it stands for; nullopt: we ask by ourselves (pollReq).
  std::optional<Sha256> question;
  std::int64_t batch = 0;  // row of the UpstreamBatch that it left in, or 0
  std::string address;     // on its channel, where that has any
  Route reply;             // where the answer to the question goes; `source` as in Envelope
  std::string source;
  UpstreamState state = UpstreamState::made;
  Time made{};
  std::optional<Time> left;
  std::optional<Time> answer_by;  // from `left`
  std::optional<Time> ask_again;  // waits: when we poll
  std::string answer_body;
  std::optional<Sha256> answer;  // digest of its octets
  Bytes answer_nonce;            // its senderNonce
  std::string answer_signer;     // for people: who has protected it
  bool implicit = false;         // it has granted implicitConfirm
  std::optional<Time> answered;
  // To be stored: SHA-256 of the SubjectPublicKeyInfos that it asks a certificate for; of these
  // `fresh_keys` must be in no other open message.
  std::vector<Sha256> keys, fresh_keys;
  std::optional<Sha256> key;  // of an order: SHA-256 of the SubjectPublicKeyInfo that is certified
  std::string profile;
  Bytes chain;  // ... answered: DER of the CA certificates above its own

  JobId job() const;
};

// The same octets once more, as a message of its own.
UpstreamMessage again(UpstreamMessage message, std::int64_t seq, Time now);

// The job that takes it to its channel, always the same one.
Job departure_of(const UpstreamMessage& message);

// The job that makes the processor look at a message above: its answer is due, or we ask again.
inline constexpr std::string_view kUnanswered = "unanswered", kAskAgain = "ask again",
                                  kNotSent = "not sent";  // a person has dropped it
Job upstream_job(const UpstreamMessage& message, std::string_view why);
bool is_upstream_job(const Job& job);
std::optional<std::int64_t> upstream_row(const Job& job);

}  // namespace cmpost
