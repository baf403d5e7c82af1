// What people write into a list, as far as people and devices can read it again.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// Without blanks at its ends, those among them that only a spreadsheet knows (NO-BREAK SPACE).
std::string without_outer_blanks(std::string_view text);

// What a text is for: `name` is compared with what devices send, `key` with what else is written in
// lists and settings, `prose` only read.
enum class TextUse { name, key, prose };

// An Error, to stand behind the name of the column, for what does not belong on a line, cannot be
// seen, or, in a name, can be written in more than one way.
Result<void> check_text(std::string_view text, TextUse use, std::size_t most);

// Of a secret: one character at the most can be a blank to whoever types it.
bool has_blank(std::string_view text);

// The same for two names that differ in nothing that people see or count: small letters of the
// scripts that have them, and one blank for some. Names of ASCII: as folded_value() has them.
std::string appearance(std::string_view name);

}  // namespace cmpost
