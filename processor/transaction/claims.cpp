#include "processor/transaction/claims.h"

#include "asn1/oid.h"
#include "ca/serial_number.h"
#include "cmp/protection.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestClaim = 200;

std::string text_of_name(const Name& name) { return short_text(name.text()); }

bool is_shared_secret(ProtectionKind kind) {
  return kind == ProtectionKind::password_based_mac || kind == ProtectionKind::pbmac1 ||
         kind == ProtectionKind::bare_mac;
}

std::string sender_name(const PKIHeader& header) {
  const auto name = header.sender.directory_name();
  if (!name) return short_text(header.sender.text());
  return name->is_null_dn() ? std::string() : text_of_name(*name);
}

// In the words that a known requester has (Requester::text()).
std::string claimed_sender(const PKIMessage& message) {
  const auto& header = message.header;
  const auto kind = protection_kind(message);
  if (is_shared_secret(kind)) {
    if (header.senderKID) return "mac:" + short_text(text_of(*header.senderKID));
    const auto name = header.sender.directory_name();
    const auto common = name ? name->first(oid::id_at_commonName) : std::nullopt;
    return common ? "mac:" + short_text(*common) : sender_name(header);
  }
  if (kind == ProtectionKind::none || message.extraCerts.empty()) return sender_name(header);
  const auto signer = Certificate::from_der(message.extraCerts.front().der);
  return signer ? "cert:" + short_text(signer->subject_text()) : sender_name(header);
}

void note_template(const CertTemplate& wanted, Claims& claims) {
  if (wanted.subject) claims.subject = text_of_name(*wanted.subject);
  if (wanted.serialNumber) claims.serial = short_text(serial_text(*wanted.serialNumber));
}

void note_request(const CertReqMsg& request, Claims& claims) {
  note_template(request.certReq.certTemplate, claims);
  const auto& controls = request.certReq.controls;
  const auto* control = controls ? find(*controls, oid::id_regCtrl_oldCertID) : nullptr;
  if (control == nullptr) return;
  const auto old = read_cert_id(control->value);
  if (old) claims.serial = short_text(serial_text(old->serialNumber));
}

}  // namespace

std::string short_text(std::string_view text) { return printable(text, kLongestClaim); }

Claims claims_about(const PKIMessage& message) {
  Claims claims;
  const auto* requests = cert_requests(message.body);
  if (requests != nullptr && !requests->empty()) {
    note_request(requests->front(), claims);
  } else if (const auto* p10cr = std::get_if<body::p10cr>(&message.body)) {
    claims.subject = text_of_name(p10cr->request.subject);
  } else if (const auto* rr = std::get_if<body::rr>(&message.body)) {
    if (!rr->details.empty()) note_template(rr->details.front().certDetails, claims);
  }
  return claims;
}

Claims claims_of(const PKIMessage& message) {
  auto claims = claims_about(message);
  claims.sender = claimed_sender(message);
  return claims;
}

}  // namespace cmpost
