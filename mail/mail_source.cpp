#include "mail/mail_source.h"

namespace cmpost {

Result<void> MailSource::fetch_all(std::span<const MailHandle> mails, std::size_t max,
                                   const OnMail& on_mail, const std::stop_token& stop) {
  for (const auto& mail : mails) {
    if (stop.stop_requested()) return {};
    ASSIGN_OR_RETURN(auto octets, fetch(mail, max, stop));
    if (octets) on_mail(mail, *std::move(octets));
  }
  return {};
}

}  // namespace cmpost
