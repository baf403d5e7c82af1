#include "processor/handover.h"

namespace cmpost {

Handover::~Handover() {
  if (!has_begun()) return;
  if (!decided_) decide(false);
  written_.wait();
}

// By the default policy: where no thread can be had it is done by finish(). What it needs is kept
// here, because of a callable that was moved for a thread libstdc++ runs what is left of it.
void Handover::begin(Spool::Exchange exchange) {
  if (exchange.answered.empty() && exchange.replies.empty()) return;
  exchange_ = std::move(exchange);
  written_ = std::async(
      [this] { return spool_.exchange(exchange_, [this] { return may_commit_.get(); }); });
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
  decision_.set_value(commit);
}

}  // namespace cmpost
