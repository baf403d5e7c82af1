// Sends single mails over SMTP.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/transport/mail_settings.h"
#include "mime/read_mail.h"

namespace cmpost {

// What the server made of one mail (channels: docs/mail.md has the table).
struct SmtpOutcome {
  enum class What {
    accepted,   // 250 to the end of the data; `detail` is its line, with the queue id
    temporary,  // 4xx, or the connection broke before the data: try again
    permanent,  // 5xx: will not work until somebody helps
    unknown,    // the connection broke after the data: the server may have it; send the same again
    channel     // TLS, login or connecting failed: nothing to do with this mail
  };
  What what = What::temporary;
  std::string detail;  // for people: the server's code and words, or ours
  // The connection is gone, too: the next mail makes a new one. When that happens to one mail after
  // the other, it is hardly the mails.
  bool disconnected = false;
};

// What EHLO names: settings.hello; else the path of settings.send; else the first that has a dot of
// the name of this `host` and the domain of the channel.
std::string greeting_name(const MailSettings& settings, const std::string& host);

// One connection that is kept between mails and made anew when it has gone, after 100 mails, and
// when nothing was sent for 30 s. One thread.
class SmtpSender {
 public:
  explicit SmtpSender(const MailSettings& settings);
  // `steady` must outlive the object.
  SmtpSender(const MailSettings& settings, const Clock& steady);
  ~SmtpSender();

  // Logs in and says NOOP.
  Result<void> connect();
  // Begins a mail to the channel itself and ends it before its data. For `cmpost check --connect`.
  Result<void> ask_whether_mail_goes();

  // `sender` empty: the null return path. `raw` is a whole mail, strict CRLF (checked). Asks for
  // DSN (NOTIFY=FAILURE,DELAY, RET=HDRS, ENVID) where the server offers it. Ends at once when a
  // stop is requested, as if the connection had broken.
  SmtpOutcome send(const std::string& sender, const Mailbox& recipient,
                   const std::string& envelope_id, ByteView raw, const std::stop_token& stop = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cmpost
