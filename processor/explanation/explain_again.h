// The checks of a request's parts once more, to find the one that has said what is recorded.
#pragma once

#include "processor/explanation/explain.h"

namespace cmpost {

struct Asked {
  const PKIMessage& message;
  ByteView der;
  Sha256 digest{};
  std::string channel;
  Time at{};
};

// As ledger and settings are now, so that nothing of it may be told but where it agrees with what
// was recorded. Empty where the sender would not be believed now. The names begin with "request
// <certReqId>: ", those of p10cr with "request: ".
Result<CheckVerdicts> explain_again(const Asked& asked, LedgerReader& ledger,
                                    const ProcessorServices& services);

}  // namespace cmpost
