// One check that a message went through, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmp/pki_failure_info.h"

namespace cmpost {

struct CheckVerdict {
  enum class Verdict { passed, failed, skipped };
  std::string check;  // "messageTime"
  Verdict verdict = Verdict::passed;
  std::string detail;  // what was found, or why it failed
};
std::string_view to_string(CheckVerdict::Verdict verdict);
using CheckVerdicts = std::vector<CheckVerdict>;

// The checks of one part of a certificate request that is granted, in their order.
enum class PartCheck { certTemplate, possession, subject, profile, rules, lint };
std::string title_of(PartCheck check);

// What is said one after another.
class VerdictsSoFar {
 protected:
  void pass(std::string check, std::string detail = {}) {
    say(CheckVerdict::Verdict::passed, std::move(check), std::move(detail));
  }
  void fail(std::string check, std::string detail) {
    say(CheckVerdict::Verdict::failed, std::move(check), std::move(detail));
  }
  void skip(std::string check, std::string detail) {
    say(CheckVerdict::Verdict::skipped, std::move(check), std::move(detail));
  }
  CheckVerdicts verdicts_;

 private:
  void say(CheckVerdict::Verdict verdict, std::string check, std::string detail) {
    verdicts_.push_back({std::move(check), verdict, std::move(detail)});
  }
};

// "badPOP: the signature is wrong"
std::string words_of(const Rejection& rejection);

}  // namespace cmpost
