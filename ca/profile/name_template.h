// How a value of a request may stand in a name that a profile derives from it: where nothing in it
// can be taken for the syntax of the name, so that the constants of the template stay what they
// are.
#pragma once

#include <string>
#include <string_view>

#include "ca/lint/refusal.h"

namespace cmpost {

// `text` begins with the kind of a name ("DNS:"): whoever asks does not choose it.
bool names_a_kind(std::string_view text);

// What takes the place of {`placeholder`} behind `before`, which begins with the kind. In a host:
// one label, or the host that {dns} is; in a mailbox: letters, digits and "-_.+", or the mailbox
// that {email} is; in the path and what follows of a URI: percent-encoded; in a dirName: escaped.
// A refusal for what has no place there.
Allowed<std::string> fit_into_name(std::string_view placeholder, std::string_view value,
                                   std::string_view before);
// Of the whole: what only all parts together can spoil. Empty when it is right.
std::string fault_of_filled(std::string_view text);

// A value as RFC 4514 2.4 writes it, by the escape that is right for every octet.
std::string escaped_value(std::string_view value);

}  // namespace cmpost
