#include "processor/requester.h"

namespace cmpost {

bool Requester::is_ra() const {
  const auto* holder = certificate();
  return holder != nullptr && holder->role == CertificateHolder::Role::ra;
}

bool Requester::signs() const {
  const auto* holder = certificate();
  return holder != nullptr && holder->proof == CertificateHolder::Proof::signature;
}

namespace {

std::string_view kind_of(const MacParameters& parameters) {
  if (std::holds_alternative<PBMParameter>(parameters)) return "mac:";
  return std::holds_alternative<PBMAC1Parameter>(parameters) ? "pbmac1:" : "key:";
}

std::string_view kind_of(CertificateHolder::Proof proof) {
  switch (proof) {
    case CertificateHolder::Proof::dh:
      return "dh:";
    case CertificateHolder::Proof::kem:
    case CertificateHolder::Proof::none:
      return "kem:";
    default:
      return "cert:";
  }
}

}  // namespace

std::string Requester::credential() const {
  if (const auto* holder = secret()) {
    return std::string(kind_of(holder->parameters)) + holder->secret.reference;
  }
  const auto& holder = *certificate();
  return std::string(kind_of(holder.proof)) + to_hex(holder.certificate.fingerprint());
}

Rejection Requester::refuse_instead_of(std::string_view other) const {
  const auto text = std::string("the transaction was opened with another credential");
  const bool other_signs = other.starts_with("cert:");
  if (other_signs != signs()) return {PKIFailureInfo::wrongIntegrity, text};
  return {signs() ? PKIFailureInfo::notAuthorized : PKIFailureInfo::badMessageCheck, text};
}

std::string Requester::text() const {
  if (const auto* holder = secret()) return "mac:" + printable(holder->secret.reference);
  return (is_ra() ? "ra:" : "cert:") + certificate()->certificate.subject_text();
}

}  // namespace cmpost
