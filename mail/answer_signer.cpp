#include "mail/answer_signer.h"

#include "crypto/envelope/cms.h"

namespace cmpost {

Result<std::shared_ptr<const AnswerSigner>> AnswerSigner::load(const SmimeSettings& settings) {
  if (!settings.sign_answers) return nullptr;
  ASSIGN_OR_RETURN(auto identity, read_smime_identity(settings));
  std::shared_ptr<const AnswerSigner> signer(new AnswerSigner(std::move(identity)));
  // Tried once: what does not work now would hold every answer.
  OutgoingMail trial;
  trial.from = trial.to = {"a", "example"};
  trial.message_id = "<trial@example>";
  trial.file_name = "trial.pki";
  trial.message = {0x30, 0x00};
  if (auto written = signer->write(trial); !written) {
    return failure(std::move(written).error().within(settings.key));
  }
  return signer;
}

Result<Bytes> AnswerSigner::write(const OutgoingMail& mail) const {
  return write_signed_mail(mail, [&](ByteView entity) {
    return cms_sign(entity, CmsForm::detached, identity_.certificate, identity_.key,
                    identity_.helpers, mail.date);
  });
}

}  // namespace cmpost
