// Signs the mails that carry answers.
#pragma once

#include <memory>

#include "mail/smime_files.h"
#include "mime/write_mail.h"

namespace cmpost {

// Any thread.
class AnswerSigner {
 public:
  // nullptr when `settings` have no sign_answers. Only an RSA key will do (Error, hold): an answer
  // is signed anew at each try, and must be the same octets each time.
  static Result<std::shared_ptr<const AnswerSigner>> load(const SmimeSettings& settings);

  // write_signed_mail(), with the mail's date as signingTime.
  Result<Bytes> write(const OutgoingMail& mail) const;

 private:
  explicit AnswerSigner(SmimeIdentity identity) : identity_(std::move(identity)) {}

  const SmimeIdentity identity_;
};

}  // namespace cmpost
