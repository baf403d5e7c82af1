#include "processor/rights/requester.h"

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
      return "kem:";
    default:
      return "cert:";
  }
}

// The reference as a common name, and nothing else: how a MAC's sender is spelled (RFC 9483 3.1).
bool is_reference(const Name& name, const std::string& reference) {
  const auto attributes = name.attributes();
  return attributes.size() == 1 && attributes[0].type == oid::id_at_commonName &&
         attributes[0].value == reference;
}

bool is_alt_name(const GeneralName& name, const Certificate& certificate) {
  const auto* extension = find(certificate.extensions(), oid::id_ce_subjectAltName);
  if (extension == nullptr) return false;
  der::Reader reader(extension->extnValue);
  auto names = reader.enter(der::kSequence);
  while (names && !names->at_end()) {
    const auto one = read_general_name(*names);
    if (!one) return false;
    if (*one == name) return true;
  }
  return false;
}

}  // namespace

std::string credential_of(const CertificateHolder& holder) {
  return std::string(kind_of(holder.proof)) + to_hex(holder.certificate.fingerprint());
}

std::string Requester::credential() const {
  if (const auto* holder = secret()) {
    const auto kind = std::string(kind_of(holder->parameters));
    return holder->revokes ? "passphrase-" + kind + to_hex(holder->revokes->value)
                           : kind + full_reference(holder->secret);
  }
  return credential_of(*certificate());
}

std::optional<Name> Requester::only_subject() const {
  const auto& pattern = rights.pattern;
  if (secret() == nullptr || !pattern || !pattern->is_exact()) return std::nullopt;
  return pattern->name();
}

bool Requester::is_called(const Name& name) const {
  if (name.is_null_dn()) return false;
  if (const auto* holder = certificate()) return holder->certificate.subject().same(name);
  if (const auto only = only_subject()) return only->same(name);
  return is_reference(name, secret()->secret.reference);
}

bool Requester::is_called(const GeneralName& name) const {
  if (const auto directory = name.directory_name(); directory && is_called(*directory)) return true;
  const auto* holder = certificate();
  return holder != nullptr && is_alt_name(name, holder->certificate);
}

bool Requester::is_called(std::string_view token) const {
  if (const auto* holder = secret()) return holder->secret.reference == token;
  const auto name = Name::from_text(token);
  return name && is_called(*name);
}

bool stands_for_others(const Requester& requester) {
  return requester.signs() && check_right(requester.rights, wanted::Endorsement{});
}

bool is_of_signer(std::string_view credential) { return credential.starts_with("cert:"); }

Rejection Requester::refuse_instead_of(std::string_view other) const {
  const auto text = std::string("the transaction was opened with another credential");
  if (is_of_signer(other) != signs()) return {PKIFailureInfo::wrongIntegrity, text};
  return {signs() ? PKIFailureInfo::notAuthorized : PKIFailureInfo::badMessageCheck, text};
}

std::string Requester::text() const {
  if (const auto* holder = secret()) return "mac:" + printable(holder->secret.reference);
  return (is_ra() ? "ra:" : "cert:") + certificate()->certificate.subject_text();
}

}  // namespace cmpost
