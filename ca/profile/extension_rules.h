// Which extensions a profile makes of the requested ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ca/lint/extension_values.h"
#include "ca/lint/refusal.h"
#include "ca/profile/derived_values.h"
#include "config/profile_settings.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// The rules of one profile, prepared. Immutable; any thread.
class ExtensionPolicy {
 public:
  static Result<ExtensionPolicy> create(const ProfileSettings& profile);

  struct Granted {
    Extensions extensions;             // in the order that is written; with subjectKeyIdentifier
    std::vector<std::string> changes;  // how they differ from what was requested
  };
  // What makes certificates of this profile more than their holder's own, in words: purposes and
  // bits of keyUsage that speak for a PKI, from whatever rule they come.
  std::vector<std::string> powers() const;
  Allowed<Granted> apply(const Extensions& requested, const PublicKey& key,
                         const DerivedValues& derived) const;

 private:
  // One extension that the profile has a word about.
  struct Entry {
    Oid id;
    std::string name;
    ExtensionRule rule;
    bool known = false;  // we know what it means
    // The profile's value: of a fixed or default rule, or written by us.
    std::optional<Extension> own;
  };
  struct Request;  // what was requested, and for which key
  using Choice = Allowed<std::optional<Extension>>;

  Result<void> prepare(const ProfileSettings& profile);
  Result<void> prepare_listed();
  Result<void> prepare_value(Entry& entry);
  Result<void> check_settings() const;
  bool is_listed(const Oid& id) const;
  Entry unlisted(const Oid& id) const;

  // Adds to `granted` what becomes of one extension.
  Allowed<void> grant(const Entry& entry, const Request& request, Granted& granted) const;
  Allowed<void> check_authority(const Request& request) const;
  Allowed<void> check_rule(const Entry& entry, const Extension* asked) const;
  Choice decide(const Entry& entry, const Request& request, Granted& granted) const;
  Choice copied(const Entry& entry, const Request& request, Granted& granted) const;
  Choice replaced(const Entry& entry, const Request& request, Granted& granted) const;
  Choice copied_key_usage(const Request& request, Granted& granted) const;
  Choice copied_purposes(const Extension& asked, const Request& request, Granted& granted) const;
  Choice copied_names(const Extension& asked, const Request& request) const;
  Choice derived_names(const Entry& entry, const Request& request, Granted& granted) const;
  Choice own_key_usage(const Request& request) const;
  Extension subject_key_identifier(const Request& request, Granted& granted) const;

  ProfileSettings profile_;
  std::uint32_t key_usage_ = 0;  // bit i is named bit i
  std::vector<Oid> purposes_;
  std::vector<Entry> entries_;
};

}  // namespace cmpost
