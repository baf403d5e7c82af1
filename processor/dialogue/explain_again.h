// The checks of a request's parts once more, to find the one that has said what is recorded.
#pragma once

#include "processor/dialogue/explain.h"

namespace cmpost {

struct Asked {
  const PKIMessage& message;
  ByteView der;
  Sha256 digest{};
  std::string channel;
  Time at{};
};

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

// As ledger and settings are now, so that nothing of it may be told but where it agrees with what
// was recorded. Empty where the sender would not be believed now. The names begin with "request
// <certReqId>: ", those of p10cr with "request: ".
Result<CheckVerdicts> explain_again(const Asked& asked, LedgerReader& ledger,
                                    const ProcessorServices& services);

}  // namespace cmpost
