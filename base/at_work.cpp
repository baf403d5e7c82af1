#include "base/at_work.h"

#include <list>

#include "base/mutex.h"

namespace cmpost {
namespace {

struct Register {
  Mutex mutex;
  std::list<std::string> entries GUARDED_BY(mutex);
};

Register& all_work() {
  static auto& one = *new Register;  // never destroyed: threads may still enter at the end
  return one;
}

const std::string* enter(const std::string& what) {
  auto& all = all_work();
  const MutexLock lock(all.mutex);
  return &all.entries.emplace_back(what);
}

}  // namespace

AtWork::AtWork(const std::string& what) : entry_(enter(what)) {}

AtWork::~AtWork() {
  auto& all = all_work();
  const MutexLock lock(all.mutex);
  all.entries.remove_if([this](const std::string& entry) { return &entry == entry_; });
}

std::string AtWork::list() {
  auto& all = all_work();
  const MutexLock lock(all.mutex);
  std::string text;
  for (const auto& entry : all.entries) text += (text.empty() ? "" : ", ") + entry;
  return text;
}

}  // namespace cmpost
