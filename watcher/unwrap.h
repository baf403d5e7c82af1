// From the octets of a file to the DER of one PKIMessage.
#pragma once

#include <string>

#include "base/bytes.h"

namespace cmpost {

struct Unwrapped {
  enum class What {
    message,     // `message` is one whole element, nothing before or after it
    incomplete,  // may become a message when more octets come
    refused      // never will; `reason` and `hint` are for people
  };
  What what = What::refused;
  Bytes message;
  std::string reason;  // incomplete: what is missing
  std::string hint;
};

// Takes a DER element as it is, one PEM block of any label but a private key's, or one TCP-message
// frame around DER: the old kind (length, type: RFC 2510 5.2) and the "version 10" kind (length,
// 0x0A, flags, type). What is known to be something else (asn1/der_kind.h) is refused by name;
// whether the rest is a PKIMessage is not asked here.
Unwrapped unwrap(Bytes contents);

}  // namespace cmpost
