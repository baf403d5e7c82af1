#include "processor/handover.h"

namespace cmpost {

Handover::~Handover() {
  if (!has_begun()) return;
  if (!decided_) decide(false);
  written_.wait();
}

// By the default policy: where no thread can be had it is done by finish().
void Handover::begin(Spool::Exchange exchange) {
  if (exchange.answered.empty()) return;
  written_ = std::async(
      [this, exchange = std::move(exchange), may_commit = may_commit_.get_future()]() mutable {
        return spool_.exchange(exchange, [&] { return may_commit.get(); });
      });
}

void Handover::commit() {
  if (has_begun()) decide(true);
}

Result<void> Handover::finish() {
  if (!has_begun()) return {};
  return written_.get();
}

void Handover::decide(bool commit) {
  decided_ = true;
  may_commit_.set_value(commit);
}

}  // namespace cmpost
