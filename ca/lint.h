// A last look at a certificate before the CA key signs it: the rules of RFC 5280 that can be
// checked on the octets alone, whatever way they came to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ca/refusal.h"
#include "config/profile_settings.h"
#include "crypto/certificate.h"

namespace cmpost {

struct LintFinding {
  enum class Level {
    warning,  // against a SHOULD, or of doubtful use
    error     // against a MUST: it is not signed
  };
  Level level = Level::error;
  std::string_view rule;  // "subject-length": what `lint_allow` of a profile names
  std::string text;       // what is wrong, with the section
};
using LintFindings = std::vector<LintFinding>;

// `tbs` is the DER of a TBSCertificate that `issuer` is about to sign. Pure; any thread.
LintFindings lint_certificate(ByteView tbs, const Certificate& issuer);

// The same by the words of a profile: the findings that are to be logged, or a Refusal that names
// those which forbid to sign (`lint`, `lint_allow`).
Allowed<LintFindings> lint_for(const ProfileSettings& profile, ByteView tbs,
                               const Certificate& issuer);

// Every rule that there is, for settings and documentation.
const std::vector<std::string_view>& lint_rules();

bool has_errors(const LintFindings& findings);
// "subject-length: ...; key-usage: ..." of the findings of one level.
std::string words_for(const LintFindings& findings, LintFinding::Level level);

}  // namespace cmpost
