// What an answer was planned on and another request has changed since.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cmp/pki_failure_info.h"

namespace cmpost {

struct Conflict {
  enum class What {
    transactionID,   // it is taken
    transaction,     // it has gone on, or has ended
    renewal,         // another one of the certificate is open
    waiting,         // what waits was decided, asked for or answered
    secret,          // it has no use left, or is gone
    reg_token,       // the same
    kem_ciphertext,  // it was used before, or the transaction has another one
    certificate,     // it is not in the expected state
    revocation,      // it is revoked, or on hold, already
    release,         // it is not on hold
    key,             // it has got a certificate, where the profile wants one that has none
    envelope,        // another credential has sent it
    device,          // it has all the certificates that its row allows
    rule,            // it approves no more today, or what it has seen of a device has changed
    upstream,        // the CA above has answered meanwhile, or was asked already
  } what = What::transaction;
  std::string row;  // which one: transactionID, serial number or digest in hex, or a reference
};
std::string_view to_string(Conflict::What what);
// "certificate 0a1b", for people.
std::string to_string(const Conflict& conflict);
// What a requester hears who cannot be served because of it.
Rejection rejection_for(const Conflict& conflict);

// A job whose plan has conflicted, and how it is planned next so that this ends. Kept in memory
// alone: a process that starts anew begins from the first plan, and comes to the same end.
struct Contest {
  // Whoever loses has met news, and is planned again on them. Who loses that often in a row is
  // planned inside the commit, where there are no news.
  static constexpr int kPlansBefore = 2;
  // Of a batch: from then on all of its members are.
  static constexpr int kPlansOfABatch = 4;
  // Never reached, as inside the commit nobody loses.
  static constexpr int kMostPlans = 20;

  int times = 0;               // that it has lost
  std::set<std::size_t> lost;  // members of a batch that have
  int whole = 0;               // how often a batch has itself, apart from its members
  std::optional<Conflict> last;

  bool is_decided_alone() const { return times >= kPlansBefore && lost.empty() && whole == 0; }
  bool member_is_decided_late(std::size_t member) const {
    return times >= kPlansOfABatch || lost.contains(member);
  }
  bool refuses_the_whole() const { return whole >= kPlansBefore; }
};

}  // namespace cmpost
