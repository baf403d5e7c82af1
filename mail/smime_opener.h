// Opens S/MIME (RFC 8551) around mails.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/x509/crl_files.h"
#include "crypto/x509/trust.h"
#include "mail/smime_files.h"
#include "mime/read_mail.h"

namespace cmpost {

// What was found under the S/MIME layers of a mail, and what those say about it.
struct OpenedMail {
  std::vector<MailPart> messages;
  bool encrypted = false;  // one of the layers was
  // Somebody who may sign for From has signed what is inside. A signature that does not count is no
  // signature: `doubt` says why not.
  bool vouched = false;
  std::string doubt;
};

// Any thread.
class SmimeOpener {
 public:
  // nullptr when the channel has no `smime`. The files are read here and not again, but for `crls`,
  // the revocation lists of the channel. `clock` must outlive the object. An Error (hold) names the
  // file that cannot be used.
  static Result<std::shared_ptr<const SmimeOpener>> load(const SmimeSettings& settings,
                                                         const Clock& clock,
                                                         std::vector<std::string> crls = {});

  // Opens layer by layer, at most kMostLayers; what is said about the mail itself (From, Reply-To,
  // Message-ID) stays that of `mail`, as read_mail() read it from `raw`. A mail without S/MIME is
  // what it is. An Error (hold) when a layer cannot be opened or a signature is broken; with
  // `trusted` broken signatures do not matter. A clear-signed mail that holds nothing for us is not
  // looked at: people write such mails.
  Result<OpenedMail> open(ByteView raw, IncomingMail mail, const MailLimits& limits,
                          const MailPolicy& policy, bool trusted = false) const;

  // Why `require` does not let the mail in; nullopt when it does.
  std::optional<std::string> refusal(const OpenedMail& mail) const;

  static constexpr int kMostLayers = 3;  // RFC 2634 1.1: triple wrapping

 private:
  SmimeOpener(const SmimeSettings& settings, std::optional<SmimeIdentity> identity,
              std::vector<Certificate> anchors, const Clock& clock, std::unique_ptr<CrlFiles> crls);

  Result<Bytes> open_layer(WrappedContent content, IncomingMail::Wrapped wrapped, bool trusted,
                           const std::optional<Mailbox>& from, OpenedMail& opened) const;
  Result<Bytes> verified(WrappedContent content, const std::optional<Mailbox>& from,
                         OpenedMail& opened) const;
  // Why the signature does not count for `from`; empty when it does.
  Result<std::string> doubt_about(const Certificate& signer,
                                  const std::vector<Certificate>& helpers,
                                  const std::optional<Mailbox>& from) const;

  const SmimeSettings::Require require_;
  const std::optional<SmimeIdentity> identity_;
  const TrustStore trust_;
  const Clock& clock_;
  const std::unique_ptr<CrlFiles> crls_;
};

}  // namespace cmpost
