// X.501 Name and GeneralName as received, with the questions we ask of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "asn1/der.h"
#include "asn1/oid.h"
#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

struct AttributeTypeAndValue {
  Oid type;
  std::string value;  // UTF-8; for a string type that is not text, "#" and the hex of its DER
  bool is_text = true;
};
using RelativeDistinguishedName = std::vector<AttributeTypeAndValue>;  // a SET: no order

// A value as comparison sees it (RFC 5280 7.1): case and outer blanks do not count, inner blanks
// are one.
std::string folded_value(std::string_view text);

// A Name as its exact DER (SEQUENCE OF RelativeDistinguishedName). Two Names are equal when their
// DER is; `same` also forgives string types, case and inner blanks (RFC 5280 7.1).
class Name {
 public:
  Name() : Name(empty_name()) {}                       // NULL-DN: a SEQUENCE of nothing
  static der::Parsed<Name> read(der::Reader& reader);  // checks the structure
  // "CN=dev1,O=Grid" (RFC 4514, first RDN is the most specific) or "/O=Grid/CN=dev1" (OpenSSL's
  // order); "" is the NULL-DN. Values become UTF8String (C and serialNumber PrintableString, DC and
  // email IA5String).
  static Result<Name> from_text(std::string_view text);

  ByteView der() const { return der_; }
  bool is_null_dn() const { return der_.size() == 2; }
  std::string text() const;                               // RFC 4514, printable
  std::vector<AttributeTypeAndValue> attributes() const;  // in order of the DER
  std::vector<RelativeDistinguishedName> rdns() const;    // same
  std::optional<std::string> first(const Oid& type) const;
  bool same(const Name& other) const;
  // Equal for two Names exactly when they are `same`; for keys of maps.
  std::string comparison_key() const;
  friend bool operator==(const Name&, const Name&) = default;

 private:
  explicit Name(Bytes der) : der_(std::move(der)) {}
  static Bytes empty_name();
  Bytes der_;
};

// GeneralName (RFC 5280 4.2.1.6) as its exact DER.
struct GeneralName {
  Bytes der;
  // The Name when the choice is directoryName [4].
  std::optional<Name> directory_name() const;
  std::string text() const;  // "dirName:CN=a", "DNS:a.example", "email:..", "IP:..", "URI:.."
  static GeneralName of(const Name& name);
  // "DNS:a.example", "email:a@b.example", "URI:https://...", "IP:192.0.2.1", "IP:2001:db8::1",
  // "RID:1.2.3", "dirName:CN=a"; the prefix in any case.
  static Result<GeneralName> from_text(std::string_view text);
  // Equal as RFC 5280 7.2 to 7.5 compare: without case for host names, Name::same() for Names,
  // octet by octet for the rest.
  bool same(const GeneralName& other) const;
  friend bool operator==(const GeneralName&, const GeneralName&) = default;
};
der::Parsed<GeneralName> read_general_name(der::Reader& reader);

}  // namespace cmpost
