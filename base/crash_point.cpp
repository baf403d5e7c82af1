#include "base/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <string>

#include "base/mutex.h"

namespace cmpost {
namespace {

struct Plan {
  bool armed = false;
  std::string name;  // empty: any step counts
  long left = 0;
};

Plan read_plan() {
  const char* value = std::getenv("CMPOST_CRASH_AT");
  if (value == nullptr || *value == '\0') return {};
  const std::string_view text = value;
  const auto colon = text.rfind(':');
  Plan plan;
  plan.armed = true;
  if (colon != std::string_view::npos) plan.name = text.substr(0, colon);
  plan.left = std::atol(value + (colon == std::string_view::npos ? 0 : colon + 1));
  return plan;
}

}  // namespace

void crash_point(std::string_view name) {
  static Mutex mutex;
  static Plan plan = read_plan();
  static const bool armed = plan.armed;
  if (!armed) return;
  const MutexLock lock(mutex);
  if (!plan.name.empty() && plan.name != name) return;
  if (--plan.left == 0) std::raise(SIGKILL);
}

}  // namespace cmpost
