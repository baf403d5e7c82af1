// Who protected a request, once the protection has been verified.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/seldom.h"
#include "ca/ledger/certificate_record.h"
#include "cmp/pki_failure_info.h"
#include "crypto/secrets/mac_parameters.h"
#include "crypto/x509/certificate.h"
#include "processor/credentials/protection_tables.h"
#include "processor/credentials/secret_store.h"
#include "processor/devices/sought_device.h"
#include "processor/rights/rights.h"

namespace cmpost {

// Knows a MAC secret.
struct SecretHolder {
  Secret secret;
  MacParameters parameters;  // of the request; the answer mirrors them
  // It is a revocation passphrase: whose certificates it revokes. Good for that alone.
  std::optional<HolderIdentity> revokes{};
};

// Has a certificate that the channel trusts, and protected the message with its key.
struct CertificateHolder {
  enum class Role {
    end_entity,  // of this PKI: the ledger knows the certificate
    vendor,      // of a PKI that the channel trusts for first enrolment
    ra,          // may speak for others
    ca           // speaks for one of `roles.ca`: may ask for a cross certificate
  };
  Certificate certificate;
  Role role = Role::end_entity;
  Seldom<CertificateRecord> record;  // end_entity: from the ledger
  enum class Proof {
    signature,
    dh,  // DHBasedMac with its Diffie-Hellman key
    kem  // KemBasedMac with its KEM key
  };
  Proof proof = Proof::signature;
  std::optional<Certificate> speaks_for{};  // ca: which one
  // vendor: by which numbers the list of devices would have it; of several vendors who share a root
  // more than one.
  std::vector<SoughtDevice> sought{};
};

// What an answer is MACed with.
struct AnswerMac {
  MacParameters parameters;
  Bytes secret;
};

struct Request;
struct Services;

// Only who has verified a protection can make one (authentication.h): nothing else in a message,
// the sender in its header least of all, says who somebody is.
class Requester {
 public:
  const SecretHolder* secret() const { return std::get_if<SecretHolder>(&who_); }
  const CertificateHolder* certificate() const { return std::get_if<CertificateHolder>(&who_); }
  // What it may have: made with it, by authenticate().
  Rights rights{};
  bool is_ra() const;
  // The only subject that a secret stands for; nullopt for many.
  std::optional<Name> only_subject() const;
  // Names that belong to it alone, as far as a CA or an operator has said: the subject and the
  // subjectAltNames of its certificate; of a secret, the one subject that it stands for, else its
  // reference as CN. The NULL-DN is nobody's name.
  bool is_called(const GeneralName& name) const;
  bool is_called(const Name& name) const;
  // The "text token passed and known to both" of RFC 4211 4.2.1: the reference of a secret, or the
  // subject of the certificate in RFC 4514's spelling.
  bool is_called(std::string_view token) const;
  // The row of the list of devices that it is, and, on a channel that asks for listed devices, what
  // it would have to have been: one of them at most is there.
  Seldom<KnownDevice> device{};
  std::vector<SoughtDevice> unlisted{};
  // What its answers are MACed with, other than by its registered secret: the agreed value of
  // DHBasedMac, or the secret of our KEM key. Without any of these they are signed.
  Seldom<AnswerMac> answer_mac{};
  // Of our KEM key, to be kept for the rest of the transaction.
  Seldom<KemSecret> established{};
  // The channel answers under our KEM key alone, and the ciphertext for that is missing.
  bool lacks_ciphertext = false;

  bool signs() const;
  // Tells one credential and kind of protection from another, for R-042: "mac:REF", "pbmac1:REF",
  // "key:REF", each with the full_reference(), the same after "passphrase-" with the HolderIdentity
  // in hex, and "cert:", "dh:", "kem:" with the SHA-256 of
  // the certificate.
  std::string credential() const;
  // Why it may not go on with what `credential` has begun.
  Rejection refuse_instead_of(std::string_view credential) const;
  // For people: "mac:REF", "cert:CN=...", "ra:CN=...".
  std::string text() const;

 private:
  friend Outcome<Requester> authenticate_by_secret(const Request&, const Services&);
  friend Outcome<Requester> authenticate_by_signature(const Request&, const Services&);
  friend Outcome<Requester> authenticate_by_dh(const Request&, const Services&);
  friend Outcome<Requester> authenticate_by_kem(const Request&, const Services&);
  explicit Requester(SecretHolder holder) : who_(std::move(holder)) {}
  explicit Requester(CertificateHolder holder) : who_(std::move(holder)) {}

  std::variant<SecretHolder, CertificateHolder> who_;
};

// By its signature, with the right to it (wanted::Endorsement): a registration authority.
bool stands_for_others(const Requester& requester);
// Whether a Requester::credential stands for a signature.
bool is_of_signer(std::string_view credential);
// "cert:", "dh:" or "kem:" with the SHA-256 of the certificate.
std::string credential_of(const CertificateHolder& holder);

}  // namespace cmpost
