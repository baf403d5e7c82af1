// The Message-ID of a mail that carries an answer: how others tell that they reply to one.
#pragma once

#include <string>
#include <string_view>

#include "queue/job.h"

namespace cmpost {

// "<JOB.INSTANCE@DOMAIN>", JOB with all its 32 digits. `instance` has no '@' and no '>'.
std::string answer_message_id(const JobId& job, std::string_view instance, std::string_view domain);

// Whether it is such a one, of whatever instance at this domain.
bool is_answer_message_id(std::string_view id, std::string_view domain);

}  // namespace cmpost
