// Where the rules note what they find; for the linter's own files.
#pragma once

#include <optional>

#include "ca/lint/extension_values.h"
#include "ca/lint/lint.h"

namespace cmpost::lint {

class Report {
 public:
  void error(std::string_view rule, std::string text) {
    findings_.push_back({LintFinding::Level::error, rule, std::move(text)});
  }
  void warning(std::string_view rule, std::string text) {
    findings_.push_back({LintFinding::Level::warning, rule, std::move(text)});
  }
  void fatal(std::string_view rule, std::string text) {
    findings_.push_back({LintFinding::Level::fatal, rule, std::move(text)});
  }
  LintFindings take() && { return std::move(findings_); }

 private:
  LintFindings findings_;
};

// What the rules about extensions look at.
struct Subject {
  Name name;
  SubjectPublicKeyInfo key;
  Extensions extensions;
  ExtensionValues values;
  bool self_issued = false;

  bool is_ca() const { return values.basicConstraints && values.basicConstraints->cA; }
};

void check_name(const Name& name, Report& report);
void check_extensions(const Subject& subject, Report& report);
void check_alternative_names(const Subject& subject, Report& report);

}  // namespace cmpost::lint
