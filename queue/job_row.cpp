#include "queue/job_row.h"

#include <algorithm>

namespace cmpost {

void bind_envelope(Statement& statement, int first, const Envelope& envelope) {
  const auto& reply = envelope.reply;
  for (const auto* text :
       {&envelope.channel, &envelope.source, &reply.channel, &reply.address, &reply.name,
        &reply.in_reply_to, &reply.references, &envelope.body, &envelope.tid}) {
    statement.bind(first++, *text);
  }
}

Envelope envelope_of(const Statement& row, int first) {
  Envelope envelope;
  auto& reply = envelope.reply;
  for (auto* text :
       {&envelope.channel, &envelope.source, &reply.channel, &reply.address, &reply.name,
        &reply.in_reply_to, &reply.references, &envelope.body, &envelope.tid}) {
    *text = row.text(first++);
  }
  return envelope;
}

JobId id_of(const Statement& row, int column) {
  JobId id;
  const auto octets = row.blob(column);
  CHECK(octets.size() == id.octets.size());
  std::copy(octets.begin(), octets.end(), id.octets.begin());
  return id;
}

}  // namespace cmpost
