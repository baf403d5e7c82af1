// Who may write, and where an answer goes. A mail's addresses only route; nothing here
// authenticates a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/transport/mail_settings.h"
#include "mime/read_mail.h"

namespace cmpost {

// Without regard to case, as servers deliver.
bool same_address(const Mailbox& a, const Mailbox& b);

// "a@b", "*@b", "*@*.b": the star stands for any local part, or for any labels before the domain.
// Local parts are compared without regard to case: who may write must not hang on it.
bool matches(std::string_view pattern, const Mailbox& mailbox);
bool matches_any(const std::vector<std::string>& patterns, const Mailbox& mailbox);

// Why the mail may not be taken from this sender; nullopt: it may. Looks at `senders` (a single
// strict From) and at the Authentication-Results of `authserv_id`.
std::optional<std::string> sender_refusal(const IncomingMail& mail, const MailSettings& settings);

// The first address that `reply` allows; nullopt when there is none. Never our own address.
std::optional<Mailbox> reply_address(const IncomingMail& mail, const MailSettings& settings);

// Whether a server that we trust says that From is whose it seems: the topmost
// Authentication-Results of `authserv_id` (RFC 8601) with dmarc=pass, or with spf=pass or dkim=pass
// for From's own domain. Results of other servers may be the sender's own words.
bool is_authenticated(const std::vector<std::string>& results, std::string_view authserv_id,
                      const Mailbox& from);

}  // namespace cmpost
