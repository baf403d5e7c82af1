// Lists of files that are taken all or not at all: ready = "manifest".
#pragma once

#include <string>
#include <string_view>

#include "crypto/keys/algorithm.h"

namespace cmpost {

// Ends in .manifest or .sha256, in any case.
bool is_list_name(std::string_view name);

// What a file of a list is marked with in .done, when others have its name.
std::string mark_of_listed(const Sha256& sha256);

}  // namespace cmpost
