// Why the CA does not issue what was asked: said in X.509's terms; the processor turns it into
// CMP's.
#pragma once

#include <string>
#include <variant>

#include "base/result.h"

namespace cmpost {

struct Refusal {
  enum class Reason {
    key,             // type, size or curve not allowed, or malformed
    reused_key,      // this key is already certified and the profile forbids it
    subject,         // a name attribute that the profile denies, or a required one is missing
    extension,       // an extension that the profile denies, or one whose value is malformed
    validity,        // asked for a time span outside of the profile's
    ca_certificate,  // CA rights or cmcCA, cmcRA, cmKGA without authorisation
    template_field,  // serialNumber, signingAlg, issuerUID, ... that a requester may not choose
  };
  Reason reason;
  std::string text;
};

// What a rule of a profile yields: a value, or why not.
template <typename T>
using Allowed = tl::expected<T, Refusal>;
inline auto refuse(Refusal::Reason reason, std::string text) {
  return failure(Refusal{reason, std::move(text)});
}

// Either the refusal of a request or trouble of our own.
using CaTrouble = std::variant<Refusal, Error>;

}  // namespace cmpost
