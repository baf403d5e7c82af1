// Who decides, and in whose name.
#pragma once

#include <optional>
#include <vector>

#include "app/instance/instance.h"
#include "app/officers/decision_choice.h"
#include "processor/officers/verdict_text.h"

namespace cmpost {

Result<std::vector<Officer>> load_officers(const Settings& settings);

// nullopt: the settings name none, and everybody may decide. An Error for who is none, and for a
// --as that is another one.
Result<std::optional<Officer>> acting_officer(const Instance& instance);

// The text of a verdict about a part that waits, at this time. An Error where none does, and where
// nobody has recorded what it is about.
Result<VerdictText> verdict_about(const NamedRequest& named, Connection& connection,
                                  const std::string& officer, bool approves,
                                  const std::string& reason, Time now);

}  // namespace cmpost
