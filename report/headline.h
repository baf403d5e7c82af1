// What a report says first, and every printer in the same words: one sentence, a traffic light with
// its reason, and what people have to do.
#pragma once

#include <string>
#include <vector>

#include "report/to_do.h"

namespace cmpost {

struct Headline {
  std::string sentence;  // with a full stop; printable, whatever others have written
  Light light = Light::green;
  std::string because;           // of the light, in one sentence
  std::vector<ToDo> what_to_do;  // the most urgent first; may be empty
};

// A run is red when it did not come to its end, when something that others rely on has ended or
// when its numbers do not add up; else yellow when somebody has to do something; else green. As of
// the end of the run: no clock is asked.
Headline headline(const RunFacts& facts, const RunCounts& listed);

// All requests that the run knows of: worked on, listed or not.
std::uint64_t requests_of(const RunFacts& facts);
std::uint64_t refused_of(const RunFacts& facts);

}  // namespace cmpost
