// The mail that carries an answer, or a question to the CA above.
#pragma once

#include <string>

#include "base/result.h"
#include "config/transport/mail_settings.h"
#include "mime/write_mail.h"
#include "queue/job_queue.h"

namespace cmpost {

// Everything in it follows from the settings and the lease without its attempts: each try gives the
// same mail, so that a reader who gets it twice sees that it is one (Message-ID, octets). An Error
// (hold) when the answer has no address that mail can be sent to.
Result<OutgoingMail> answer_mail(const MailSettings& settings, const std::string& instance,
                                 const Lease& lease);

// A question on a channel to a CA above: a program has begun it (RFC 3834), answers go to `from`.
Result<OutgoingMail> question_mail(const MailSettings& settings, const std::string& instance,
                                   const Lease& lease);

// "<0123...ef.grid@example.com>" with all 32 digits of the job's id.
std::string answer_message_id(const MailSettings& settings, const std::string& instance,
                              const JobId& job);

}  // namespace cmpost
