#include "mail/open_mail_source.h"

#include "mail/imap_source.h"
#include "mail/maildir_source.h"
#include "mail/pop3_source.h"

namespace cmpost {

Result<std::unique_ptr<MailSource>> open_mail_source(const MailSettings& settings,
                                                     const std::string& taken_file,
                                                     const Clock* clock) {
  static const SystemClock kSystem;
  const auto& wall = clock != nullptr ? *clock : kSystem;
  const auto& scheme = settings.fetch.scheme;
  if (scheme == "imap" || scheme == "imaps") return std::make_unique<ImapSource>(settings);
  if (scheme == "pop3" || scheme == "pop3s") {
    ASSIGN_OR_RETURN(auto taken, TakenMails::open(taken_file));
    return std::make_unique<Pop3Source>(settings, wall, std::move(taken));
  }
  if (scheme == "maildir") return std::make_unique<MaildirSource>(settings, wall);
  return hold("mails cannot be fetched by " + printable(scheme),
              "use imaps, imap, pop3s, pop3 or maildir");
}

}  // namespace cmpost
