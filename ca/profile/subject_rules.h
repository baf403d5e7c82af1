// Which subject a profile makes of the requested one.
#pragma once

#include <string>
#include <vector>

#include "asn1/name.h"
#include "ca/lint/refusal.h"
#include "ca/profile/derived_values.h"
#include "config/profile_settings.h"

namespace cmpost {

// The rules of one profile, prepared. Immutable; any thread.
class SubjectPolicy {
 public:
  static Result<SubjectPolicy> create(const ProfileSettings& profile);

  // What was requested stays octet for octet and in its order, but for what the profile sets or
  // drops; what it adds stands in front. Every difference is told in `changes`.
  struct Granted {
    Name subject;
    // The same without what the profile has added of its own: what whoever asks has to have a right
    // to. Derived values are in it, as what they are derived from is the requester's word.
    Name chosen;
    bool keeps_requested = false;  // all that was requested is in it
    std::vector<std::string> changes;
  };
  Allowed<Granted> apply(const Name& requested, const DerivedValues& values) const;

 private:
  struct Field {
    Oid type;
    SubjectField setting;
    Bytes rdn;  // of a fixed, set or default value
  };
  // What becomes of the attributes of one type.
  struct Replacement {
    Oid type;
    Bytes rdn;          // in place of the first of them; empty: none of them stays
    std::string value;  // what `rdn` says
  };
  const Field* field_of(const Oid& type) const;
  Allowed<void> check(const AttributeTypeAndValue& attribute) const;
  // The RDN that the profile wants, whatever is requested; nullopt when it has no say.
  Allowed<std::optional<Replacement>> imposed(const Field& field,
                                              const DerivedValues& values) const;
  void drop_others(const std::vector<AttributeTypeAndValue>& attributes, Granted& granted) const;
  Name replaced(const Name& requested, const std::vector<Replacement>& replacements) const;

  std::string profile_;
  FieldRule::Kind other_ = FieldRule::Kind::copy;
  std::vector<Field> fields_;
};

}  // namespace cmpost
