#include "watcher/deposited_sign.h"

#include <unistd.h>

#include "base/presence.h"
#include "carrier/hash_list.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kJobDigits = 2 * sizeof(JobId::octets);

}  // namespace

// Hidden: no file that comes by `in` is called so.
DepositedSign::DepositedSign(const DropDirectory& drop, const JobId& list)
    : drop_(drop), name_(".deposited-" + list.text()) {}

Result<std::set<JobId>> DepositedSign::read() const {
  std::set<JobId> jobs;
  // A line of a list is longer than one of these.
  ASSIGN_OR_RETURN(const auto text, read_if_there(drop_.at(Place::work), name_, kLargestHashList));
  if (!text) return jobs;
  auto rest = text_of(*text);
  while (!rest.empty()) {
    const auto job = JobId::from_text(rest.substr(0, kJobDigits));
    if (!job || rest.size() <= kJobDigits || rest[kJobDigits] != '\n') {
      return hold(name_ + " in .work is damaged", "remove it if the answers of the list have come");
    }
    jobs.insert(*job);
    rest.remove_prefix(kJobDigits + 1);
  }
  return jobs;
}

Result<void> DepositedSign::write(const std::set<JobId>& jobs) const {
  std::string text;
  for (const auto& job : jobs) text += job.text() + "\n";
  return write_file(drop_.path() + "/.work/" + name_, view_of(text), 0640, IfExists::replace);
}

void DepositedSign::remove() const { ::unlinkat(drop_.at(Place::work).get(), name_.c_str(), 0); }

}  // namespace cmpost
