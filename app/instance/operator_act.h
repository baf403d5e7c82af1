// Acts of operators in the audit log: each with who has done it.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/instance/instance.h"
#include "ca/ledger/person.h"

namespace cmpost {

// Of this process; the only place that finds out.
Person present_person(const CommonOptions& options);

// `detail` with "account", "uid", and where they are said "sudo_user", "as", "comment".
nlohmann::json by(const Person& person, nlohmann::json detail);

// A record of its own, for what changes nothing in the ledger. Made first, the act after it: what
// was done without a record could not be found.
Result<void> record_act(Instance& instance, std::string_view event, nlohmann::json detail);

// "settings.changed" with the digest of the settings file, in hex, when it is not the one that was
// recorded last. At the start of what works by them. `asked_by`: see note_settings().
Result<void> record_settings(Instance& instance, const std::string& digest,
                             const std::string& asked_by = {});

// The name of an account, or its number.
std::string account_of(uid_t uid);

}  // namespace cmpost
