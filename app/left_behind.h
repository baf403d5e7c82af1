// What a process that was interrupted has left: keys and certificates in a directory without a
// name. "There is none" and "it cannot be read" are two answers; only of the first anything may be
// made anew or removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/instance.h"
#include "base/presence.h"

namespace cmpost {

// The certificates in a PEM file; nullopt: there is no file, or no certificate in it.
Result<std::optional<std::vector<Certificate>>> certificates_if_there(const std::string& path);

// Whether this very certificate is on the books.
Result<bool> is_on_books(Instance& instance, const Certificate& certificate);

// Before `directory` is removed: an Error when a certificate in it is on the books, or when that
// cannot be found out. Of a directory that does not exist nothing is said.
Result<void> check_nothing_on_books(Instance& instance, const std::string& directory);

}  // namespace cmpost
