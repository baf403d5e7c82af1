// What is about to end: the CRL and the CA's own certificates.
#pragma once

#include <string>
#include <vector>

#include "app/instance.h"

namespace cmpost {

struct LifetimeWarning {
  std::string text;     // one sentence
  bool urgent = false;  // over, or at most a sixth of its life left; else at most a third
};

// The newest CRL at a third and a sixth of its life, certificates at 60 and 14 days before the end.
Result<std::vector<LifetimeWarning>> find_lifetime_warnings(Instance& instance);

}  // namespace cmpost
