// How a job looks as a row.
#pragma once

#include "queue/job.h"
#include "store/rows.h"

namespace cmpost {

// The columns of an envelope, in the order of the two functions below.
#define CMPOST_ENVELOPE_COLUMNS                                              \
  "channel, source, reply_channel, reply_address, reply_name, in_reply_to, " \
  "reply_references, body, tid"

// As parameters; the envelope is borrowed.
inline auto columns_of(const Envelope& envelope) {
  const auto& reply = envelope.reply;
  return std::tie(envelope.channel, envelope.source, reply.channel, reply.address, reply.name,
                  reply.in_reply_to, reply.references, envelope.body, envelope.tid);
}
Envelope next_envelope(Row& row);
JobId next_id(Row& row);

}  // namespace cmpost
