// What a requester may have: the one place for rights. Who somebody is, authentication.h finds out;
// what is asked for is held against this, whatever the body.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ca/ledger/certificate_record.h"
#include "ca/profile/profile.h"
#include "cmp/pki_body.h"
#include "cmp/pki_failure_info.h"
#include "processor/credentials/name_pattern.h"

namespace cmpost {

struct CertificateHolder;
struct ChannelPolicy;
struct ChannelRule;
class Requester;

using BodySet = std::bitset<std::variant_size_v<PKIBody>>;  // by PKIBody::index()

// Made from the credential and the settings of the channel (rights_of). By itself it is the right
// to nothing.
struct Rights {
  RequesterKind kind = RequesterKind::secret;
  // What it may send here. `denial`: what is told about the rest.
  BodySet bodies;
  Rejection denial{PKIFailureInfo::notAuthorized, "nobody has a right to this"};
  // Names of a new certificate.
  SubjectRule subject;
  std::optional<SubjectPattern> pattern;  // that of `subject`, read once
  SanRule san;
  std::optional<Certificate> own;          // whose names `own` means: the requester's certificate
  std::string profile, serial_hex;         // of that certificate, where the ledger knows it
  std::vector<std::string> profiles;       // the only ones, and these whatever they say themselves
  std::optional<std::int64_t> left;        // certificates; nullopt: any number
  bool by_row = false;                     // a row of the list of devices says what it may have
  std::optional<std::int64_t> row_allows;  // certificates in all, before renewals
  bool unlisted = false;                   // no certificate before its device has a row
  bool only_renews = false;                // a device of the list with a certificate from here
  bool used_up = false;                    // none are left, and that is all that is against it
  bool others = false;                     // speaks for others
  std::optional<HolderIdentity> revokes;   // by passphrase: the holder whose certificates
};

// Whether what is for these channels is for this one; for none that is named: for the first.
bool counts_here(const ChannelRule& rule, const ChannelPolicy& channel);

// The Rights of who has been authenticated on this channel, at this time. An Error for a pattern in
// the ledger that is none.
Result<Rights> rights_of(const Requester& requester, const ChannelPolicy& channel, Time now);
// Of who has shown a certificate and nothing else yet; of a CA whose announcement is signed.
Result<Rights> rights_of(const CertificateHolder& holder, const ChannelPolicy& channel);
Rights rights_of_speaker(const Certificate& ca);

// What is asked for, one thing at a time. Borrowed.
namespace wanted {
// That a message of this body is worked on.
struct Message {
  const PKIBody& body;
};
// What is asked for by it, whatever that is: by its kind of requester. Of who has Message, where
// the rest cannot be judged.
struct Kind {
  const PKIBody& body;
};
// A revocation passphrase of its own. `opens`: with a message that opens a transaction.
struct Passphrase {
  bool opens = true;
};
// A certificate, as far as the wish tells; `granted`: those before it in the same message. What
// comes of it is asked for as a PlannedCertificate.
struct NewCertificate {
  const PKIBody& body;
  const Profile& profile;
  const Name& subject;
  const Extensions& extensions;
  std::size_t granted = 0;
  // It goes on to another CA as it is: what the profile ignores of it is asked for there.
  bool unchanged = false;
};
// One instead of `old`. `named`: the profile is asked for by its name.
struct RenewedCertificate {
  const Profile& profile;
  bool named = false;
  const Name& subject;
  const Extensions& extensions;
  bool unchanged = false;  // as above
};
// What the profile has made of a wish for this subject, new or instead of the requester's own.
struct PlannedCertificate {
  const Profile& profile;
  const Name& subject;
  const CertificatePlan& plan;
  bool renews = false;
};
// That a certificate is revoked, or taken off hold.
struct Revocation {
  const CertificateRecord& target;
  const Name& subject;  // its
  bool release = false;
};
// The archived keys of this subject, or those of its own.
struct ArchivedKeys {
  const std::optional<Name>& subject;
};
// That its protection is added to somebody's message, or stands around a batch.
struct Endorsement {};
// A ciphertext for its KEM key, so that it can protect what it sends.
struct KemCiphertext {};
}  // namespace wanted
using AskedFor =
    std::variant<wanted::Message, wanted::Kind, wanted::Passphrase, wanted::NewCertificate,
                 wanted::RenewedCertificate, wanted::PlannedCertificate, wanted::Revocation,
                 wanted::ArchivedKeys, wanted::Endorsement, wanted::KemCiphertext>;

// Whether an extension names somebody, as subjectAltName does, which has a right of its own.
bool names_somebody(const Oid& extension);

// Whether it may have it. notAuthorized, or as the rule has it.
Checked<void> check_right(const Rights& rights, const AskedFor& wanted);

}  // namespace cmpost
