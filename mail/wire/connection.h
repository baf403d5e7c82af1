// A logged-in connection to a mail server, for IMAP, POP3 and SMTP alike.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "config/transport/mail_settings.h"
#include "mail/wire/octet_stream.h"
#include "net/patience.h"

namespace cmpost {

class CurlSession;

// One thread. libcurl connects, does TLS or STARTTLS and logs in; every line after that is ours.
//
// begin() starts a dialogue: all waiting until the next begin() together ends with its time limit,
// and at once when its stop is requested. open() has begun one already, so that what follows the
// login at once shares its time.
class MailConnection final : public OctetStream {
 public:
  // Connects to imap(s), pop3(s) or smtp(s), and logs in unless login.user is empty. For SMTP the
  // EHLO is done, too; it names url.path when that is not empty and this host otherwise.
  //
  // Every Error of open() is trouble of the channel, never of a mail: Recovery::hold when somebody
  // must mend something (certificate, pin, login, no STARTTLS), else Recovery::retry. It names the
  // server, quotes its last words and no secret.
  //
  // Ignores SIGPIPE in the whole process: OpenSSL writes to sockets that may be closed.
  static Result<std::unique_ptr<MailConnection>> open(const MailUrl& url,
                                                      const LoginSettings& login,
                                                      const TlsSettings& tls, Duration time_limit,
                                                      const std::stop_token& stop = {});
  // The same to the server that `fetch` names.
  static Result<std::unique_ptr<MailConnection>> to_mailbox(const MailSettings& settings,
                                                            const std::stop_token& stop);
  ~MailConnection() override;

  void begin(Duration time_limit, const std::stop_token& stop = {});

  // OctetStream; an Error is Recovery::retry: lost, too late, stopped, or a line too long.
  Result<void> send(std::string_view octets) override;
  Result<std::string> read_line(std::size_t max) override;
  Result<Bytes> read_exactly(std::size_t count) override;

  // Whether something is there to be read without waiting: octets, or the end of the connection.
  // Between dialogues that is a server's farewell: connect anew.
  bool pending();
  // Waits until pending(), at most for `time_out` and never beyond the dialogue's end: false then,
  // and when a stop is requested.
  bool wait(Duration time_out);

 private:
  explicit MailConnection(std::string name, std::unique_ptr<CurlSession> session);

  // What has come, into buffer_: false when nothing is there just now.
  Result<bool> receive();
  Result<void> await(short events);
  Result<void> lost(const std::string& how);

  const std::string name_;  // "imaps://mail.example:993", for errors
  std::unique_ptr<CurlSession> session_;
  std::unique_ptr<Patience> patience_;
  std::string buffer_;
  std::size_t taken_ = 0;  // of buffer_, by the reader
  std::optional<Error> broken_;
};

}  // namespace cmpost
