// Where mails lie that CMPost looks after: an IMAP or POP3 mailbox, or a Maildir.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// A mail that lies there.
struct MailHandle {
  std::string key;  // for the source alone, valid until the next list()
  std::string
      arrival;  // tells this arrival from every other for ever: "imap:...;UIDVALIDITY=3;UID=7"
  std::size_t size = 0;  // octets, as far as the server tells
};

enum class MailPlace {
  done,        // its requests are durable in the queue
  quarantine,  // something about it is wrong
  foreign      // no PKIMessage in it, left for people: not shown again, otherwise untouched
};

// Used by one thread. Every call ends within the channel's time limit and when a stop is requested.
// An Error of Recovery::retry means the connection is gone or the server in trouble: the next call
// connects anew. Nothing is changed at the source but by file_away().
class MailSource {
 public:
  virtual ~MailSource() = default;

  // Logs in where there is something to log in to. For `cmpost check --connect`.
  virtual Result<void> connect(const std::stop_token& stop) = 0;

  // Mails that have not been filed away, oldest first, at most `max`.
  virtual Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) = 0;

  // The octets; nullopt when the mail is gone. Sizes are what a server says: a mail that turns out
  // to have more than `max` octets is cut after max + 1, so that its reader finds it too large.
  virtual Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                             const std::stop_token& stop) = 0;

  // As fetch() for each of `mails`, in any order and in as few dialogues as the source can; what is
  // gone is left out. No mail is kept in memory once `on_mail` has returned. After an Error some
  // have been given and some have not.
  using OnMail = std::function<void(const MailHandle& mail, Bytes octets)>;
  virtual Result<void> fetch_all(std::span<const MailHandle> mails, std::size_t max,
                                 const OnMail& on_mail, const std::stop_token& stop);

  // Repeating it is harmless; a mail that is gone is no error.
  virtual Result<void> file_away(std::span<const MailHandle> mails, MailPlace place,
                                 const std::stop_token& stop) = 0;

  // How many mails lie there that were filed away as foreign.
  virtual Result<std::size_t> count_foreign(const std::stop_token& stop) = 0;

  // Blocks until a mail may have come, at most for `time_out`, or until a stop is requested.
  virtual Result<void> wait(Duration time_out, const std::stop_token& stop) = 0;
};

}  // namespace cmpost
