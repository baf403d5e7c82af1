// What a message says of itself, for people: nothing of it is proven.
#pragma once

#include <string>

#include "cmp/pki_message.h"

namespace cmpost {

// Printable and short, whatever a stranger has written; empty where the message does not say.
struct Claims {
  std::string sender;   // "mac:dev1", "cert:CN=relay-3", "CN=somebody"
  std::string subject;  // what is asked for; of several the first
  std::string serial;   // hex: the certificate that is to be renewed or revoked, the first
};
Claims claims_of(const PKIMessage& message);
// Without the sender, for whom who asks is known.
Claims claims_about(const PKIMessage& message);

// How texts of strangers are kept.
std::string short_text(std::string_view text);

}  // namespace cmpost
