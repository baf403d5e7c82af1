// The middle stage: durable requests in, durable replies out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/result.h"
#include "ca/ledger/ledger.h"
#include "processor/dialogue/respond.h"
#include "queue/spool.h"

namespace cmpost {

struct ProcessorTotals {
  std::size_t answered = 0;  // with whatever answer
  std::size_t refused = 0;   // of these, with a rejection
  std::size_t silent = 0;    // nothing was to be answered
  std::size_t held = 0;
  std::size_t deferred = 0;
  std::size_t contested = 0;  // times that one was planned again because another came before it
  void add(const ProcessorTotals& more);
};

struct ProcessorSettings {
  std::size_t workers = 0;  // 0: one per core
  std::size_t group = 500;  // requests that share one commit
  // How it went to take requests from the queue, and to commit: nullopt, or what is waited out.
  // Each is called from one thread.
  std::function<void(const std::optional<Error>&)> on_take{}, on_commit{};
  // What a group came to, when it is committed; from one thread, and waits for nothing.
  std::function<void(const ProcessorTotals&)> on_committed{};
  // Asked when a group is worked on and the one before it is committed, from one thread. Once it
  // has said no nothing more is committed: what is leased is given back, and drain() returns. It
  // may take its time.
  std::function<bool()> may_commit{};
};

// Takes groups of requests, works on each group on all cores while the group before it is being
// committed, and makes it durable in two steps: one ledger commit (certificates, transactions with
// the reply bytes, audit), then one spool commit (replies put, requests finished). Dying before the
// first leaves nothing; dying between them, the stored replies are put again. Several processes may
// work on the same spool.
class Processor {
 public:
  // All arguments outlive the processor. `after_revocation` is called from the committing thread
  // after each ledger commit that changed what a CRL says, before the answers leave.
  static Result<std::unique_ptr<Processor>> create(Spool& spool, Ledger& ledger,
                                                   ProcessorServices services,
                                                   ProcessorSettings settings,
                                                   std::function<void()> after_revocation);
  ~Processor();

  // Works until no request is due, or until stopped. An Error when the databases cannot be written
  // (after some tries): what was not committed is still in the queue.
  Result<ProcessorTotals> drain(std::stop_token stop);
  // Works until stopped; trouble with the databases is logged and waited out.
  void run(std::stop_token stop);

 private:
  class Pipeline;
  explicit Processor(std::unique_ptr<Pipeline> pipeline);
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace cmpost
