#include "ca/lint/lint.h"

#include <algorithm>
#include <functional>

#include "asn1/name_form.h"
#include "ca/lint/extension_forms.h"
#include "ca/lint/lint_report.h"
#include "crypto/keys/key_form.h"

namespace cmpost {
namespace {

using lint::Report;

struct Validity {
  Time notBefore{};
  Time notAfter{};
};

// RFC 5280 4.1.2.2: "The serial number MUST be a positive integer"; "Conforming CAs MUST NOT use
// serialNumber values longer than 20 octets."
void check_serial(ByteView serial, Report& report) {
  const bool zero = std::ranges::all_of(serial, [](std::uint8_t octet) { return octet == 0; });
  if (zero || serial.front() >= 0x80) {
    report.error("serial-positive", "the serial number is not positive (4.1.2.2)");
  }
  if (serial.size() > 20) {
    report.error("serial-length", "the serial number has more than 20 octets (4.1.2.2)");
  }
}

// RFC 5280 4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity dates
// through the year 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as
// GeneralizedTime."
der::Parsed<Time> read_time(der::Reader& reader, Report& report) {
  if (reader.peek() == der::kUtcTime) return reader.utc_time();
  ASSIGN_OR_RETURN(const auto element, reader.expect(der::kGeneralizedTime));
  auto again = reader.inside(element);
  der::Reader whole(element.whole);
  ASSIGN_OR_RETURN(const Time time, whole.generalized_time());
  if (text_of(element.content) < "2050") {
    report.error("validity-encoding", "a date before 2050 is no UTCTime (4.1.2.5)");
  }
  // 4.1.2.5.2: "GeneralizedTime values MUST NOT include fractional seconds."
  if (again.rest().size() != 15) {
    report.error("validity-encoding", "a date has no whole seconds (4.1.2.5.2)");
  }
  return time;
}

void check_validity(const Validity& validity, const Certificate& issuer, Report& report) {
  if (validity.notAfter < validity.notBefore) {
    report.error("validity-order", "notAfter is before notBefore (4.1.2.5)");
  }
  if (validity.notAfter > issuer.not_after()) {
    report.warning("validity-nesting", "it outlives the certificate of its issuer");
  }
}

// The parts of a TBSCertificate in their order.
struct Parts {
  std::int64_t version = 0;
  Bytes serial;
  Name issuer;
  Validity validity;
  bool unique_identifier = false;
  lint::Subject subject;
  bool default_encoded = false;  // critical FALSE
};

// Findings about how something is written go into the report; a Fault: it cannot be read.
der::Parsed<Parts> read_parts(ByteView tbs, Report& report) {
  Parts parts;
  der::Reader outer(tbs);
  ASSIGN_OR_RETURN(auto reader, outer.enter(der::kSequence));
  TRY(outer.finish());
  ASSIGN_OR_RETURN(auto version, reader.enter(der::context_constructed(0)));
  ASSIGN_OR_RETURN(parts.version, version.integer());
  ASSIGN_OR_RETURN(parts.serial, reader.big_integer());
  TRY(read_algorithm(reader));
  ASSIGN_OR_RETURN(parts.issuer, Name::read(reader));
  ASSIGN_OR_RETURN(auto dates, reader.enter(der::kSequence));
  ASSIGN_OR_RETURN(parts.validity.notBefore, read_time(dates, report));
  ASSIGN_OR_RETURN(parts.validity.notAfter, read_time(dates, report));
  TRY(dates.finish());
  ASSIGN_OR_RETURN(parts.subject.name, Name::read(reader));
  ASSIGN_OR_RETURN(parts.subject.key, read_spki(reader));
  for (const unsigned identifier : {1U, 2U}) {
    ASSIGN_OR_RETURN(const auto found, reader.optional(der::context(identifier)));
    parts.unique_identifier = parts.unique_identifier || found;
  }
  if (!reader.at_end()) {
    ASSIGN_OR_RETURN(auto wrapped, reader.enter(der::context_constructed(3)));
    const auto octets = wrapped.rest();
    ASSIGN_OR_RETURN(parts.subject.extensions, read_extensions(wrapped));
    TRY(wrapped.finish());
    der::Writer again(octets.size());
    write(again, parts.subject.extensions);
    parts.default_encoded = !equal(again.bytes(), octets);
  }
  parts.subject.self_issued = parts.subject.name == parts.issuer;
  TRY(reader.finish());
  return parts;
}

// What others could not read, or should not, whatever a profile says.
void check_forms(const Parts& parts, Report& report) {
  if (const auto wrong = wrong_form(parts.issuer)) report.fatal("name-form", "issuer: " + *wrong);
  if (const auto wrong = wrong_form(parts.subject.name)) {
    report.fatal("name-form", "subject: " + *wrong);
  }
  if (const auto wrong = wrong_form(parts.subject.key)) report.fatal("key-form", *wrong);
  for (const auto& extension : parts.subject.extensions) {
    if (const auto wrong = wrong_form(extension)) report.fatal("extension-form", *wrong);
  }
  if (parts.default_encoded) {
    report.fatal("extension-form", "an extension says that it is not critical (X.690 11.5)");
  }
}

// The rules of RFC 5280.
void check_rules(Parts& parts, const Certificate& issuer, Report& report) {
  if (parts.version != 2) report.error("version", "a certificate with extensions is v3 (4.1.2.1)");
  check_serial(parts.serial, report);
  if (parts.issuer != issuer.subject()) {
    report.error("issuer", "the issuer is not spelled as in the CA certificate (4.1.2.4)");
  }
  check_validity(parts.validity, issuer, report);
  if (parts.unique_identifier) {
    // 4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique
    // identifiers."
    report.error("unique-identifier", "there is a unique identifier (4.1.2.8)");
  }
  auto& subject = parts.subject;
  lint::check_name(subject.name, report);
  auto values = read_values(subject.extensions);
  if (!values) return report.fatal("extension-value", values.error().text);
  subject.values = *std::move(values);
  lint::check_extensions(subject, report);
  lint::check_alternative_names(subject, report);
}

bool is_fatal(const LintFinding& finding) { return finding.level == LintFinding::Level::fatal; }

LintFindings fatal_findings(ByteView tbs) {
  Report report;
  if (const auto parts = read_parts(tbs, report)) {
    check_forms(*parts, report);
  } else {
    report.fatal("encoding", "it is malformed: " + parts.error().what);
  }
  auto findings = std::move(report).take();
  std::erase_if(findings, std::not_fn(is_fatal));
  return findings;
}

}  // namespace

LintFindings lint_certificate(ByteView tbs, const Certificate& issuer) {
  Report report;
  if (auto parts = read_parts(tbs, report)) {
    check_forms(*parts, report);
    check_rules(*parts, issuer, report);
  } else {
    report.fatal("encoding", "it is malformed: " + parts.error().what);
  }
  return std::move(report).take();
}

Allowed<LintFindings> lint_for(const ProfileSettings& profile, ByteView tbs,
                               const Certificate& issuer) {
  const bool off = profile.lint == ProfileSettings::Lint::off;
  auto findings = off ? fatal_findings(tbs) : lint_certificate(tbs, issuer);
  std::erase_if(findings, [&](const LintFinding& finding) {
    return !is_fatal(finding) &&
           std::ranges::find(profile.lint_allow, finding.rule) != profile.lint_allow.end();
  });
  const auto words = [&] { return words_for(findings, LintFinding::Level::error); };
  if (std::ranges::any_of(findings, is_fatal)) {
    return refuse(Refusal::Reason::extension, "others could not use the certificate: " + words());
  }
  if (profile.lint == ProfileSettings::Lint::warn || !has_errors(findings)) return findings;
  return refuse(Refusal::Reason::extension, "the certificate would break RFC 5280: " + words());
}

Allowed<ReviewedTbs> review(const ProfileSettings& profile, Bytes tbs, const Certificate& issuer) {
  ASSIGN_OR_RETURN(auto findings, lint_for(profile, tbs, issuer));
  return ReviewedTbs(std::move(tbs), std::move(findings));
}

Result<ReviewedTbs> review_own(Bytes tbs) {
  const auto findings = fatal_findings(tbs);
  if (findings.empty()) return ReviewedTbs(std::move(tbs), {});
  return hold(
      "others could not use the certificate: " + words_for(findings, LintFinding::Level::error),
      "they come from names, keys and extensions that were given");
}

const std::vector<std::string_view>& fatal_rules() {
  static const std::vector<std::string_view> rules = {"encoding", "name-form", "key-form",
                                                      "extension-form", "extension-value"};
  return rules;
}

const std::vector<std::string_view>& lint_rules() {
  static const std::vector<std::string_view> rules = {"serial-positive",
                                                      "serial-length",
                                                      "validity-encoding",
                                                      "validity-order",
                                                      "validity-nesting",
                                                      "version",
                                                      "issuer",
                                                      "unique-identifier",
                                                      "subject-string",
                                                      "subject-length",
                                                      "subject-country",
                                                      "subject-twice",
                                                      "subject-email",
                                                      "subject-empty",
                                                      "basic-constraints",
                                                      "path-length",
                                                      "key-usage",
                                                      "key-usage-key",
                                                      "key-usage-critical",
                                                      "key-identifier",
                                                      "purposes",
                                                      "name-constraints",
                                                      "criticality",
                                                      "distribution-point",
                                                      "alternative-name",
                                                      "alternative-name-critical"};
  return rules;
}

bool has_errors(const LintFindings& findings) {
  return std::ranges::any_of(findings, [](const LintFinding& finding) {
    return finding.level != LintFinding::Level::warning;
  });
}

std::string words_for(const LintFindings& findings, LintFinding::Level level) {
  std::string text;
  for (const auto& finding : findings) {
    const bool warning = finding.level == LintFinding::Level::warning;
    if (warning != (level == LintFinding::Level::warning)) continue;
    text += (text.empty() ? "" : "; ") + std::string(finding.rule) + ": " + finding.text;
  }
  return text;
}

}  // namespace cmpost
