// Answers that came back as undeliverable.
#pragma once

#include "app/instance/instance.h"
#include "mime/read_mail.h"
#include "queue/job_queue.h"

namespace cmpost {

// The key that bounce addresses are made with: secrets/mail.key beside the settings, made when it
// is first needed. Whoever runs the stages ingress and egress must be able to read it.
Result<Bytes> bounce_key(Instance& instance);

// Finds the answer that a report is about, by the address that it came to, and holds it again with
// the report's words when it was not delivered. A report about nothing of ours is logged.
Result<void> note_bounce(JobQueue& replies, const std::string& channel, ByteView key,
                         const DeliveryReport& report, const Bytes& mail);

}  // namespace cmpost
