// The whole way from the octets of one job to what is answered and what changes.
#pragma once

#include <string>
#include <variant>

#include "crypto/secrets/seal.h"
#include "processor/admission/role.h"
#include "queue/job_queue.h"

namespace cmpost {

// What all requests share. Everything in it may be used from any thread and outlives the workers.
struct ProcessorServices {
  const Identity& identity;
  const Role& role;
  const ChannelPolicies& channels;
  const SealingKey& sealing_key;
  Random& random;
  const Clock& clock;
  // WatchedClock: by `sure` is judged what is due, by `likely` is dated what begins.
  const Clock& sure;
  const Clock& likely;
};

// What becomes of one job.
struct Decision {
  JobId job;
  struct Reply {
    Job job;  // for the queue of replies
  };
  struct Silence {};  // nothing is answered (an announcement, an error that nobody waits for)
  struct Hold {
    std::string reason;
  };
  // It came before the message that it follows, or before what it asks for is done: to be
  // looked at again, not before `due`.
  struct Early {
    Time due{};
    std::string reason;
  };
  std::variant<Reply, Silence, Hold, Early> what;
  Effects effects;
  std::vector<Job> more{};  // for the queue of requests: what it was taken apart into
  std::string outcome;      // for the queue's listing and the log
  std::string tid;          // hex
  MessageResult result = MessageResult::granted;  // `outcome` as a fact
  std::string failInfo;                           // "badPOP"; empty: nothing is refused
};

// Whether a job is for nested.h: a nested message of a requester. What a CA above answers is not.
bool is_batch(const Lease& lease, const ProcessorServices& services);

// Works on one job that is no nested message (see nested.h). Reads the ledger, changes nothing.
// Pure but for time, chance and the ledger: the same job may be worked on again at any time. An
// Error is trouble of ours (retry or hold). `Turn::again`: what is Early although everything before
// it has been worked on waits for its predecessor as long as the channel says, and a poll gets its
// answer.
enum class Turn { first, again };
Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn = Turn::first);

// The same for a nested message, too, by one thread. `ledger` sees what the commit in progress has
// written. Not for batches.
Result<Decision> respond_alone(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services, Turn turn);
// What excludes itself: it is refused, or kept for an operator where nobody waits for an answer.
// Changes nothing but the audit log.
Result<Decision> refuse_for(const Conflict& conflict, const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services);

}  // namespace cmpost
