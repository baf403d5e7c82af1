// What somebody probably meant to write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// The candidate nearest to `word` by edits (insert, remove, replace, swap of neighbours; case does
// not count); nullopt when even that one is too far away to be a slip of the finger.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// "did you mean 'poll'?", or "one of: in, out, poll" when nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace cmpost
