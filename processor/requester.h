// Who protected a request, once the protection has been verified.
#pragma once

#include <string>
#include <variant>

#include "ca/certificate_record.h"
#include "crypto/certificate.h"
#include "crypto/mac.h"
#include "processor/secret_store.h"

namespace cmpost {

// Knows a MAC secret.
struct SecretHolder {
  Secret secret;
  PBMParameter parameter;  // of the request; the answer mirrors it
};

// Signed with a certificate that the channel trusts.
struct CertificateHolder {
  enum class Role {
    end_entity,  // of this PKI: the ledger knows the certificate
    vendor,      // of a PKI that the channel trusts for first enrolment
    ra           // may speak for others
  };
  Certificate certificate;
  Role role = Role::end_entity;
  std::optional<CertificateRecord> record;  // end_entity: from the ledger
};

struct Requester {
  std::variant<SecretHolder, CertificateHolder> who;

  const SecretHolder* secret() const { return std::get_if<SecretHolder>(&who); }
  const CertificateHolder* certificate() const { return std::get_if<CertificateHolder>(&who); }
  bool is_ra() const;
  // Tells one credential from another, for R-042: "mac:REF", "cert:<SHA-256 of the certificate>".
  std::string credential() const;
  // For people: "mac:REF", "cert:CN=...", "ra:CN=...".
  std::string text() const;
};

}  // namespace cmpost
