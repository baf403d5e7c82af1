#include "processor/ca_role/consent_words.h"

#include <algorithm>

#include "base/joined.h"
#include "ca/lint/extension_values.h"
#include "ca/lint/words.h"
#include "ca/serial_number.h"
#include "cmp/inspect/inspect.h"
#include "config/text/units.h"
#include "processor/admission/revocation_passphrase.h"

namespace cmpost {
namespace {

std::string role_of(const Requester& requester) {
  using Role = CertificateHolder::Role;
  const auto* holder = requester.certificate();
  if (holder == nullptr) {
    return requester.secret()->revokes ? "revocation passphrase" : "shared secret";
  }
  switch (holder->role) {
    case Role::end_entity:
      return "holder of a certificate of this CA";
    case Role::vendor:
      return "holder of a certificate of a vendor";
    case Role::ra:
      return "registration authority";
    case Role::ca:
      return "another CA";
  }
  return "unknown";
}

std::string in_a_row(const std::vector<std::string>& texts, std::string_view if_none) {
  return texts.empty() ? std::string(if_none) : joined(texts);
}

// What the operator has said when it was made; how often it has been used since would make another
// object of it each time.
void add_limits(const Secret& secret, ConsentObject& object) {
  object.add("secret is for", secret.subject.empty() ? "any subject" : secret.subject);
  object.add("secret is for names", in_words(secret.san));
  object.add("secret is for profiles", in_a_row(secret.profiles, "all that are for secrets"));
  object.add("secret counts on channels",
             secret.channels.any ? "any" : in_a_row(secret.channels.names, "the first"));
  if (secret.max_uses) {
    object.add("secret is good for", std::to_string(*secret.max_uses) + " certificates");
  }
  if (secret.expires) object.add("secret expires", to_iso8601(*secret.expires));
}

void add_requester(const Requester& requester, ConsentObject& object) {
  const auto credential = requester.credential();
  object.add("asked by", requester.text() + ", " + role_of(requester), view_of(credential));
  const auto* holder = requester.certificate();
  if (holder != nullptr) {
    const auto& certificate = holder->certificate;
    object.add("with certificate", serial_text(certificate.serial_number()) + " of " +
                                       certificate.issuer().text() + ", SHA-256 " +
                                       to_hex(certificate.fingerprint()));
  }
  const auto* secret = requester.secret();
  if (secret == nullptr || secret->revokes) return;
  add_limits(secret->secret, object);
}

void add_way(const Request& request, ConsentObject& object) {
  object.add("came as", request.source.empty() ? "?" : request.source);
  object.add("on channel", request.channel->settings.name);
  if (!request.peer.empty()) object.add("answers go to", request.peer);
}

// Whoever has such a certificate has a say over others.
void add_rights(const Extensions& extensions, ConsentObject& object) {
  const auto values = read_values(extensions);
  if (!values) return;
  if (const auto& basic = values->basicConstraints; basic && basic->cA) {
    const auto& length = basic->pathLenConstraint;
    object.add("RIGHTS", "of a CA: its holder issues certificates" +
                             (length ? ", CAs below it: " + std::to_string(*length)
                                     : std::string(", CAs below it without limit")));
  }
  if (!values->extKeyUsage) return;
  const std::pair<const Oid*, const char*> purposes[] = {
      {&oid::id_kp_cmcRA, "of a registration authority (cmcRA)"},
      {&oid::id_kp_cmcCA, "of a CA that speaks CMP (cmcCA)"},
      {&oid::id_kp_cmKGA, "to make keys for others (cmKGA)"},
      {&oid::id_kp_OCSPSigning, "to say what is revoked (OCSPSigning)"}};
  for (const auto& [purpose, words] : purposes) {
    if (std::ranges::find(*values->extKeyUsage, *purpose) != values->extKeyUsage->end()) {
      object.add("RIGHTS", words);
    }
  }
}

// A key that is made here is another one each time; what the profile derives from it is shown
// without it.
struct KeyMask {
  std::string digits;  // of the key identifier; empty: nothing to hide

  static constexpr std::string_view kInstead = "{key of its own}";
  template <typename Octets>
  Octets hide(Octets value) const {
    if (digits.empty()) return value;
    auto at = value.begin();
    while ((at = std::search(at, value.end(), digits.begin(), digits.end())) != value.end()) {
      at = std::copy(kInstead.begin(), kInstead.end(), at);
    }
    return value;
  }
};
KeyMask mask_for(const ProvenRequest& proven) {
  if (!proven.generated) return {};
  return {to_hex(proven.wish.key.key_identifier()).substr(0, KeyMask::kInstead.size())};
}

Bytes exact(const Extension& extension) {
  der::Writer writer;
  write(writer, extension);
  return std::move(writer).take();
}

void add_extension(const Extension& extension, const KeyMask& mask, ConsentObject& object) {
  const auto name =
      plain_name(extension.extnID) + (extension.critical ? std::string(" (critical)") : "");
  const auto whole = mask.hide(exact(extension));
  const auto values = extension.extnID == oid::id_ce_subjectAltName
                          ? read_values({extension})
                          : Allowed<ExtensionValues>(ExtensionValues{});
  if (!values || !values->subjectAltName) {
    object.add(name, mask.hide(inspect_extension(extension)), whole);
    return;
  }
  for (const auto& one : *values->subjectAltName) {
    object.add(name, mask.hide(one.text()), mask.hide(one.der));
  }
}

// It follows from the key, which is shown.
bool follows_from_key(const Extension& extension) {
  return extension.extnID == oid::id_ce_subjectKeyIdentifier;
}

std::string fingerprint(ByteView spki) { return "SHA-256 " + to_hex(sha256(spki)); }

void add_key(const ProvenRequest& proven, ConsentObject& object) {
  const auto& key = proven.wish.key;
  if (proven.generated) {
    object.add("key", key.description() + ", made here");
    object.add("PRIVATE KEY", "leaves, for who asks alone");
  } else {
    object.add("key", key.description() + ", " + fingerprint(key.spki()), key.spki());
  }
  if (proven.to_archive) object.add("PRIVATE KEY", "is kept in the archive");
  if (proven.by_certificate) object.add("certificate", "leaves encrypted to its key");
}

// Rules, not times: when it will be granted is not known.
void add_validity(const CertificateWish& wish, const ProfileSettings& profile,
                  ConsentObject& object) {
  const auto whole_seconds = [](Time time) {
    return to_iso8601(std::chrono::floor<std::chrono::seconds>(time));
  };
  object.add("valid from",
             wish.not_before ? whole_seconds(*wish.not_before) + ", not before it is granted"
                             : "its granting on, less " + spell_duration(profile.not_before_slack));
  object.add("valid for",
             "at most " + spell_duration(profile.validity) + ", and as long as the CA");
  if (wish.not_after) object.add("valid until", "at most " + whole_seconds(*wish.not_after));
}

void add_changes(const CertificatePlan& plan, const KeyMask& mask, ConsentObject& object) {
  const auto lasting = plan.changes.size() - plan.changes_of_validity;
  for (std::size_t i = 0; i < lasting; ++i) {
    object.add("profile changes", mask.hide(plan.changes[i]));
  }
}

std::string asked_for(const PKIBody& body) {
  const auto name = std::string(body_name(body));
  if (std::holds_alternative<body::rr>(body)) return name + ", a revocation";
  if (std::holds_alternative<body::krr>(body)) return name + ", the recovery of private keys";
  if (std::holds_alternative<body::kur>(body)) return name + ", a renewal";
  if (std::holds_alternative<body::ccr>(body)) return name + ", a cross certificate";
  if (std::holds_alternative<body::genm>(body)) return name + ", information";
  return name + ", a certificate";
}

std::string words_of(const Revocation& revocation) {
  return "reason " + std::string(to_string(revocation.reason)) +
         (revocation.invalidity_date
              ? ", not trustworthy since " + to_iso8601(*revocation.invalidity_date)
              : "");
}

Result<CertificateRecord> record_of(const Bytes& serial, CaServices& services) {
  ASSIGN_OR_RETURN(auto record, services.ledger.find(serial));
  if (record) return std::move(*record);
  return hold("the ledger has lost certificate " + to_hex(serial));
}

}  // namespace

ConsentObject begin_object(const Request& request, const Requester& requester) {
  ConsentObject object;
  object.add("asked for", asked_for(request.message.body));
  add_requester(requester, object);
  add_way(request, object);
  object.add("message", "SHA-256 " + to_hex(request.digest));
  if (header_passphrase(request.message.header, *request.channel) != nullptr) {
    object.add("leaves", "a revocation passphrase of who asks, in the header");
  }
  return object;
}

Outcome<void> describe_certificate(const ProvenRequest& proven, const Profile& profile,
                                   const Request& request, const Requester& requester,
                                   const CaServices& services, ConsentObject& object) {
  ASSIGN_OR_RETURN(const auto plan, plan_for(proven, profile, request, requester, services));
  const auto mask = mask_for(proven);
  object.add("subject", mask.hide(plan.subject.text()), mask.hide(to_bytes(plan.subject.der())));
  add_rights(plan.extensions, object);
  for (const auto& extension : plan.extensions) {
    if (extension.extnID == oid::id_ce_subjectAltName) add_extension(extension, mask, object);
  }
  object.add("profile", profile.name());
  add_key(proven, object);
  add_validity(proven.wish, profile.settings(), object);
  add_changes(plan, mask, object);
  if (proven.wants_v1) object.add("profile changes", "the version is v3");
  for (const auto& extension : plan.extensions) {
    const bool shown = extension.extnID == oid::id_ce_subjectAltName;
    if (!shown && !follows_from_key(extension)) add_extension(extension, mask, object);
  }
  for (const auto& token : proven.tokens) object.add("uses up", "a regToken", view_of(token));
  return {};
}

void describe_record(std::string what, const CertificateRecord& record, std::string_view more,
                     ConsentObject& object) {
  const auto text = serial_text(record.serial) + ", " +
                    (record.subject.empty() ? "no subject" : record.subject) + ", " +
                    std::string(to_string(record.state)) + " until " +
                    to_iso8601(record.not_after) + ", profile " + record.profile + ", issued " +
                    to_iso8601(record.issued) + " to " + record.requester;
  object.add(std::move(what), text + (more.empty() ? "" : "; ") + std::string(more),
             sha256(record.der));
}

Result<void> describe_effects(const Effects& effects, CaServices& services, ConsentObject& object) {
  for (const auto& revocation : effects.revocations) {
    ASSIGN_OR_RETURN(const auto record, record_of(revocation.serial, services));
    describe_record("revokes", record, words_of(revocation), object);
  }
  for (const auto& serial : effects.unrevocations) {
    ASSIGN_OR_RETURN(const auto record, record_of(serial, services));
    describe_record("takes off hold", record, {}, object);
  }
  if (effects.passphrase) {
    object.add("leaves", "a revocation passphrase for " + effects.passphrase->subject,
               effects.passphrase->key_identifier);
  }
  return {};
}

}  // namespace cmpost
