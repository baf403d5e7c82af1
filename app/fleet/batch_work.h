// What is done with the items of a batch.
#pragma once

#include <string>

#include "app/instance/instance.h"
#include "processor/batches/batch_standing.h"

namespace cmpost {

// Where the answers go: a directory, absolute; empty: the channel's way out.
struct AnswersTo {
  std::string directory;
};

// So long ledger and queue know what has come of a request; zero: for ever.
Duration remembered(const Settings& settings);

// Puts what is taken and was not put, or was lost with the queue, into the queue of requests; how
// many. Killed at any moment, it
// goes on when it is called again, and nothing is put twice.
Result<std::size_t> put_batch(Instance& instance, const BatchRow& batch, const AnswersTo& to);

// Notes what is final now, so that it stays when the ledger forgets messages.
Result<void> note_batch(Instance& instance, const BatchRow& batch);

}  // namespace cmpost
