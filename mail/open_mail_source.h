// The MailSource that a channel's `fetch` names.
#pragma once

#include <memory>

#include "base/clock.h"
#include "config/transport/mail_settings.h"
#include "mail/mail_source.h"

namespace cmpost {

// Connects to nothing yet. An unknown scheme is an Error (hold). `taken_file` is where POP3
// remembers mails that stay on the server for a while (TakenMails). `clock` says what time it is
// and must outlive the source; nullptr: the system's.
Result<std::unique_ptr<MailSource>> open_mail_source(const MailSettings& settings,
                                                     const std::string& taken_file = {},
                                                     const Clock* clock = nullptr);

}  // namespace cmpost
