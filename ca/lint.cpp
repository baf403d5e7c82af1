#include "ca/lint.h"

#include <algorithm>

#include "ca/lint_report.h"

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

// The parts of a TBSCertificate in their order; a Fault is one more finding.
der::Parsed<void> check_parts(ByteView tbs, const Certificate& issuer, Report& report) {
  der::Reader outer(tbs);
  ASSIGN_OR_RETURN(auto reader, outer.enter(der::kSequence));
  TRY(outer.finish());
  ASSIGN_OR_RETURN(auto version, reader.enter(der::context_constructed(0)));
  ASSIGN_OR_RETURN(const auto number, version.integer());
  if (number != 2) report.error("version", "a certificate with extensions is v3 (4.1.2.1)");
  ASSIGN_OR_RETURN(const Bytes serial, reader.big_integer());
  check_serial(serial, report);
  TRY(read_algorithm(reader));
  ASSIGN_OR_RETURN(const Name issued_by, Name::read(reader));
  if (issued_by != issuer.subject()) {
    report.error("issuer", "the issuer is not spelled as in the CA certificate (4.1.2.4)");
  }
  ASSIGN_OR_RETURN(auto dates, reader.enter(der::kSequence));
  Validity validity;
  ASSIGN_OR_RETURN(validity.notBefore, read_time(dates, report));
  ASSIGN_OR_RETURN(validity.notAfter, read_time(dates, report));
  check_validity(validity, issuer, report);

  lint::Subject subject;
  ASSIGN_OR_RETURN(subject.name, Name::read(reader));
  ASSIGN_OR_RETURN(subject.key, read_spki(reader));
  if (reader.peek() == der::context(1) || reader.peek() == der::context(2)) {
    // 4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique
    // identifiers."
    report.error("unique-identifier", "there is a unique identifier (4.1.2.8)");
    return {};
  }
  if (!reader.at_end()) {
    ASSIGN_OR_RETURN(auto extensions, reader.enter(der::context_constructed(3)));
    ASSIGN_OR_RETURN(subject.extensions, read_extensions(extensions));
  }
  subject.self_issued = subject.name == issued_by;
  lint::check_name(subject.name, report);
  auto values = read_values(subject.extensions);
  if (!values) {
    report.error("extension-value", values.error().text);
    return {};
  }
  subject.values = *std::move(values);
  lint::check_extensions(subject, report);
  lint::check_alternative_names(subject, report);
  return {};
}

}  // namespace

LintFindings lint_certificate(ByteView tbs, const Certificate& issuer) {
  Report report;
  if (const auto read = check_parts(tbs, issuer, report); !read) {
    report.error("encoding", "it is malformed: " + read.error().what);
  }
  return std::move(report).take();
}

Allowed<LintFindings> lint_for(const ProfileSettings& profile, ByteView tbs,
                               const Certificate& issuer) {
  if (profile.lint == ProfileSettings::Lint::off) return LintFindings();
  auto findings = lint_certificate(tbs, issuer);
  std::erase_if(findings, [&](const LintFinding& finding) {
    return std::ranges::find(profile.lint_allow, finding.rule) != profile.lint_allow.end();
  });
  if (profile.lint == ProfileSettings::Lint::warn || !has_errors(findings)) return findings;
  return refuse(Refusal::Reason::extension, "the certificate would break RFC 5280: " +
                                                words_for(findings, LintFinding::Level::error));
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
                                                      "extension-value",
                                                      "encoding",
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
    return finding.level == LintFinding::Level::error;
  });
}

std::string words_for(const LintFindings& findings, LintFinding::Level level) {
  std::string text;
  for (const auto& finding : findings) {
    if (finding.level != level) continue;
    text += (text.empty() ? "" : "; ") + std::string(finding.rule) + ": " + finding.text;
  }
  return text;
}

}  // namespace cmpost
