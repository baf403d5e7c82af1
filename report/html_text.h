// Text as HTML, and small elements made of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cmpost {

// Words of ours, or what is printable already. Digits in groups stay on one line.
std::string html(std::string_view text);
// What others have written: made printable (what is hidden or turns the order of a line around
// becomes \xNN), cut at `limit` octets, escaped, and of a direction of its own.
std::string foreign(std::string_view text, std::size_t limit = 300);
// A number in groups: "11 986", on one line.
std::string html_number(std::uint64_t number);

// <name attributes>inner</name>; `attributes` and `inner` are HTML.
std::string element(std::string_view name, std::string_view attributes, std::string_view inner);

// A cell that has its heading beside it where a table becomes a list of cards, on a phone. `label`
// is HTML, `more` are further attributes.
std::string labelled_cell(std::string_view label, std::string_view inner,
                          std::string_view more = {});

}  // namespace cmpost
