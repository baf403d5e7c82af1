// PKIBody: all 27 choices (RFC 9810 5.1.2 and Appendix F).
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "cmp/crmf.h"
#include "cmp/pki_failure_info.h"
#include "cmp/pki_header.h"

namespace cmpost {

enum class PKIStatus {
  accepted = 0,
  grantedWithMods,
  rejection,
  waiting,
  revocationWarning,
  revocationNotification,
  keyUpdateWarning
};
std::string_view to_string(PKIStatus status);

struct PKIStatusInfo {
  PKIStatus status = PKIStatus::accepted;
  PKIFreeText statusString;               // empty: absent
  std::optional<std::uint64_t> failInfo;  // bit i is PKIFailureInfo i; what came may have several
  bool has(PKIFailureInfo bit) const;
};
PKIStatusInfo status_info(const Rejection& rejection);  // rejection, its text, exactly its bit
// That of one part of an answer with `before` parts in front of it: the first ones say the reason
// in words, the rest by the bit alone, so that an answer is not many times as long as its request.
PKIStatusInfo status_of_many(const Rejection& rejection, std::size_t before);

struct CMPCertificate {
  Bytes der;
};  // x509v3PKCert, exact

// [0] EnvelopedData (RFC 9480: implicit in CRMF) or the older EncryptedValue; whole element as
// received.
struct EncryptedKey {
  enum class Kind { encryptedValue, envelopedData } kind = Kind::envelopedData;
  Bytes der;
};
struct CertOrEncCert {
  std::variant<CMPCertificate, EncryptedKey> choice;
};
struct CertifiedKeyPair {
  CertOrEncCert certOrEncCert;
  std::optional<EncryptedKey> privateKey;
  std::optional<Bytes> publicationInfo;  // whole PKIPublicationInfo element
};
struct CertResponse {
  std::int64_t certReqId = 0;
  PKIStatusInfo status;
  std::optional<CertifiedKeyPair> certifiedKeyPair;
  std::optional<Bytes> rspInfo;
};
struct CertRepMessage {
  std::optional<std::vector<CMPCertificate>> caPubs;
  std::vector<CertResponse> response;
};
struct Challenge {
  std::optional<AlgorithmIdentifier> owf;
  Bytes witness;
  Bytes challenge;
  std::optional<Bytes> encryptedRand;  // whole [0] element
};
struct KeyRecRepContent {
  PKIStatusInfo status;
  std::optional<CMPCertificate> newSigCert;
  std::optional<std::vector<CMPCertificate>> caCerts;
  std::optional<std::vector<CertifiedKeyPair>> keyPairHist;
};
struct RevDetails {
  CertTemplate certDetails;
  std::optional<Extensions> crlEntryDetails;
};
struct RevRepContent {
  std::vector<PKIStatusInfo> status;
  std::optional<std::vector<CertId>> revCerts;
  std::optional<std::vector<Bytes>> crls;  // CertificateList each
};
struct CAKeyUpdAnnContent {
  CMPCertificate oldWithNew, newWithOld, newWithNew;
};
struct RootCaKeyUpdateContent {
  CMPCertificate newWithNew;
  std::optional<CMPCertificate> newWithOld, oldWithNew;
};
struct RevAnnContent {
  PKIStatus status = PKIStatus::revocationWarning;
  CertId certId;
  Time willBeRevokedAt{};
  Time badSinceDate{};
  std::optional<Extensions> crlDetails;
};
struct ErrorMsgContent {
  PKIStatusInfo pKIStatusInfo;
  std::optional<std::int64_t> errorCode;
  PKIFreeText errorDetails;
};
struct CertStatus {
  Bytes certHash;
  std::int64_t certReqId = 0;
  std::optional<PKIStatusInfo> statusInfo;
  std::optional<AlgorithmIdentifier> hashAlg;  // [0], RFC 9480
};
struct PollReq {
  std::int64_t certReqId = 0;
};
struct PollRep {
  std::int64_t certReqId = 0;
  std::int64_t checkAfter = 0;  // seconds
  PKIFreeText reason;
};

// One type per choice, in the order of the tags, so that body.index() is the tag number.
namespace body {
struct ir {
  CertReqMessages requests;
};
struct ip {
  CertRepMessage response;
};
struct cr {
  CertReqMessages requests;
};
struct cp {
  CertRepMessage response;
};
struct p10cr {
  CertificationRequest request;
};
struct popdecc {
  std::vector<Challenge> challenges;
};
struct popdecr {
  std::vector<Bytes> integers;
};  // INTEGER content octets
struct kur {
  CertReqMessages requests;
};
struct kup {
  CertRepMessage response;
};
struct krr {
  CertReqMessages requests;
};
struct krp {
  KeyRecRepContent content;
};
struct rr {
  std::vector<RevDetails> details;
};
struct rp {
  RevRepContent content;
};
struct ccr {
  CertReqMessages requests;
};
struct ccp {
  CertRepMessage response;
};
struct ckuann {
  std::variant<CAKeyUpdAnnContent, RootCaKeyUpdateContent> content;
};
struct cann {
  CMPCertificate certificate;
};
struct rann {
  RevAnnContent content;
};
struct crlann {
  std::vector<Bytes> crls;
};
struct pkiconf {};
struct nested {
  std::vector<Bytes> messages;
};  // exact PKIMessages, not decoded
struct genm {
  GeneralInfo items;
};
struct genp {
  GeneralInfo items;
};
struct error {
  ErrorMsgContent content;
};
struct certConf {
  std::vector<CertStatus> statuses;
};
struct pollReq {
  std::vector<PollReq> requests;
};
struct pollRep {
  std::vector<PollRep> responses;
};
}  // namespace body

using PKIBody = std::variant<body::ir, body::ip, body::cr, body::cp, body::p10cr, body::popdecc,
                             body::popdecr, body::kur, body::kup, body::krr, body::krp, body::rr,
                             body::rp, body::ccr, body::ccp, body::ckuann, body::cann, body::rann,
                             body::crlann, body::pkiconf, body::nested, body::genm, body::genp,
                             body::error, body::certConf, body::pollReq, body::pollRep>;

// "ir", "ip", ... by tag number, which is also PKIBody's index.
std::string_view body_name(std::size_t tag);
inline std::string_view body_name(const PKIBody& body) { return body_name(body.index()); }

// The requests of ir, cr, kur, krr, ccr; nullptr for every other body.
const CertReqMessages* cert_requests(const PKIBody& body);
// The response of ip, cp, kup, ccp; nullptr for every other body.
const CertRepMessage* cert_response(const PKIBody& body);

}  // namespace cmpost
