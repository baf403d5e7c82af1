// What the octets of a file are, by their outermost elements.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace cmpost {

// What people have in files beside PKIMessages.
enum class DerKind {
  unknown,  // none of the others, or damaged where that would show
  pki_message,
  certification_request,  // PKCS#10
  certificate,
  crl,
  pkcs12,
  private_key,  // PKCS#8, encrypted or not, PKCS#1, RFC 5915
  public_key,
  cms
};

// Looks at the tags of the first elements only: what it names may still be malformed. A PKIMessage
// is never taken for anything else.
DerKind der_kind(ByteView der);

// With its article, for people: "a PKCS#10 request".
std::string_view in_words(DerKind kind);

}  // namespace cmpost
