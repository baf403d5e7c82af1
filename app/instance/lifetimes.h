// What is about to end: the CRL and the CA's own certificates; what of others is too old.
#pragma once

#include <string>
#include <vector>

#include "app/instance/instance.h"

namespace cmpost {

struct LifetimeWarning {
  std::string what;     // "the CRL"
  std::string text;     // one sentence about it
  bool urgent = false;  // over, or about to be; else soon
};

// The newest CRL and its delta CRL when a third of their life is left, urgent at a sixth;
// certificates at 60 and 14 days before the end.
Result<std::vector<LifetimeWarning>> find_lifetime_warnings(Instance& instance);
// Of these what needs no key: CRLs, the certificates of the CA and of its answers.
Result<std::vector<LifetimeWarning>> find_lifetimes_without_keys(Instance& instance);
// Writes them to the log, each once a day and as soon as it becomes urgent.
Result<void> log_lifetime_warnings(Instance& instance);

}  // namespace cmpost
