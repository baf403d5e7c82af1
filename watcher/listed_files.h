// Lists of files that are taken all or not at all: ready = "manifest".
#pragma once

#include <string_view>

namespace cmpost {

// Ends in .manifest or .sha256, in any case.
bool is_list_name(std::string_view name);

}  // namespace cmpost
