#include "processor/admission/revocation_reason.h"

namespace cmpost {

Checked<CRLReason> read_reason(const Extension& extension) {
  der::Reader reader(extension.extnValue);
  const auto value = reader.integer(0x0a);  // ENUMERATED
  const auto reason = value && reader.finish() ? crl_reason(*value) : std::nullopt;
  if (reason) return *reason;
  return reject(PKIFailureInfo::badDataFormat, "reasonCode is not one of RFC 5280 5.3.1");
}

Checked<CRLReason> reason_of(const RevDetails& details) {
  const auto* extension =
      details.crlEntryDetails ? find(*details.crlEntryDetails, oid::id_ce_cRLReasons) : nullptr;
  if (extension == nullptr) return CRLReason::unspecified;
  return read_reason(*extension);
}

}  // namespace cmpost
