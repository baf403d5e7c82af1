#include <openssl/cmserr.h>
#include <openssl/err.h>

#include "crypto/envelope/cms.h"
#include "crypto/envelope/cms_structure.h"
#include "crypto/keys/native_key.h"
#include "crypto/x509/path_validation.h"

namespace cmpost {
namespace {

constexpr std::string_view kForOthers =
    "give the site the channel's certificate again: it may have an old one";

Error not_decrypted() {
  const bool for_others = ERR_GET_REASON(ERR_peek_error()) == CMS_R_NO_MATCHING_RECIPIENT;
  if (for_others) {
    ERR_clear_error();
    return {Recovery::hold, "the content is encrypted for other certificates than the channel's",
            std::string(kForOthers)};
  }
  auto error = openssl_error("the content cannot be decrypted");
  error.hint = "it is damaged, or encrypted in a way that this version does not know";
  return error;
}

Result<void> check_enveloped(CMS_ContentInfo* cms) {
  const int type = OBJ_obj2nid(CMS_get0_type(cms));
  if (type != NID_pkcs7_enveloped && type != NID_id_smime_ct_authEnvelopedData) {
    return hold("the content says that it is encrypted, and is not");
  }
  const auto* const recipients = CMS_get0_RecipientInfos(cms);
  if (sk_CMS_RecipientInfo_num(recipients) > kMaxCmsRecipients) {
    return hold("the content is encrypted for more than " + std::to_string(kMaxCmsRecipients) +
                " recipients");
  }
  return {};
}

}  // namespace

Result<Bytes> cms_decrypt(ByteView octets, const Certificate& certificate, const PrivateKey& key) {
  ASSIGN_OR_RETURN(const auto cms, read_cms(octets));
  TRY(check_enveloped(cms.get()));
  const auto recipient = decode_certificate(certificate);
  if (!recipient) return hold("OpenSSL cannot read the certificate of the channel");
  const BioPtr content(BIO_new(BIO_s_mem()));
  if (!content) return openssl_failure("cannot decrypt");
  ERR_clear_error();
  // With the certificate only a RecipientInfo that names it is tried, and when its key does not
  // decrypt OpenSSL goes on with a random one: RFC 3218 2.3.2.
  if (CMS_decrypt(cms.get(), key.native().pkey.get(), recipient->x509.get(), nullptr, content.get(),
                  CMS_BINARY) != 1) {
    return failure(not_decrypted());
  }
  ERR_clear_error();
  return contents_of(content.get());
}

}  // namespace cmpost
