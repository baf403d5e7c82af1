// How a job looks as a row.
#pragma once

#include "queue/job.h"
#include "store/connection.h"

namespace cmpost {

// The columns of an envelope, in the order of the two functions below.
#define CMPOST_ENVELOPE_COLUMNS                                              \
  "channel, source, reply_channel, reply_address, reply_name, in_reply_to, " \
  "reply_references, body, tid"

// Binds the columns from parameter `first` on; the envelope is borrowed.
void bind_envelope(Statement& statement, int first, const Envelope& envelope);
Envelope envelope_of(const Statement& row, int first);

JobId id_of(const Statement& row, int column);
inline Time time_of(const Statement& row, int column) {
  return from_unix_micros(row.integer(column));
}

}  // namespace cmpost
