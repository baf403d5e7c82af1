// What SQLite complains about, as an Error.
#pragma once

#include <string_view>

#include "base/result.h"

struct sqlite3;

namespace cmpost {

// The Error for the extended result `code` that a call on `database` has just returned; "doing
// path: SQLite's own words". `database` may be null when it could not even be opened. The caller
// has set errno to 0 before its call and has made no other since.
Error sqlite_error(sqlite3* database, int code, std::string_view doing, std::string_view path);

}  // namespace cmpost
