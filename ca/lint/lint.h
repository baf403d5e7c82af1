// A last look at a certificate before the CA key signs it: the rules of RFC 5280 that can be
// checked on the octets alone, whatever way they came to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ca/lint/refusal.h"
#include "config/profile_settings.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

struct LintFinding {
  enum class Level {
    warning,  // against a SHOULD, or of doubtful use
    error,    // against a MUST: it is not signed unless the profile allows it
    fatal     // others could not read it, or its key would be nobody's: it is never signed
  };
  Level level = Level::error;
  std::string_view rule;  // "subject-length": what `lint_allow` of a profile names, if not fatal
  std::string text;       // what is wrong, with the section
};
using LintFindings = std::vector<LintFinding>;

// `tbs` is the DER of a TBSCertificate that `issuer` is about to sign. Pure; any thread.
LintFindings lint_certificate(ByteView tbs, const Certificate& issuer);

// The same by the words of a profile: the findings that are to be logged, or a Refusal that names
// those which forbid to sign (`lint`, `lint_allow`).
Allowed<LintFindings> lint_for(const ProfileSettings& profile, ByteView tbs,
                               const Certificate& issuer);

// A TBSCertificate that has been looked at: the only thing that a CA key makes a certificate of.
class ReviewedTbs {
 public:
  ByteView der() const { return der_; }
  const LintFindings& findings() const { return findings_; }  // that did not forbid it

 private:
  ReviewedTbs(Bytes der, LintFindings findings)
      : der_(std::move(der)), findings_(std::move(findings)) {}
  friend Allowed<ReviewedTbs> review(const ProfileSettings&, Bytes, const Certificate&);
  friend Result<ReviewedTbs> review_own(Bytes);
  Bytes der_;
  LintFindings findings_;
};
// By lint_for().
Allowed<ReviewedTbs> review(const ProfileSettings& profile, Bytes tbs, const Certificate& issuer);
// What the CA makes for itself - roots, links, CMP certificates - from names and keys that
// operators gave: only what is fatal forbids it.
Result<ReviewedTbs> review_own(Bytes tbs);

// Rules that `lint_allow` may name, and those that nothing allows to break.
const std::vector<std::string_view>& lint_rules();
const std::vector<std::string_view>& fatal_rules();

bool has_errors(const LintFindings& findings);  // or fatal ones
// "subject-length: ...; key-usage: ..." of the warnings, or of what is more than one.
std::string words_for(const LintFindings& findings, LintFinding::Level level);

}  // namespace cmpost
