// Requests for answers, in the spool, at the same time as what the answers say in the ledger.
#pragma once

#include <future>

#include "queue/spool.h"

namespace cmpost {

// Of a large batch the exchange in the spool takes about as long as the commit of the ledger, which
// has to come first. So it is written beside it, and committed after it. One thread.
class Handover {
 public:
  explicit Handover(Spool& spool) : spool_(spool) {}
  // Gives up what was begun and not finished.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // Writes the exchange, if there is something to exchange, and commits nothing. From here to
  // commit() nobody else can write to the spool, so this thread must wait for no one who may want
  // to. What `exchange` borrows lives until finish().
  void begin(Spool::Exchange exchange);
  bool has_begun() const { return written_.valid(); }
  // After begin(), when the ledger has it. Does not wait.
  void commit();
  // After commit(): durable on OK.
  Result<void> finish();

 private:
  void decide(bool commit);

  Spool& spool_;
  Spool::Exchange exchange_;
  bool decided_ = false;
  std::promise<bool> decision_;
  std::future<bool> may_commit_ = decision_.get_future();
  std::future<Result<void>> written_;
};

}  // namespace cmpost
