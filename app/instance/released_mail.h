// Mails that an operator lets out of quarantine.
#pragma once

#include "base/clock.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"

namespace cmpost {

// Whether a held request is a whole mail, which the processor could not read.
bool is_whole_mail(const ChannelSettings* channel, const Bytes& payload);

// Takes the requests out of the mail in job `id`, whoever sent it, puts them into the queue and
// ends the job. An Error says what is still wrong with the mail. Repeating it changes nothing.
Result<void> release_mail(JobQueue& requests, const JobId& id, const ChannelSettings& channel,
                          const Clock& clock);

}  // namespace cmpost
