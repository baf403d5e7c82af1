#include "queue/job_row.h"

#include <algorithm>

namespace cmpost {

Envelope next_envelope(Row& row) {
  Envelope envelope;
  auto& reply = envelope.reply;
  row.into(envelope.channel, envelope.source, reply.channel, reply.address, reply.name,
           reply.in_reply_to, reply.references, envelope.body, envelope.tid);
  return envelope;
}

JobId next_id(Row& row) {
  JobId id;
  const auto octets = row.next<ByteView>();
  CHECK(octets.size() == id.octets.size());
  std::copy(octets.begin(), octets.end(), id.octets.begin());
  return id;
}

}  // namespace cmpost
