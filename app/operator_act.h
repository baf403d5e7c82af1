// Acts of operators in the audit log: each with who has done it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/instance.h"
#include "ca/ledger/person.h"

namespace cmpost {

// Of this process; the only place that finds out.
Person present_person(const CommonOptions& options);

// `detail` with "account", "uid", and where they are said "sudo_user", "as", "comment".
nlohmann::json by(const Person& person, nlohmann::json detail);

// A record of its own, for what changes nothing in the ledger. Made first, the act after it: what
// was done without a record could not be found.
Result<void> record_act(Instance& instance, std::string_view event, nlohmann::json detail);

// "settings.changed" with the digest of the settings file, when it is not the one that was recorded
// last. At the start of what works by them.
Result<void> record_settings(Instance& instance);

}  // namespace cmpost
