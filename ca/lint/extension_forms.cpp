#include "ca/lint/extension_forms.h"

#include <algorithm>
#include <vector>

#include "asn1/der_form.h"
#include "asn1/name_form.h"
#include "ca/lint/words.h"

namespace cmpost {
namespace {

using der::Parsed;
using der::Reader;

// Applies `check` to each element of a SEQUENCE OF that must have one (RFC 5280: SIZE (1..MAX)).
template <typename Check>
Parsed<void> each(Reader inside, Check check) {
  if (inside.at_end()) return inside.fault("a list is empty");
  while (!inside.at_end()) TRY(check(inside));
  return {};
}

template <typename Check>
Parsed<void> sequence_of(Reader& reader, Check check) {
  ASSIGN_OR_RETURN(const Reader inside, reader.enter(der::kSequence));
  return each(inside, check);
}

Parsed<void> read_one_name(Reader& reader, NameUse use = NameUse::name) {
  ASSIGN_OR_RETURN(const GeneralName name, read_general_name(reader));
  if (const auto wrong = wrong_form(name, use)) return reader.fault(*wrong);
  return {};
}

Parsed<void> read_general_names(Reader inside) {
  return each(inside, [](Reader& names) { return read_one_name(names); });
}

Parsed<Oid> readable_oid(Reader& reader) {
  ASSIGN_OR_RETURN(const Oid oid, reader.object_identifier());
  if (!der::has_readable_arcs(oid)) return reader.fault("an OID has an arc from 2^28");
  return oid;
}

Parsed<void> read_readable_oid(Reader& reader) {
  TRY(readable_oid(reader));
  return {};
}

Parsed<void> read_small_number(Reader& reader, der::Tag tag = der::kInteger) {
  ASSIGN_OR_RETURN(const auto number, reader.integer(tag));
  if (number < 0 || number > 0x7fffffff) return reader.fault("a number is not in 0..2^31-1");
  return {};
}

// X.690 11.2.2: "the bitstring shall have all trailing 0 bits removed before it is encoded".
Parsed<void> read_named_bits(Reader& reader, der::Tag tag, std::size_t most) {
  ASSIGN_OR_RETURN(const auto bits, reader.bit_string(tag));
  if (bits.octets.empty()) return reader.fault("no bit is set");
  const std::size_t count = bits.octets.size() * 8 - bits.unused_bits;
  if (count > most) return reader.fault("there is a bit without a name");
  if ((bits.octets.back() >> bits.unused_bits & 1) == 0) return reader.fault("the last bit is 0");
  return {};
}

// What is left of a SEQUENCE that other versions may extend: DER at least.
Parsed<void> read_rest(Reader reader) { return der::check_form(reader.rest()); }

Parsed<void> key_usage(Reader& value) { return read_named_bits(value, der::kBitString, 9); }
Parsed<void> netscape_type(Reader& value) { return read_named_bits(value, der::kBitString, 8); }
Parsed<void> purposes(Reader& value) { return sequence_of(value, read_readable_oid); }
Parsed<void> alternative_names(Reader& value) {
  ASSIGN_OR_RETURN(const Reader inside, value.enter(der::kSequence));
  return read_general_names(inside);
}

// X.690 11.5: a DEFAULT value is not encoded.
Parsed<void> basic_constraints(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  if (inside.peek() == der::kBoolean) {
    ASSIGN_OR_RETURN(const bool ca, inside.boolean());
    if (!ca) return inside.fault("cA FALSE is the default and is not encoded");
  }
  if (inside.peek() == der::kInteger) TRY(read_small_number(inside));
  return inside.finish();
}

Parsed<void> key_identifier(Reader& value) {
  ASSIGN_OR_RETURN(const auto identifier, value.octet_string());
  if (identifier.empty()) return value.fault("the identifier is empty");
  return {};
}

// "authorityCertIssuer and authorityCertSerialNumber MUST both be present or both be absent"
Parsed<void> authority_key_identifier(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  TRY(inside.optional(der::context(0)));
  const bool names = inside.peek() == der::context_constructed(1);
  if (names) {
    ASSIGN_OR_RETURN(const Reader issuer, inside.enter(der::context_constructed(1)));
    TRY(read_general_names(issuer));
  }
  if (names != (inside.peek() == der::context(2))) {
    return inside.fault("authorityCertIssuer and authorityCertSerialNumber belong together");
  }
  if (names) TRY(inside.big_integer(der::context(2)));
  return inside.finish();
}

Parsed<void> display_text(Reader& reader) {
  ASSIGN_OR_RETURN(const auto text, reader.any());
  const bool allowed = text.tag == der::kIa5String || text.tag == der::kVisibleString ||
                       text.tag == der::kBmpString || text.tag == der::kUtf8String;
  if (!allowed) return reader.fault("a DisplayText is of another type");
  if (text.content.empty()) return reader.fault("a DisplayText is empty");
  return der::check_string(text);
}

Parsed<void> user_notice(Reader& reader) {
  ASSIGN_OR_RETURN(Reader inside, reader.enter(der::kSequence));
  if (inside.peek() == der::kSequence) {
    ASSIGN_OR_RETURN(Reader reference, inside.enter(der::kSequence));
    TRY(display_text(reference));
    ASSIGN_OR_RETURN(Reader numbers, reference.enter(der::kSequence));
    while (!numbers.at_end()) TRY(read_small_number(numbers));
    TRY(reference.finish());
  }
  if (!inside.at_end()) TRY(display_text(inside));
  return inside.finish();
}

// RFC 5280 4.2.1.4: "PolicyQualifierId ::= OBJECT IDENTIFIER ( id-qt-cps | id-qt-unotice )"
Parsed<void> policy_qualifier(Reader& reader) {
  static const Oid cps("1.3.6.1.5.5.7.2.1"), unotice("1.3.6.1.5.5.7.2.2");
  ASSIGN_OR_RETURN(Reader inside, reader.enter(der::kSequence));
  ASSIGN_OR_RETURN(const Oid kind, inside.object_identifier());
  if (kind == unotice) {
    TRY(user_notice(inside));
  } else if (kind == cps) {
    ASSIGN_OR_RETURN(const auto uri, inside.expect(der::kIa5String));
    TRY(der::check_string(uri));
  } else {
    return inside.fault("a policy qualifier is neither CPS nor user notice");
  }
  return inside.finish();
}

Parsed<void> policies(Reader& value) {
  std::vector<Oid> seen;
  return sequence_of(value, [&](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader policy, list.enter(der::kSequence));
    ASSIGN_OR_RETURN(const Oid id, readable_oid(policy));
    if (std::ranges::find(seen, id) != seen.end()) return list.fault("a policy appears twice");
    seen.push_back(id);
    if (!policy.at_end()) TRY(sequence_of(policy, policy_qualifier));
    return policy.finish();
  });
}

Parsed<void> policy_mappings(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader pair, list.enter(der::kSequence));
    TRY(readable_oid(pair));
    TRY(readable_oid(pair));
    return pair.finish();
  });
}

// 4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent"
Parsed<void> subtree(Reader& list) {
  ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
  TRY(read_one_name(inside, NameUse::constraint));
  return inside.finish();
}

Parsed<void> name_constraints(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  if (inside.at_end()) return inside.fault("nameConstraints are empty");
  for (const unsigned kind : {0U, 1U}) {
    ASSIGN_OR_RETURN(const auto subtrees, inside.enter_optional(der::context_constructed(kind)));
    if (subtrees) TRY(each(*subtrees, subtree));
  }
  return inside.finish();
}

Parsed<void> policy_constraints(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  if (inside.at_end()) return inside.fault("policyConstraints are empty");
  for (const unsigned kind : {0U, 1U}) {
    if (inside.peek() == der::context(kind)) TRY(read_small_number(inside, der::context(kind)));
  }
  return inside.finish();
}

Parsed<void> inhibit_any_policy(Reader& value) { return read_small_number(value); }

// RFC 5280 4.2.1.13: "CAs SHOULD NOT use nameRelativeToCRLIssuer", and Go cannot read it.
Parsed<void> distribution_point_name(Reader reader) {
  ASSIGN_OR_RETURN(const Reader names, reader.enter(der::context_constructed(0)));
  TRY(read_general_names(names));
  return reader.finish();
}

Parsed<void> distribution_points(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader point, list.enter(der::kSequence));
    ASSIGN_OR_RETURN(const auto name, point.enter_optional(der::context_constructed(0)));
    if (name) TRY(distribution_point_name(*name));
    if (point.peek() == der::context(1)) TRY(read_named_bits(point, der::context(1), 9));
    ASSIGN_OR_RETURN(const auto issuer, point.enter_optional(der::context_constructed(2)));
    if (issuer) TRY(read_general_names(*issuer));
    return point.finish();
  });
}

Parsed<void> access_descriptions(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
    TRY(read_readable_oid(inside));
    TRY(read_one_name(inside));
    return inside.finish();
  });
}

// Attribute ::= SEQUENCE { type, SET SIZE (1..MAX) OF value }
Parsed<void> directory_attributes(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
    TRY(readable_oid(inside));
    ASSIGN_OR_RETURN(const Reader values, inside.enter(der::kSet));
    if (values.at_end()) return inside.fault("an attribute has no value");
    TRY(der::check_set_of(values));
    TRY(der::check_form(values.rest()));
    return inside.finish();
  });
}

// RFC 7633; status_request and status_request_v2 are those that readers have names for.
Parsed<void> tls_features(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(const auto feature, list.integer());
    if (feature != 5 && feature != 17) return list.fault("a TLS feature is neither 5 nor 17");
    return {};
  });
}

Parsed<void> no_check(Reader& value) { return value.null(); }

// The whole of it is from a log, about a certificate that does not exist yet.
Parsed<void> from_a_log(Reader& value) {
  return value.fault("a list of signed certificate timestamps cannot be asked for");
}

Parsed<void> usage_period(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  if (inside.at_end()) return inside.fault("the period has neither begin nor end");
  std::optional<Time> begin;
  for (const unsigned end : {0U, 1U}) {
    if (inside.peek() != der::context(end)) continue;
    auto again = inside;
    ASSIGN_OR_RETURN(const auto text, again.any());
    ASSIGN_OR_RETURN(const Time time, inside.generalized_time(der::context(end)));
    if (text.content.size() != 15) return inside.fault("a time has no whole seconds");
    if (begin && time < *begin) return inside.fault("the period ends before it begins");
    begin = time;
  }
  return inside.finish();
}

// The admission of ISIS-MTT, a part that readers look into.
Parsed<void> read_text(Reader& list) {
  ASSIGN_OR_RETURN(const auto text, list.any());
  if (text.tag != der::kUtf8String && text.tag != der::kPrintableString) {
    return list.fault("a text is no UTF8String or PrintableString");
  }
  if (text.content.empty()) return list.fault("a text is empty");
  return der::check_string(text);
}

Parsed<void> naming_authority(Reader reader) {
  ASSIGN_OR_RETURN(Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  if (inside.peek() == der::kOid) TRY(read_readable_oid(inside));
  if (inside.peek() == der::kIa5String) {
    ASSIGN_OR_RETURN(const auto url, inside.any());
    TRY(der::check_string(url));
  }
  if (!inside.at_end()) TRY(read_text(inside));
  return inside.finish();
}

Parsed<void> profession(Reader& list) {
  ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
  ASSIGN_OR_RETURN(const auto authority, inside.enter_optional(der::context_constructed(0)));
  if (authority) TRY(naming_authority(*authority));
  TRY(sequence_of(inside, read_text));
  if (inside.peek() == der::kSequence) TRY(sequence_of(inside, read_readable_oid));
  if (inside.peek() == der::kPrintableString) TRY(read_text(inside));
  if (inside.peek() == der::kOctetString) TRY(inside.any());
  return inside.finish();
}

Parsed<void> one_admission(Reader& list) {
  ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
  ASSIGN_OR_RETURN(auto authority, inside.enter_optional(der::context_constructed(0)));
  if (authority) {
    TRY(read_one_name(*authority));
    TRY(authority->finish());
  }
  ASSIGN_OR_RETURN(const auto naming, inside.enter_optional(der::context_constructed(1)));
  if (naming) TRY(naming_authority(*naming));
  TRY(sequence_of(inside, profession));
  return inside.finish();
}

Parsed<void> admissions(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  if (inside.peek() != der::kSequence) TRY(read_one_name(inside));
  TRY(sequence_of(inside, one_admission));
  return inside.finish();
}

Parsed<void> ia5_text(Reader& value) {
  ASSIGN_OR_RETURN(const auto text, value.expect(der::kIa5String));
  return der::check_string(text);
}

Parsed<void> template_name(Reader& value) {
  ASSIGN_OR_RETURN(const auto text, value.any());
  if (text.tag != der::kBmpString && text.tag != der::kUtf8String) {
    return value.fault("the name of a template is no BMPString");
  }
  return der::check_string(text);
}

Parsed<void> certificate_template(Reader& value) {
  ASSIGN_OR_RETURN(Reader inside, value.enter(der::kSequence));
  TRY(readable_oid(inside));
  for (int version = 0; version < 2 && !inside.at_end(); ++version) TRY(read_small_number(inside));
  return inside.finish();
}

Parsed<void> statements(Reader& value) {
  return sequence_of(value, [](Reader& list) -> Parsed<void> {
    ASSIGN_OR_RETURN(Reader inside, list.enter(der::kSequence));
    TRY(readable_oid(inside));
    return read_rest(inside);
  });
}

struct Syntax {
  Oid id;
  Parsed<void> (*read)(Reader&);
  bool never_critical = false;  // Go reads no certificate where one of these is (RFC 5280: MUST)
};

const std::vector<Syntax>& syntaxes() {
  static const std::vector<Syntax> all = {
      {oid::id_ce_keyUsage, key_usage},
      {oid::id_ce_extKeyUsage, purposes},
      {oid::id_ce_basicConstraints, basic_constraints},
      {oid::id_ce_subjectAltName, alternative_names},
      {Oid("2.5.29.18"), alternative_names},  // issuerAltName
      {oid::id_ce_subjectKeyIdentifier, key_identifier, true},
      {oid::id_ce_authorityKeyIdentifier, authority_key_identifier, true},
      {oid::id_ce_certificatePolicies, policies},
      {Oid("2.5.29.33"), policy_mappings},
      {oid::id_ce_nameConstraints, name_constraints},
      {Oid("2.5.29.36"), policy_constraints},
      {Oid("2.5.29.54"), inhibit_any_policy},
      {oid::id_ce_cRLDistributionPoints, distribution_points},
      {oid::id_ce_freshestCRL, distribution_points},
      {oid::id_pe_authorityInfoAccess, access_descriptions, true},
      {Oid("1.3.6.1.5.5.7.1.11"), access_descriptions},  // subjectInfoAccess
      {Oid("2.5.29.9"), directory_attributes},
      {Oid("2.5.29.16"), usage_period},
      {Oid("1.3.36.8.3.3"), admissions},
      {Oid("1.3.6.1.5.5.7.1.3"), statements},  // qcStatements
      {Oid("1.3.6.1.5.5.7.1.24"), tls_features},
      {Oid("1.3.6.1.5.5.7.48.1.5"), no_check},     // ocsp-nocheck
      {Oid("1.3.6.1.4.1.11129.2.4.3"), no_check},  // precertificate poison (RFC 6962 3.1)
      {Oid("1.3.6.1.4.1.11129.2.4.2"), from_a_log},
      {Oid("1.3.6.1.4.1.311.20.2"), template_name},
      {Oid("1.3.6.1.4.1.311.21.7"), certificate_template},
      {Oid("1.3.6.1.4.1.311.21.10"), policies},  // application policies
      {Oid("2.16.840.1.113730.1.1"), netscape_type},
      {Oid("2.16.840.1.113730.1.2"), ia5_text},
      {Oid("2.16.840.1.113730.1.3"), ia5_text},
      {Oid("2.16.840.1.113730.1.4"), ia5_text},
      {Oid("2.16.840.1.113730.1.7"), ia5_text},
      {Oid("2.16.840.1.113730.1.8"), ia5_text},
      {Oid("2.16.840.1.113730.1.12"), ia5_text},
      {Oid("2.16.840.1.113730.1.13"), ia5_text}};
  return all;
}

Parsed<void> read_known(const Syntax& syntax, const Extension& extension) {
  Reader value(extension.extnValue);
  TRY(syntax.read(value));
  return value.finish();
}

Parsed<void> read_unknown(const Extension& extension) {
  Reader value(extension.extnValue);
  TRY(value.any());
  TRY(value.finish());
  return der::check_form(extension.extnValue);
}

}  // namespace

std::optional<std::string> wrong_form(const Extension& extension) {
  const auto name = [&] { return plain_name(extension.extnID); };
  if (!der::has_readable_arcs(extension.extnID)) return name() + ": its OID has an arc from 2^28";
  const auto known = std::ranges::find(syntaxes(), extension.extnID, &Syntax::id);
  if (known == syntaxes().end()) {
    const auto read = read_unknown(extension);
    return read ? std::nullopt : std::optional(name() + ": " + read.error().what);
  }
  if (known->never_critical && extension.critical) return name() + " is critical";
  const auto read = read_known(*known, extension);
  return read ? std::nullopt : std::optional(name() + ": " + read.error().what);
}

}  // namespace cmpost
