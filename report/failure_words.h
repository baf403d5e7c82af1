// What a PKIFailureInfo says, for people who do not know CMP.
#pragma once

#include <string_view>

namespace cmpost {

// By its name as in RFC 9810 5.2.3 ("badPOP"); empty: not known.
std::string_view failure_words(std::string_view name);

}  // namespace cmpost
