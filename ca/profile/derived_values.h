// What the placeholders in derived values of a profile stand for.
#pragma once

#include <string>

#include "ca/lint/refusal.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// Whether nothing but {key} is in it, which nobody chooses: it is a hash of the key.
bool depends_on_key_only(std::string_view pattern);

// The parts of one request that values can be derived from. Borrows what it is made of; costs
// nothing until something is filled in.
class DerivedValues {
 public:
  DerivedValues(const Name& subject, const Extensions& extensions, const PublicKey& key)
      : subject_(subject), extensions_(extensions), key_(key) {}

  // `pattern` with {CN}, {dns}, {key}, ... replaced (see FieldRule): the value of an attribute. A
  // Refusal when the request does not have such a part: nothing is made up.
  Allowed<std::string> fill(std::string_view pattern) const;
  // The same for a GeneralName ("DNS:{CN}.grid.example"): each value as it may stand in its place
  // (name_template.h).
  Allowed<std::string> fill_name(std::string_view pattern) const;

 private:
  template <typename Fit>
  Allowed<std::string> fill(std::string_view pattern, Fit fit) const;
  std::optional<std::string> value_of(std::string_view placeholder) const;
  std::optional<std::string> alternative_name(std::string_view prefix) const;

  const Name& subject_;
  const Extensions& extensions_;
  const PublicKey& key_;
};

}  // namespace cmpost
