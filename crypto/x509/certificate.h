// X.509 certificates as received: parsed once by our own reader, exact DER kept.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "asn1/name.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

struct Extension {
  Oid extnID;
  bool critical = false;
  Bytes extnValue;  // content of the OCTET STRING
  friend bool operator==(const Extension&, const Extension&) = default;
};
using Extensions = std::vector<Extension>;
der::Parsed<Extension> read_extension(der::Reader& reader);
der::Parsed<Extensions> read_extensions(der::Reader& reader, der::Tag tag = der::kSequence);
void write(der::Writer& writer, const Extension& extension);
void write(der::Writer& writer, const Extensions& extensions, der::Tag tag = der::kSequence);
const Extension* find(const Extensions& extensions, const Oid& id);

// Bits of KeyUsage by name (RFC 5280 4.2.1.3), bit 0 is digitalSignature.
enum class KeyUsageBit {
  digitalSignature,
  nonRepudiation,
  keyEncipherment,
  dataEncipherment,
  keyAgreement,
  keyCertSign,
  cRLSign,
  encipherOnly,
  decipherOnly
};

// Immutable and cheap to copy (shared); usable from any thread. Everything but public_key() is a
// plain look-up. Parsing checks the structure only, no signature.
class Certificate {
 public:
  static Result<Certificate> from_der(ByteView der);  // exactly one, nothing behind it
  static Result<std::vector<Certificate>> from_pem(
      std::string_view pem);  // one or more; private keys and text between are skipped
  std::string to_pem() const;

  ByteView der() const;
  const Sha256& fingerprint() const;  // SHA-256 of der(), made on first use and kept
  int version() const;                // 3 for v3
  ByteView serial_number() const;     // content octets of the INTEGER
  std::string serial_hex() const;     // without the sign octet, lower case
  const Name& issuer() const;
  const Name& subject() const;
  const std::string& subject_text() const;  // subject().text(), made on first use and kept
  // Name::comparison_key() of the two, made on first use and kept.
  const std::string& issuer_key() const;
  const std::string& subject_key() const;
  Time not_before() const;
  Time not_after() const;
  ByteView spki() const;
  const AlgorithmIdentifier& signature_algorithm() const;
  ByteView tbs() const;
  ByteView signature() const;
  const Extensions& extensions() const;

  std::optional<Bytes> subject_key_identifier() const;
  std::optional<Bytes> authority_key_identifier() const;
  // True when there is no keyUsage extension. In this and the next two questions the answer for an
  // extension whose value is malformed is no.
  bool allows(KeyUsageBit bit) const;
  bool has_extended_key_usage(const Oid& purpose) const;  // false when there is no such extension
  bool is_ca() const;
  bool is_self_issued() const;
  // Decoded on first use and kept. An Error for a key that we cannot use.
  Result<PublicKey> public_key() const;

  friend bool operator==(const Certificate& a, const Certificate& b) {
    return a.state_ == b.state_ || equal(a.der(), b.der());
  }

 private:
  struct State;
  friend struct CertificateParser;
  explicit Certificate(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// DER of certificates one after the other, and back; empty is none.
Bytes concatenated(const std::vector<Certificate>& certificates);
Result<std::vector<Certificate>> read_concatenated(ByteView octets);

// PKCS#10 (RFC 2986). The DER of certificationRequestInfo is kept for the signature.
struct CertificationRequest {
  Bytes der;
  Bytes info;  // exact certificationRequestInfo
  std::int64_t version = 0;
  Name subject;
  SubjectPublicKeyInfo spki;
  std::vector<Oid> attributes;
  Extensions extensions;  // of the extensionRequest attribute, if any
  AlgorithmIdentifier signatureAlgorithm;
  Bytes signature;
};
der::Parsed<CertificationRequest> read_certification_request(der::Reader& reader);
Result<CertificationRequest> certification_request_from_pem_or_der(ByteView input);

}  // namespace cmpost
