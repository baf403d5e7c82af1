// The tables of the spool database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/connection.h"

namespace cmpost {

// `sql` with every $ replaced by the name of a queue's table ("request" or "reply").
std::string for_table(std::string_view sql, std::string_view table);

const std::vector<Migration>& spool_migrations();

}  // namespace cmpost
