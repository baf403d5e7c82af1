// The first screen of the page: what happened, how bad it is, what has to be done.
#pragma once

#include <string>

#include "report/headline.h"

namespace cmpost {

std::string first_screen(const RunFacts& facts, const Headline& first);

}  // namespace cmpost
