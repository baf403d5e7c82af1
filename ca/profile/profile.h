// What certificates of one kind look like, and what a requester may choose.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ca/lint/refusal.h"
#include "config/settings.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {

// What was asked for, whoever asked and in whatever form.
struct CertificateWish {
  Name subject;
  PublicKey key;
  Extensions extensions;
  std::optional<Time> not_before, not_after;
};

// What would be issued: everything but issuer, serial number, authorityKeyIdentifier.
struct CertificatePlan {
  Name subject;
  Bytes subjectPublicKeyInfo;
  Time notBefore{};
  Time notAfter{};
  Extensions extensions;  // in the order that is written; with subjectKeyIdentifier
  std::vector<std::string>
      changes;  // how it differs from the wish, in words; not empty: grantedWithMods
  std::size_t changes_of_validity = 0;  // so many, the last, are about times, and so about `now`
  // Of the subject (SubjectPolicy::Granted): what is no constant that the profile has added, and
  // whether all that was asked for is in it.
  Name chosen_subject{};
  bool keeps_subject = false;
};

// Immutable; any thread.
class Profile {
 public:
  // An Error for settings that cannot work together.
  static Result<Profile> create(const ProfileSettings& settings);

  const std::string& name() const;
  const ProfileSettings& settings() const;
  // Why its certificates have power over others than their holders, in words: they are CAs, have a
  // role in this PKI (RFC 9810 8.10), or speak for it. Empty for an ordinary profile.
  const std::vector<std::string>& powers() const;
  // Who may choose it: what `who` says, else anybody, but nobody where it gives powers.
  const RequesterKinds& who() const;
  // Whether what a request says of this extension can be seen in the certificate, be it copied or
  // in a value that is derived from it.
  bool heeds(const Oid& extension) const;
  // Whether it puts values that are derived from the request into the subject: what is asked for
  // and what is granted are two names then.
  bool derives_subject() const;
  // Whether its rules name this extension, rather than all that they do not list.
  bool lists(const Oid& extension) const;
  // The rules applied to a wish. `latest` bounds notAfter: the CA's
  // own certificate. Pure: the same wish gives the same plan.
  tl::expected<CertificatePlan, Refusal> plan(const CertificateWish& wish, Time now,
                                              Time latest) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace cmpost
