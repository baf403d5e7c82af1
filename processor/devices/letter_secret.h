// Secrets that travel on paper and are typed by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace cmpost {

// 125 bits by chance in Crockford's base32, five groups of five characters, and a sixth group of
// check characters: its first one belongs to the first group, and so on, so that whoever types it
// learns which group is wrong. What the device uses are all thirty characters, in capitals and
// without anything between them.
std::string make_letter_secret(Random& random);

// "ABCDE-FGHJK-..." for the eye.
std::string in_groups_of_five(std::string_view secret);

struct TypedSecret {
  std::string secret;  // as the device has to use it; empty: it is wrong
  // From 1: groups in which a character is wrong, or two neighbours are in the wrong order. The
  // check of one group finds every such mistake.
  std::vector<int> wrong_groups;
  std::string fault;  // where it cannot be told by groups: too short, a character that there is not
};
// Small letters are capitals, O is 0, I and L are 1; dashes and blanks do not count.
TypedSecret read_letter_secret(std::string_view typed);

}  // namespace cmpost
