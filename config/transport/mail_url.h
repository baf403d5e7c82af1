// `fetch` and `send` of a mail channel.
#pragma once

#include <string>
#include <string_view>

#include "config/text/section.h"
#include "config/transport/mail_settings.h"

namespace cmpost {

enum class MailUse { fetch, send };

struct UserAndUrl {
  MailUrl url;
  std::string user;  // that the URL names: the one of the login that names none
};
// After a complaint the URL is what could be read of it. A password in it is a complaint that does
// not repeat it.
UserAndUrl read_mail_url(Section& table, std::string_view key, MailUse use);

}  // namespace cmpost
