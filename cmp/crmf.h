// CRMF, RFC 4211 (module PKIXCRMF-2005, IMPLICIT TAGS), as CMP carries it. Optional fields are
// std::optional, CHOICEs are std::variant. What the codec only hands on is held as exact DER.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "cmp/pki_header.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

struct OptionalValidity {
  std::optional<Time> notBefore;
  std::optional<Time> notAfter;
  // GeneralizedTime although before 2050, where RFC 5280 4.1.2.5 has UTCTime: kept as received.
  bool notBefore_generalized = false;
  bool notAfter_generalized = false;
  friend bool operator==(const OptionalValidity&, const OptionalValidity&) = default;
};

struct CertTemplate {
  std::optional<std::int64_t> version;
  std::optional<Bytes> serialNumber;  // INTEGER content octets
  std::optional<AlgorithmIdentifier> signingAlg;
  std::optional<Name> issuer;
  std::optional<OptionalValidity> validity;
  std::optional<Name> subject;
  std::optional<SubjectPublicKeyInfo> publicKey;  // .der is the universal form (tag SEQUENCE)
  std::optional<Bytes> issuerUID;                 // whole element, as received
  std::optional<Bytes> subjectUID;                // whole element, as received
  std::optional<Extensions> extensions;
};

// Controls and regInfo: AttributeTypeAndValue with a value of one whole DER element; empty when the
// peer left it out (against RFC 4211, but OpenSSL takes it too).
struct Attribute {
  Oid type;
  Bytes value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};
using Controls = std::vector<Attribute>;
const Attribute* find(const Controls& controls, const Oid& type);

struct CertRequest {
  Bytes der;  // exact octets as received: what POPOSigningKey signs (RFC 4211 4.1)
  std::int64_t certReqId = 0;
  CertTemplate certTemplate;
  std::optional<Controls> controls;
};

struct CertId {
  GeneralName issuer;
  Bytes serialNumber;  // INTEGER content octets
  friend bool operator==(const CertId&, const CertId&) = default;
};

struct PKMACValue {
  AlgorithmIdentifier algId;
  Bytes value;
  unsigned unused_bits = 0;
};
struct POPOSigningKeyInput {
  Bytes der;  // exact, with the universal SEQUENCE tag: what is signed (RFC 4211 4.1)
  std::variant<GeneralName, PKMACValue> authInfo;
  SubjectPublicKeyInfo publicKey;
};
struct POPOSigningKey {
  std::optional<POPOSigningKeyInput> poposkInput;
  AlgorithmIdentifier algorithmIdentifier;
  Bytes signature;
  unsigned unused_bits = 0;
};
// RFC 4211 4.2 and RFC 9810 5.2.8.3.
struct ProofBits {
  Bytes bits;
  unsigned unused_bits = 0;
};
struct POPOPrivKey {
  struct ThisMessage : ProofBits {};
  enum class SubsequentMessage { encrCert = 0, challengeResp = 1 };
  struct DhMAC : ProofBits {};
  struct EncryptedKey {
    Bytes der;
  };  // [4] EnvelopedData, whole element with the context tag
  std::variant<ThisMessage, SubsequentMessage, DhMAC, PKMACValue, EncryptedKey> choice;
};
struct RaVerified {};
struct KeyEncipherment {
  POPOPrivKey key;
};
struct KeyAgreement {
  POPOPrivKey key;
};
using ProofOfPossession = std::variant<RaVerified, POPOSigningKey, KeyEncipherment, KeyAgreement>;

struct CertReqMsg {
  CertRequest certReq;
  std::optional<ProofOfPossession> popo;
  std::optional<std::vector<Attribute>> regInfo;
};
using CertReqMessages = std::vector<CertReqMsg>;

// Values of controls.
der::Parsed<CertId> read_cert_id(ByteView value);  // id-regCtrl-oldCertID
void write(der::Writer& writer, const CertId& id, der::Tag tag = der::kSequence);
struct PKIPublicationInfo {
  enum class Action { dontPublish = 0, please = 1 };
  struct SinglePubInfo {
    std::int64_t pubMethod = 0;  // dontCare 0, x500 1, web 2, ldap 3
    std::optional<GeneralName> pubLocation;
  };
  Action action = Action::dontPublish;
  std::vector<SinglePubInfo> pubInfos;
};
der::Parsed<PKIPublicationInfo> read_publication_info(ByteView value);

// The DER of the values as they stand, whatever `der` says: for those who make requests and must
// sign them, and for id-it-certReqTemplate.
Bytes encode(const CertRequest& request);
Bytes encode(const POPOSigningKeyInput& input);
Bytes encode(const CertTemplate& certTemplate);
der::Parsed<CertTemplate> read_cert_template(ByteView value);

}  // namespace cmpost
