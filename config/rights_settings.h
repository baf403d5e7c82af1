// Words of the settings for who may have what.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cmpost {

// Kinds of requesters, as `who` of a profile names them.
enum class RequesterKind {
  secret,  // who shares a secret
  holder,  // of a certificate of this CA
  vendor,  // whose certificate leads to `trust`
  ra,      // of `roles.ra`
  ca       // of `roles.ca`
};
std::string_view to_string(RequesterKind kind);
using RequesterKinds = std::set<RequesterKind>;
RequesterKinds anybody();

// Which subject a new certificate may have.
struct SubjectRule {
  enum class Kind {
    own,      // that of the certificate that the requester has
    pattern,  // what `pattern` covers
    any
  };
  Kind kind = Kind::own;
  std::string pattern{};
  friend bool operator==(const SubjectRule&, const SubjectRule&) = default;
};

// Which names a subjectAltName may have.
struct SanRule {
  enum class Kind {
    none,
    own,      // those of the certificate that the requester has; for a secret, its common name
    pattern,  // what one of `patterns` covers
    any
  };
  Kind kind = Kind::own;
  std::vector<std::string> patterns{};
  friend bool operator==(const SanRule&, const SanRule&) = default;
};

// On which channels a credential counts; neither: the one that it came from.
struct ChannelRule {
  bool any = false;
  std::vector<std::string> names{};
  friend bool operator==(const ChannelRule&, const ChannelRule&) = default;
};

// For listings and messages: "own", "none", "any", or the patterns.
std::string in_words(const SubjectRule& rule);
std::string in_words(const SanRule& rule);
// The other way round. nullopt for texts that are neither one word nor patterns.
SubjectRule subject_rule(const std::string& text);
std::optional<SanRule> san_rule(const std::vector<std::string>& texts);

}  // namespace cmpost
