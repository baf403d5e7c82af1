// What a process that was interrupted has left: keys and certificates in a directory without a
// name. "There is none" and "it cannot be read" are two answers; only of the first anything may be
// made anew or removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "base/presence.h"

namespace cmpost {

// The certificates in a PEM file; nullopt: there is no file, or no certificate in it.
Result<std::optional<std::vector<Certificate>>> certificates_if_there(const std::string& path);

// The books' record of this very certificate; nullopt: they do not know it.
Result<std::optional<CertificateRecord>> record_on_books(Instance& instance,
                                                         const Certificate& certificate);
Result<bool> is_on_books(Instance& instance, const Certificate& certificate);

struct LeftBehind {
  std::string file;  // of the certificate
  CertificateRecord record;
};
// The first certificate in `directory` that is on the books; nullopt: none, or there is no such
// directory. An Error: it could not be found out.
Result<std::optional<LeftBehind>> find_left_behind(Instance& instance,
                                                   const std::string& directory);

// Before `directory` is removed: an Error when a certificate in it is on the books, or when that
// cannot be found out. Of a directory that does not exist nothing is said.
Result<void> check_nothing_on_books(Instance& instance, const std::string& directory);

}  // namespace cmpost
