// What becomes of one job, and what whoever decides that works with.
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

}  // namespace cmpost
