#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "crypto/envelope/cms.h"
#include "crypto/envelope/cms_structure.h"
#include "crypto/x509/path_validation.h"

namespace cmpost {
namespace {

constexpr std::array kSafeDigests = {NID_sha224, NID_sha256, NID_sha384, NID_sha512};

Result<CMS_SignerInfo*> only_signer(CMS_ContentInfo* cms) {
  if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
    return hold("the content says that it is signed, and is not");
  }
  if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
    return hold("what is signed is no MIME content");
  }
  STACK_OF(CMS_SignerInfo)* const signers = CMS_get0_SignerInfos(cms);
  if (sk_CMS_SignerInfo_num(signers) != 1) {
    return hold("the content has " + std::to_string(std::max(sk_CMS_SignerInfo_num(signers), 0)) +
                    " signers where one is taken",
                "let the sender sign with one certificate");
  }
  return sk_CMS_SignerInfo_value(signers, 0);
}

Result<void> check_digest(CMS_SignerInfo* signer) {
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest, nullptr);
  const ASN1_OBJECT* type = nullptr;
  if (digest != nullptr) X509_ALGOR_get0(&type, nullptr, nullptr, digest);
  const int nid = type == nullptr ? NID_undef : OBJ_obj2nid(type);
  if (std::find(kSafeDigests.begin(), kSafeDigests.end(), nid) != kSafeDigests.end()) return {};
  const char* name = OBJ_nid2sn(nid);
  return hold(
      "the signature uses " + std::string(name == nullptr ? "?" : name) + " where SHA-2 is taken",
      "let the sender sign with SHA-256");
}

struct Carried {
  std::vector<Certificate> all;
  std::optional<Certificate> signer;
};

// Helpers that are malformed are left out; the signer's own may not be.
Result<Carried> carried_certificates(CMS_ContentInfo* cms, CMS_SignerInfo* signer) {
  const X509StackPtr stack(CMS_get1_certs(cms));
  const int count = stack ? sk_X509_num(stack.get()) : 0;
  if (count > kMaxCmsCertificates) {
    return hold("the signature carries more than " + std::to_string(kMaxCmsCertificates) +
                " certificates");
  }
  Carried carried;
  for (int i = 0; i < count; ++i) {
    X509* const x509 = sk_X509_value(stack.get(), i);
    auto certificate = certificate_of(x509);
    const bool signers = !carried.signer && CMS_SignerInfo_cert_cmp(signer, x509) == 0;
    if (!certificate && signers) return failure(std::move(certificate).error());
    if (!certificate) continue;
    if (signers) {
      CMS_SignerInfo_set1_signer_cert(signer, x509);
      carried.signer = *certificate;
    }
    carried.all.push_back(*std::move(certificate));
  }
  return carried;
}

Result<Bytes> verified_content(CMS_ContentInfo* cms, std::optional<ByteView> detached) {
  BioPtr given;
  if (detached) {
    ASSIGN_OR_RETURN(given, bio_of(*detached));
  }
  const BioPtr content(BIO_new(BIO_s_mem()));
  if (!content) return openssl_failure("cannot verify a signature");
  constexpr unsigned kFlags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
  if (CMS_verify(cms, nullptr, nullptr, given.get(), content.get(), kFlags) != 1) {
    auto error = openssl_error("the signature does not fit the content");
    error.hint = "the mail was changed on its way, by a gateway for instance, or forged";
    return failure(std::move(error));
  }
  ERR_clear_error();
  return contents_of(content.get());
}

}  // namespace

Result<CmsSigned> cms_verify(ByteView octets, std::optional<ByteView> detached) {
  ASSIGN_OR_RETURN(const auto cms, read_cms(octets));
  ASSIGN_OR_RETURN(auto* const signer, only_signer(cms.get()));
  TRY(check_digest(signer));
  // RFC 5652 5.2: either the structure has its content or somebody else has it. With both it would
  // depend on the reader which one counts.
  const bool has_content = CMS_is_detached(cms.get()) == 0;
  if (has_content == detached.has_value()) {
    return hold(has_content ? "a signature beside a content has another one inside"
                            : "the content that was signed is missing");
  }
  ASSIGN_OR_RETURN(auto carried, carried_certificates(cms.get(), signer));
  if (!carried.signer) {
    return hold("the signature does not carry the signer's certificate",
                "let the sender's mail program include it");
  }
  TRY(carried.signer->public_key());  // only keys that we know, no curves of the sender's own
  ASSIGN_OR_RETURN(auto content, verified_content(cms.get(), detached));
  return CmsSigned{std::move(content), *std::move(carried.signer), std::move(carried.all)};
}

Result<Bytes> cms_unverified_content(ByteView octets) {
  ASSIGN_OR_RETURN(const auto cms, read_cms(octets));
  ASN1_OCTET_STRING** const content = OBJ_obj2nid(CMS_get0_type(cms.get())) == NID_pkcs7_signed
                                          ? CMS_get0_content(cms.get())
                                          : nullptr;
  if (content == nullptr || *content == nullptr)
    return hold("the content that was signed is missing");
  const auto* const data = ASN1_STRING_get0_data(*content);
  return Bytes(data, data + ASN1_STRING_length(*content));
}

}  // namespace cmpost
