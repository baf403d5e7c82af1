#include "processor/ca_role/consent_words.h"

#include <algorithm>

#include "ca/lint/extension_values.h"
#include "ca/lint/words.h"
#include "ca/serial_number.h"
#include "cmp/inspect/inspect.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

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
