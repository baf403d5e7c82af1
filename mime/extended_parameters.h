// RFC 2231: parameters in pieces and in other character sets.
#pragma once

#include <vector>

#include "base/result.h"
#include "mime/fields.h"

namespace cmpost {

// From parameters as written ("name*0*") to what they mean ("name"). An Error when one stands twice
// with different values or a piece is missing.
Result<std::vector<Parameter>> joined_parameters(std::vector<Parameter> raw);

}  // namespace cmpost
