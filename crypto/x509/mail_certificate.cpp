#include "crypto/x509/mail_certificate.h"

namespace cmpost {
namespace {

constexpr der::Tag kRfc822NameTag = der::context(1);

der::Parsed<std::vector<std::string>> read_rfc822_names(der::Reader reader) {
  ASSIGN_OR_RETURN(der::Reader names, reader.enter(der::kSequence));
  TRY(reader.finish());
  std::vector<std::string> addresses;
  while (!names.at_end()) {
    ASSIGN_OR_RETURN(const der::Element name, names.any());
    if (name.tag == kRfc822NameTag) addresses.emplace_back(text_of(name.content));
  }
  return addresses;
}

const Oid& any_purpose() {
  static const Oid kAny("2.5.29.37.0");  // anyExtendedKeyUsage
  return kAny;
}

}  // namespace

std::vector<std::string> mail_addresses(const Certificate& certificate) {
  std::vector<std::string> addresses;
  if (const auto* names = find(certificate.extensions(), oid::id_ce_subjectAltName)) {
    if (auto read = read_rfc822_names(der::Reader(names->extnValue))) addresses = *std::move(read);
  }
  for (const auto& attribute : certificate.subject().attributes()) {
    if (attribute.type == oid::id_at_emailAddress) addresses.push_back(attribute.value);
  }
  return addresses;
}

bool may_sign_mails(const Certificate& certificate) {
  if (!certificate.allows(KeyUsageBit::digitalSignature) &&
      !certificate.allows(KeyUsageBit::nonRepudiation)) {
    return false;
  }
  return find(certificate.extensions(), oid::id_ce_extKeyUsage) == nullptr ||
         certificate.has_extended_key_usage(oid::id_kp_emailProtection) ||
         certificate.has_extended_key_usage(any_purpose());
}

}  // namespace cmpost
