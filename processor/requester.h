// Who protected a request, once the protection has been verified.
#pragma once

#include <string>
#include <variant>

#include "base/seldom.h"
#include "ca/certificate_record.h"
#include "cmp/pki_failure_info.h"
#include "crypto/certificate.h"
#include "crypto/mac_parameters.h"
#include "processor/protection_tables.h"
#include "processor/secret_store.h"

namespace cmpost {

// Knows a MAC secret.
struct SecretHolder {
  Secret secret;
  MacParameters parameters;  // of the request; the answer mirrors them
  // It is a revocation passphrase: the subject whose certificates it revokes. Good for that
  // alone.
  std::optional<std::string> revokes{};
};

// Has a certificate that the channel trusts, and protected the message with its key.
struct CertificateHolder {
  enum class Role {
    end_entity,  // of this PKI: the ledger knows the certificate
    vendor,      // of a PKI that the channel trusts for first enrolment
    ra,          // may speak for others
    ca           // of `roles.ca`: may ask for a cross certificate
  };
  Certificate certificate;
  Role role = Role::end_entity;
  Seldom<CertificateRecord> record;  // end_entity: from the ledger
  enum class Proof {
    signature,
    dh,   // DHBasedMac with its Diffie-Hellman key
    kem,  // KemBasedMac with its KEM key
    none  // asks for a KEM ciphertext, which needs no proof
  };
  Proof proof = Proof::signature;
};

// What an answer is MACed with.
struct AnswerMac {
  MacParameters parameters;
  Bytes secret;
};

struct Requester {
  std::variant<SecretHolder, CertificateHolder> who;

  const SecretHolder* secret() const { return std::get_if<SecretHolder>(&who); }
  const CertificateHolder* certificate() const { return std::get_if<CertificateHolder>(&who); }
  bool is_ra() const;
  // What its answers are MACed with, other than by its registered secret: the agreed value of
  // DHBasedMac, or the secret of our KEM key. Without any of these they are signed.
  Seldom<AnswerMac> answer_mac{};
  // Of our KEM key, to be kept for the rest of the transaction.
  Seldom<KemSecret> established{};
  // The channel answers under our KEM key alone, and the ciphertext for that is missing.
  bool lacks_ciphertext = false;

  bool signs() const;
  // Tells one credential and kind of protection from another, for R-042: "mac:REF", "pbmac1:REF",
  // "key:REF", and "cert:", "dh:", "kem:" with the SHA-256 of the certificate.
  std::string credential() const;
  // Why it may not go on with what `credential` has begun.
  Rejection refuse_instead_of(std::string_view credential) const;
  // For people: "mac:REF", "cert:CN=...", "ra:CN=...".
  std::string text() const;
};

}  // namespace cmpost
