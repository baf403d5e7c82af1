#include "crypto/x509/certificate.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "asn1/extension_values.h"
#include "asn1/pem.h"
#include "crypto/x509/x509_parts.h"

namespace cmpost {

struct Certificate::State {
  Bytes der;  // the views below point into it
  int version = 1;
  ByteView tbs, serial_number, spki, signature;
  Name issuer, subject;
  Time not_before, not_after;
  AlgorithmIdentifier signature_algorithm;
  Extensions extensions;
  std::optional<std::uint32_t> key_usage;  // 0 for a malformed one: allows nothing
  bool ca = false;

  std::once_flag digest_once;
  Sha256 fingerprint{};
  std::once_flag compare_once;
  std::string issuer_key, subject_key;
  std::once_flag text_once;
  std::string subject_text;
  std::once_flag decode_once;
  std::optional<Result<PublicKey>> public_key;

  const State& compared() {
    std::call_once(compare_once, [this] {
      issuer_key = issuer.comparison_key();
      subject_key = subject.comparison_key();
    });
    return *this;
  }
};

namespace {

// Certificates of a few hundred octets are usual; nothing sane is larger than this.
constexpr std::size_t kMaxCertificate = 1U << 20;

}  // namespace

// Reads into a State; a struct so that it may know Certificate::State.
struct CertificateParser {
  using State = Certificate::State;

  static der::Parsed<void> version(State& state, der::Reader& tbs) {
    ASSIGN_OR_RETURN(auto inside, tbs.enter_optional(der::context_constructed(0)));
    if (!inside) return {};
    ASSIGN_OR_RETURN(const std::int64_t value, inside->integer());
    TRY(inside->finish());
    if (value < 0 || value > 2) return tbs.fault("unknown version of Certificate");
    state.version = static_cast<int>(value) + 1;
    return {};
  }

  static der::Parsed<void> serial_number(State& state, der::Reader& tbs) {
    der::Reader checked = tbs;
    TRY(checked.big_integer());
    ASSIGN_OR_RETURN(const der::Element serial, tbs.expect(der::kInteger));
    state.serial_number = serial.content;
    return {};
  }

  static der::Parsed<void> validity(State& state, der::Reader& tbs) {
    ASSIGN_OR_RETURN(der::Reader inside, tbs.enter(der::kSequence));
    ASSIGN_OR_RETURN(state.not_before, read_x509_time(inside));
    ASSIGN_OR_RETURN(state.not_after, read_x509_time(inside));
    return inside.finish();
  }

  static der::Parsed<void> subject_public_key_info(State& state, der::Reader& tbs) {
    der::Reader checked = tbs;
    TRY(read_spki(checked));
    ASSIGN_OR_RETURN(const der::Element spki, tbs.expect(der::kSequence));
    state.spki = spki.whole;
    return {};
  }

  static der::Parsed<void> extensions(State& state, der::Reader& tbs) {
    TRY(tbs.optional(der::context(1)));  // issuerUniqueID
    TRY(tbs.optional(der::context(2)));  // subjectUniqueID
    ASSIGN_OR_RETURN(auto inside, tbs.enter_optional(der::context_constructed(3)));
    if (!inside) return {};
    // RFC 5280 4.1.2.9: "This field MUST only appear if the version is 3".
    if (state.version != 3) return tbs.fault("extensions in a certificate that is not v3");
    ASSIGN_OR_RETURN(state.extensions, read_extensions(*inside));
    return inside->finish();
  }

  static der::Parsed<void> tbs_certificate(State& state, der::Reader tbs) {
    TRY(version(state, tbs));
    TRY(serial_number(state, tbs));
    ASSIGN_OR_RETURN(const AlgorithmIdentifier signature, read_algorithm(tbs));
    // RFC 5280 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature
    // field in the sequence tbsCertificate".
    if (signature != state.signature_algorithm) {
      return tbs.fault("the two signature algorithms differ");
    }
    ASSIGN_OR_RETURN(state.issuer, Name::read(tbs));
    TRY(validity(state, tbs));
    ASSIGN_OR_RETURN(state.subject, Name::read(tbs));
    TRY(subject_public_key_info(state, tbs));
    TRY(extensions(state, tbs));
    return tbs.finish();
  }

  static der::Parsed<void> certificate(State& state) {
    der::Reader reader(state.der);
    const der::Reader outer = reader;
    ASSIGN_OR_RETURN(Signed parts, read_signed(reader));
    TRY(reader.finish());
    state.tbs = parts.toBeSigned.whole;
    state.signature = parts.signature;
    state.signature_algorithm = std::move(parts.signatureAlgorithm);
    return tbs_certificate(state, outer.inside(parts.toBeSigned));
  }

  static void look_up(State& state) {
    if (const auto* usage = find(state.extensions, oid::id_ce_keyUsage)) {
      state.key_usage = key_usage_bits(usage->extnValue).value_or(0);
    }
    if (const auto* constraints = find(state.extensions, oid::id_ce_basicConstraints)) {
      state.ca = basic_constraints_ca(constraints->extnValue).value_or(false);
    }
  }
};

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMaxCertificate) return hold("certificate: larger than 1 MiB");
  auto state = std::make_shared<State>();
  state->der = to_bytes(der);
  if (const auto parsed = CertificateParser::certificate(*state); !parsed) {
    return hold("certificate: " + to_string(parsed.error()));
  }
  CertificateParser::look_up(*state);
  return Certificate(std::move(state));
}

Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem) {
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(pem));
  std::vector<Certificate> certificates;
  for (const auto& block : blocks) {
    if (block.label != "CERTIFICATE" && block.label != "X509 CERTIFICATE") continue;
    ASSIGN_OR_RETURN(const Bytes der, decode(block));
    ASSIGN_OR_RETURN(Certificate certificate, from_der(der));
    certificates.push_back(std::move(certificate));
  }
  if (!certificates.empty()) return certificates;
  if (blocks.empty()) return hold("no certificate: this is not PEM");
  return hold("no certificate: found " + printable(blocks[0].label, 40));
}

std::string Certificate::to_pem() const { return to_pem_text("CERTIFICATE", der()); }

ByteView Certificate::der() const { return state_->der; }
const Sha256& Certificate::fingerprint() const {
  std::call_once(state_->digest_once, [this] { state_->fingerprint = sha256(state_->der); });
  return state_->fingerprint;
}
int Certificate::version() const { return state_->version; }
ByteView Certificate::serial_number() const { return state_->serial_number; }
const Name& Certificate::issuer() const { return state_->issuer; }
const Name& Certificate::subject() const { return state_->subject; }
const std::string& Certificate::issuer_key() const { return state_->compared().issuer_key; }
const std::string& Certificate::subject_text() const {
  std::call_once(state_->text_once, [this] { state_->subject_text = state_->subject.text(); });
  return state_->subject_text;
}
const std::string& Certificate::subject_key() const { return state_->compared().subject_key; }
Time Certificate::not_before() const { return state_->not_before; }
Time Certificate::not_after() const { return state_->not_after; }
ByteView Certificate::spki() const { return state_->spki; }
ByteView Certificate::tbs() const { return state_->tbs; }
ByteView Certificate::signature() const { return state_->signature; }
const Extensions& Certificate::extensions() const { return state_->extensions; }
bool Certificate::is_ca() const { return state_->ca; }
bool Certificate::is_self_issued() const { return state_->issuer.same(state_->subject); }

const AlgorithmIdentifier& Certificate::signature_algorithm() const {
  return state_->signature_algorithm;
}

std::string Certificate::serial_hex() const {
  auto serial = serial_number();
  if (serial.size() > 1 && serial[0] == 0) serial = serial.subspan(1);
  return to_hex(serial);
}

std::optional<Bytes> Certificate::subject_key_identifier() const {
  const auto* extension = find(extensions(), oid::id_ce_subjectKeyIdentifier);
  if (extension == nullptr) return std::nullopt;
  return subject_key_identifier_value(extension->extnValue);
}

std::optional<Bytes> Certificate::authority_key_identifier() const {
  const auto* extension = find(extensions(), oid::id_ce_authorityKeyIdentifier);
  if (extension == nullptr) return std::nullopt;
  return authority_key_identifier_value(extension->extnValue);
}

bool Certificate::allows(KeyUsageBit bit) const {
  return !state_->key_usage || (*state_->key_usage >> static_cast<unsigned>(bit) & 1) != 0;
}

bool Certificate::has_extended_key_usage(const Oid& purpose) const {
  const auto* extension = find(extensions(), oid::id_ce_extKeyUsage);
  if (extension == nullptr) return false;
  const auto purposes = key_purposes(extension->extnValue).value_or(std::vector<Oid>());
  return std::find(purposes.begin(), purposes.end(), purpose) != purposes.end();
}

Result<PublicKey> Certificate::public_key() const {
  std::call_once(state_->decode_once,
                 [this] { state_->public_key = PublicKey::from_spki(state_->spki); });
  return *state_->public_key;
}

Bytes concatenated(const std::vector<Certificate>& certificates) {
  Bytes octets;
  for (const auto& one : certificates) {
    octets.insert(octets.end(), one.der().begin(), one.der().end());
  }
  return octets;
}

Result<std::vector<Certificate>> read_concatenated(ByteView octets) {
  std::vector<Certificate> certificates;
  der::Reader reader(octets);
  while (!reader.at_end()) {
    const auto element = reader.any();
    if (!element) return hold("certificates: " + to_string(element.error()));
    ASSIGN_OR_RETURN(auto one, Certificate::from_der(element->whole));
    certificates.push_back(std::move(one));
  }
  return certificates;
}

}  // namespace cmpost
