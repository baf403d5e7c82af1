// Patterns of names, as settings and secrets have them: whether somebody may have a name.
#pragma once

#include <string>
#include <string_view>

#include "asn1/name.h"
#include "base/result.h"

namespace cmpost {

// "CN=dev-*,O=Grid": the attributes that a subject has, no fewer and no more, each with a value
// that the pattern's covers.
class SubjectPattern {
 public:
  // As Name::from_text(); '*' is any run of characters but '*', '/', '=' and '\\'.
  static Result<SubjectPattern> parse(std::string_view text);

  // The RDNs count in their order, those of one RDN in any. Values compare as RFC 5280 7.1 has it,
  // whatever their string type. What cannot be seen, and what is no text, no '*' covers.
  bool covers(const Name& subject) const;
  bool is_exact() const { return exact_; }    // has no '*'
  const Name& name() const { return name_; }  // of an exact one

 private:
  Name name_;
  std::vector<RelativeDistinguishedName> rdns_;
  bool exact_ = true;
};

// "DNS:*.grid.example", "email:*@grid.example", "IP:192.0.2.7", ...: one name, or, with a '*',
// some.
class AlternativeNamePattern {
 public:
  // As GeneralName::from_text(). '*' covers one or more characters of a label: letters, digits, '-'
  // and '_'. A wildcard in the name is written "\*".
  static Result<AlternativeNamePattern> parse(std::string_view text);

  bool covers(const GeneralName& name) const;

 private:
  GeneralName exact_;       // without a '*'
  std::string with_stars_;  // else: as GeneralName::text() has it, in small letters
};

}  // namespace cmpost
