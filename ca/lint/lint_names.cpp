// Rules about names: string types and lengths of RFC 5280 A.1, and what stands in subjectAltName.
#include <algorithm>

#include "ca/lint/lint_report.h"
#include "ca/lint/words.h"

namespace cmpost::lint {
namespace {

// The ub-... of RFC 5280 A.1, in characters.
struct LengthRule {
  Oid type;
  std::size_t most;
};
const std::vector<LengthRule>& length_rules() {
  static const std::vector<LengthRule> rules = {{oid::id_at_commonName, 64},
                                                {oid::id_at_localityName, 128},
                                                {oid::id_at_stateOrProvinceName, 128},
                                                {oid::id_at_organizationName, 64},
                                                {oid::id_at_organizationalUnitName, 64},
                                                {oid::id_at_title, 64},
                                                {oid::id_at_serialNumber, 64},
                                                {oid::id_at_pseudonym, 128},
                                                {oid::id_at_emailAddress, 255},
                                                {oid::id_at_surname, 32768},
                                                {oid::id_at_givenName, 32768}};
  return rules;
}

struct NameAttribute {
  Oid type;
  der::Tag tag = 0;
  ByteView content;
};

std::size_t characters(ByteView utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](std::uint8_t octet) { return (octet & 0xc0U) != 0x80U; }));
}

bool wants_printable(const Oid& type) {
  return type == oid::id_at_serialNumber || type == oid::id_at_countryName ||
         type == oid::id_at_dnQualifier;
}

bool wants_ia5(const Oid& type) {
  return type == oid::id_at_emailAddress || type == oid::id_at_domainComponent;
}

// RFC 5280 4.1.2.4: "CAs MUST encode the value [...] as PrintableString or UTF8String" for what is
// a DirectoryString, with exceptions for those that are none.
void check_string(const NameAttribute& attribute, Report& report) {
  const auto name = [&] { return plain_name(attribute.type); };
  const auto tag = attribute.tag;
  if (wants_printable(attribute.type)) {
    if (tag != der::kPrintableString) {
      report.error("subject-string", name() + " is no PrintableString (A.1)");
    }
  } else if (wants_ia5(attribute.type)) {
    if (tag != der::kIa5String) report.error("subject-string", name() + " is no IA5String (A.1)");
  } else if (tag != der::kPrintableString && tag != der::kUtf8String) {
    report.warning("subject-string", name() + " is no PrintableString or UTF8String (4.1.2.4)");
  }
  if (attribute.content.empty()) report.error("subject-length", name() + " is empty (A.1)");
}

void check_length(const NameAttribute& attribute, Report& report) {
  const auto rule = std::ranges::find(length_rules(), attribute.type, &LengthRule::type);
  if (rule == length_rules().end()) return;
  const auto length =
      attribute.tag == der::kUtf8String ? characters(attribute.content) : attribute.content.size();
  if (length <= rule->most) return;
  report.error("subject-length", plain_name(attribute.type) + " has " + std::to_string(length) +
                                     " characters and may have " + std::to_string(rule->most) +
                                     " (A.1)");
}

void check_special(const NameAttribute& attribute, Report& report) {
  if (attribute.type == oid::id_at_countryName) {
    const auto is_letter = [](std::uint8_t c) { return c >= 'A' && c <= 'Z'; };
    if (attribute.content.size() != 2 || !std::ranges::all_of(attribute.content, is_letter)) {
      report.error("subject-country", "the country is no two capital letters (A.1)");
    }
  }
  // 4.1.2.6: "Conforming implementations generating new certificates with electronic mail addresses
  // MUST use the rfc822Name in the subject alternative name extension [...] Simultaneous inclusion
  // of the emailAddress attribute in the subject distinguished name [...] is deprecated but
  // permitted."
  if (attribute.type == oid::id_at_emailAddress) {
    report.warning("subject-email", "the subject has an emailAddress (4.1.2.6)");
  }
}

bool is_label(std::string_view label) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, plain);
}

// 4.2.1.6: "The name MUST be in the 'preferred name syntax', as specified by Section 3.5 of
// [RFC1034] and as modified by Section 2.1 of [RFC1123]." A first label "*" is everybody's custom.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  while (true) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_mail_address(std::string_view text) {
  const auto at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && is_host_name(text.substr(at + 1));
}

// 4.2.1.6: "The name MUST NOT be a relative URI, and it MUST follow the URI syntax [...]. The name
// MUST include both a scheme [...] and a scheme-specific-part."
bool is_absolute_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  return std::ranges::all_of(text.substr(0, colon), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  });
}

void check_alternative_name(const GeneralName& name, Report& report) {
  const auto element = der::Reader(name.der).any();
  if (!element) return;
  const auto text = text_of(element->content);
  bool good = true;
  switch (element->tag) {
    case der::context(1):
      good = is_mail_address(text);
      break;
    case der::context(2):
      good = is_host_name(text);
      break;
    case der::context(6):
      good = is_absolute_uri(text);
      break;
    case der::context(7):
      good = element->content.size() == 4 || element->content.size() == 16;
      break;
    default:
      break;
  }
  if (!good) report.error("alternative-name", name.text() + " has a wrong form (4.2.1.6)");
}

}  // namespace

void check_name(const Name& name, Report& report) {
  der::Reader outer(name.der());
  auto rdns = outer.enter(der::kSequence);
  std::size_t common_names = 0;
  while (rdns && !rdns->at_end()) {
    auto rdn = rdns->enter(der::kSet);
    if (!rdn) return;
    while (!rdn->at_end()) {
      auto pair = rdn->enter(der::kSequence);
      if (!pair) return;
      const auto type = pair->object_identifier();
      const auto value = pair->any();
      if (!type || !value) return;
      const NameAttribute attribute{*type, value->tag, value->content};
      check_string(attribute, report);
      check_length(attribute, report);
      check_special(attribute, report);
      common_names += *type == oid::id_at_commonName ? 1 : 0;
    }
  }
  if (common_names > 1) report.warning("subject-twice", "the subject has several commonNames");
}

void check_alternative_names(const Subject& subject, Report& report) {
  const auto* extension = find(subject.extensions, oid::id_ce_subjectAltName);
  if (extension == nullptr) {
    // 4.1.2.6
    if (subject.name.is_null_dn()) {
      report.error("subject-empty", "there is neither a subject nor a subjectAltName (4.1.2.6)");
    }
    return;
  }
  for (const auto& name : *subject.values.subjectAltName) check_alternative_name(name, report);
  if (subject.name.is_null_dn() && !extension->critical) {
    report.error("alternative-name-critical",
                 "the subject is empty and subjectAltName not critical (4.2.1.6)");
  }
  // "When including the subjectAltName extension in a certificate that has a non-empty subject
  // distinguished name, conforming CAs SHOULD mark the subjectAltName extension as non-critical."
  if (!subject.name.is_null_dn() && extension->critical) {
    report.warning("alternative-name-critical",
                   "there is a subject and subjectAltName is critical (4.2.1.6)");
  }
}

}  // namespace cmpost::lint
