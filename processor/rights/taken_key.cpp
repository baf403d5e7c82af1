#include "processor/rights/taken_key.h"

namespace cmpost {

Result<bool> are_all_of(const HolderIdentity& holder,
                        const std::vector<CertificateRecord>& records) {
  for (const auto& record : records) {
    ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
    if (holder_of(record, certificate.subject()) != holder) return false;
  }
  return true;
}

Result<Rejection> key_is_taken(const std::vector<CertificateRecord>& by, const Name& subject,
                               const Requester& requester) {
  ASSIGN_OR_RETURN(const bool same, are_all_of(holder_to_be(requester, subject, {}), by));
  if (same) {
    return Rejection{PKIFailureInfo::duplicateCertReq,
                     "this holder has a certificate for this key already"};
  }
  return Rejection{PKIFailureInfo::badCertTemplate,
                   "this key is certified for somebody else already"};
}

}  // namespace cmpost
