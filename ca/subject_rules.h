// Which subject a profile makes of the requested one.
#pragma once

#include <string>
#include <vector>

#include "ca/refusal.h"
#include "config/profile_settings.h"
#include "crypto/name.h"

namespace cmpost {

// The rules of one profile, prepared. Immutable; any thread.
class SubjectPolicy {
 public:
  static Result<SubjectPolicy> create(const ProfileSettings& profile);

  // What was requested stays octet for octet and in its order; what the profile adds stands in
  // front of it and is told in `changes`.
  struct Granted {
    Name subject;
    std::vector<std::string> changes;
  };
  Allowed<Granted> apply(const Name& requested) const;

 private:
  struct Field {
    Oid type;
    SubjectField setting;
    Bytes rdn;  // of a fixed or default value
  };
  Allowed<void> check(const AttributeTypeAndValue& attribute) const;

  std::string profile_;
  FieldRule::Kind other_ = FieldRule::Kind::copy;
  std::vector<Field> fields_;
};

}  // namespace cmpost
