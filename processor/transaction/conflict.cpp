#include "processor/transaction/conflict.h"

namespace cmpost {

std::string_view to_string(Conflict::What what) {
  switch (what) {
    case Conflict::What::transactionID:
      return "transactionID";
    case Conflict::What::transaction:
      return "transaction";
    case Conflict::What::renewal:
      return "renewal";
    case Conflict::What::waiting:
      return "waiting";
    case Conflict::What::secret:
      return "secret";
    case Conflict::What::reg_token:
      return "regToken";
    case Conflict::What::kem_ciphertext:
      return "KemCiphertextInfo";
    case Conflict::What::certificate:
      return "certificate";
    case Conflict::What::revocation:
      return "revocation";
    case Conflict::What::release:
      return "release";
    case Conflict::What::key:
      return "key";
    case Conflict::What::envelope:
      return "envelope";
    case Conflict::What::device:
      return "device";
    case Conflict::What::rule:
      return "rule";
    case Conflict::What::upstream:
      return "message to the CA above";
  }
  return "";
}

std::string to_string(const Conflict& conflict) {
  return std::string(to_string(conflict.what)) + " " + conflict.row;
}

// The same bits and words as of who finds it before the commit.
Rejection rejection_for(const Conflict& conflict) {
  switch (conflict.what) {
    case Conflict::What::transactionID:
      return {PKIFailureInfo::transactionIdInUse, "the transactionID has been used before"};
    case Conflict::What::transaction:
    case Conflict::What::waiting:
    case Conflict::What::upstream:
      return {PKIFailureInfo::badRequest, "the transaction has gone on, or has ended, meanwhile"};
    case Conflict::What::renewal:
      return {PKIFailureInfo::badRequest,
              "another renewal of the certificate waits for its confirmation"};
    case Conflict::What::secret:
      return {PKIFailureInfo::notAuthorized, "the secret is used up"};
    case Conflict::What::device:
      return {PKIFailureInfo::notAuthorized,
              "the device has got all the certificates that its row allows"};
    case Conflict::What::rule:
      return {PKIFailureInfo::notAuthorized, "the rules that hold here approve no more of it"};
    case Conflict::What::reg_token:
      return {PKIFailureInfo::notAuthorized, "regToken has been used before"};
    case Conflict::What::kem_ciphertext:
      return {PKIFailureInfo::badMessageCheck, "the KEM ciphertext has been used before"};
    case Conflict::What::certificate:
    case Conflict::What::revocation:
      return {PKIFailureInfo::certRevoked, "the certificate is revoked already"};
    case Conflict::What::release:
      return {PKIFailureInfo::badCertId, "the certificate is not on hold"};
    case Conflict::What::key:
      return {PKIFailureInfo::duplicateCertReq, "there is a certificate for this key already"};
    case Conflict::What::envelope:
      return {PKIFailureInfo::badRequest, "what is encrypted to this CA cannot be used"};
  }
  return {PKIFailureInfo::systemFailure, "the request excludes itself"};
}

}  // namespace cmpost
