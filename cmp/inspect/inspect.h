// A PKIMessage in words and as JSON text, for people.
#pragma once

#include <string>

#include "cmp/pki_message.h"

namespace cmpost {

// Indented text, one fact a line; names, times, algorithms and status in words, long octets as hex
// cut after 64 digits. Everything from the message is made printable.
std::string inspect_text(const PKIMessage& message);
// The same facts as one JSON object; octets as full hex.
std::string inspect_json(const PKIMessage& message);

// The value of an extension in one line: "DNS:a.example, DNS:b.example"; whole, and printable.
std::string inspect_extension(const Extension& extension);

// One certificate in the same words, its extensions among them.
std::string inspect_certificate_text(ByteView der);
std::string inspect_certificate_json(ByteView der);

}  // namespace cmpost
