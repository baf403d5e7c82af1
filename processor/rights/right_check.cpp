// Whether somebody has a right to what is asked for.
#include <algorithm>
#include <array>

#include "ca/lint/extension_values.h"
#include "processor/credentials/holder_identity.h"
#include "processor/rights/rights.h"

namespace cmpost {
namespace {

auto deny(std::string text) { return reject(PKIFailureInfo::notAuthorized, std::move(text)); }

bool is_in(const auto& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

using Names = std::vector<GeneralName>;

// nullopt: there is a subjectAltName, and it cannot be read.
std::optional<Names> names_in(const Extensions& extensions) {
  const auto* extension = find(extensions, oid::id_ce_subjectAltName);
  if (extension == nullptr) return Names{};
  auto values = read_values({*extension});
  if (!values) return std::nullopt;
  return std::move(values->subjectAltName);
}

// A secret's owner by name: what its one subject is called may stand in subjectAltName, too.
Names names_of_owner(const std::optional<SubjectPattern>& pattern) {
  const bool one = pattern && pattern->is_exact();
  const auto called = one ? pattern->name().first(oid::id_at_commonName) : std::nullopt;
  Names names;
  if (!called) return names;
  for (const auto* kind : {"DNS:", "email:", "URI:", "IP:"}) {
    if (auto name = GeneralName::from_text(kind + *called)) names.push_back(*std::move(name));
  }
  return names;
}

bool is_one_of(const Names& names, const GeneralName& wanted) {
  return std::ranges::any_of(names, [&](const auto& name) { return name.same(wanted); });
}

Checked<void> deny_name(const GeneralName& name) {
  return deny("the requester may not ask for the name " + name.text() + " in subjectAltName");
}

Checked<void> check_among(const Names& allowed, const Names& wanted) {
  for (const auto& name : wanted) {
    if (!is_one_of(allowed, name)) return deny_name(name);
  }
  return {};
}

Checked<void> check_patterns(const std::vector<std::string>& patterns, const Names& wanted) {
  for (const auto& name : wanted) {
    const bool covered = std::ranges::any_of(patterns, [&](const std::string& text) {
      const auto pattern = AlternativeNamePattern::parse(text);
      return pattern && pattern->covers(name);
    });
    if (!covered) return deny_name(name);
  }
  return {};
}

Names names_of(const Rights& rights) {
  if (!rights.own) return names_of_owner(rights.pattern);
  return names_in(rights.own->extensions()).value_or(Names{});
}

Checked<void> check_names(const SanRule& san, const Rights& rights, const Names& wanted) {
  if (wanted.empty()) return {};
  switch (san.kind) {
    case SanRule::Kind::any:
      return {};
    case SanRule::Kind::pattern:
      return check_patterns(san.patterns, wanted);
    case SanRule::Kind::own:
      return check_among(names_of(rights), wanted);
    default:
      return check_among({}, wanted);
  }
}

// Extensions that name somebody beside subjectAltName: issuerAltName, subjectDirectoryAttributes,
// nameConstraints, the security identifier of an account (Microsoft), proxyCertInfo, admission,
// subjectAltName as X.509 had it first, TNAuthList and JWTClaimConstraints (RFC 8226),
// biometricInfo, cabfOrganizationIdentifier, netscape-ssl-server-name.
constexpr std::array<std::string_view, 12> kNaming = {
    "2.5.29.18",          "2.5.29.9",          "2.5.29.30",    "1.3.6.1.4.1.311.25.2",
    "1.3.6.1.5.5.7.1.14", "1.3.36.8.3.3",      "2.5.29.7",     "1.3.6.1.5.5.7.1.26",
    "1.3.6.1.5.5.7.1.27", "1.3.6.1.5.5.7.1.2", "2.23.140.3.1", "2.16.840.1.113730.1.12"};
// Those that say nothing of anybody: the profile's own rules bound keyUsage, extendedKeyUsage and
// basicConstraints, the CA writes the identifiers of keys, subjectAltName is held against its own
// right; tlsFeature, privateKeyUsagePeriod and smimeCapabilities bind the holder alone.
constexpr std::array<std::string_view, 9> kHarmless = {
    "2.5.29.15", "2.5.29.37",          "2.5.29.19",
    "2.5.29.14", "2.5.29.35",          "2.5.29.17",
    "2.5.29.16", "1.3.6.1.5.5.7.1.24", "1.2.840.113549.1.9.15"};

// Whether an extension takes the right to any name, or to have been in the requester's certificate:
// what names somebody always; everything else that is not known to be harmless (policies, where
// relying parties look, what is not known at all), unless the profile names what it copies.
bool takes_right(const Oid& extension, const Profile& profile) {
  if (!profile.heeds(extension)) return false;
  const auto dotted = extension.dotted();
  if (is_in(kHarmless, dotted)) return false;
  return names_somebody(extension) || !profile.lists(extension);
}

Checked<void> check_other_names(const SanRule& san, const Rights& rights, const Profile& profile,
                                const Extensions& extensions) {
  if (san.kind == SanRule::Kind::any) return {};
  for (const auto& one : extensions) {
    if (!takes_right(one.extnID, profile)) continue;
    const auto* own = rights.own ? find(rights.own->extensions(), one.extnID) : nullptr;
    if (own == nullptr || own->extnValue != one.extnValue) {
      return deny("the requester may not ask for the extension " + one.extnID.name() +
                  (profile.lists(one.extnID) ? "" : ", which the profile does not name"));
    }
  }
  return {};
}

// What the profile ignores is no wish that anybody grants, unless it goes on `unchanged`; of other
// extensions than subjectAltName check_unchanged() refuses that.
Checked<void> check_extensions(const SanRule& san, const Rights& rights, const Profile& profile,
                               const Extensions& extensions, bool unchanged) {
  TRY(check_other_names(san, rights, profile, extensions));
  if (!unchanged && !profile.heeds(oid::id_ce_subjectAltName)) return {};
  const auto names = names_in(extensions);
  if (names) return check_names(san, rights, *names);
  return reject(PKIFailureInfo::badCertTemplate, "subjectAltName is malformed");
}

bool is_own(const Rights& rights, const Name& subject) {
  return rights.own && rights.own->subject().same(subject);
}

bool may_have(const Rights& rights, const Name& subject) {
  switch (rights.subject.kind) {
    case SubjectRule::Kind::any:
      return true;
    case SubjectRule::Kind::own:
      return is_own(rights, subject);
    case SubjectRule::Kind::pattern:
      return rights.pattern && rights.pattern->covers(subject);
  }
  return false;
}

// Somebody's own name may be asked for, too, to become another one that may be had.
bool may_ask_for(const Rights& rights, const Name& subject) {
  return may_have(rights, subject) || is_own(rights, subject);
}

Checked<void> deny_subject(const Rights& rights, const Name& subject) {
  return deny(rights.kind == RequesterKind::ca
                  ? "a CA asks for a cross certificate of its own name only"
                  : "the requester may not ask for the subject " + subject.text());
}

// Where the profile derives a subject, what comes of it decides.
Checked<void> check_wanted_subject(const Rights& rights, const Profile& profile,
                                   const Name& subject) {
  if (profile.derives_subject() || may_ask_for(rights, subject)) return {};
  return deny_subject(rights, subject);
}

// Constants that the profile adds are not the requester's choice; what it drops, replaces or
// derives makes another name, to which the requester has a right of its own or none.
Checked<void> check_planned_subject(const Rights& rights,
                                    const wanted::PlannedCertificate& wanted) {
  const auto& plan = wanted.plan;
  const bool may_have_it = may_have(rights, plan.subject);
  if (may_have_it && plan.keeps_subject) return {};
  if (!may_ask_for(rights, wanted.subject)) return deny_subject(rights, wanted.subject);
  if (may_have_it || may_have(rights, plan.chosen_subject)) return {};
  if (plan.subject.same(wanted.subject)) return deny_subject(rights, plan.subject);
  return deny("the profile " + wanted.profile.name() + " makes the subject " + plan.subject.text() +
              " of it, to which the requester has no right");
}

auto changes_renewed(const Profile& profile, const std::string& what) {
  return reject(PKIFailureInfo::badCertTemplate,
                "the profile " + profile.name() + " would give the new certificate " + what +
                    ", and a renewal keeps subject and names: ask for a new certificate instead, "
                    "or with another profile");
}

// RFC 9483 4.1.3. Fewer names than before are nobody else's.
Checked<void> check_renewed(const Rights& rights, const wanted::PlannedCertificate& wanted) {
  const auto& plan = wanted.plan;
  if (!is_own(rights, plan.subject)) {
    return changes_renewed(wanted.profile, "the subject " + plan.subject.text());
  }
  const auto names = names_in(plan.extensions).value_or(Names{});
  if (names.empty()) return {};
  const auto own = names_of(rights);
  for (const auto& name : names) {
    if (!is_one_of(own, name)) return changes_renewed(wanted.profile, "the name " + name.text());
  }
  return {};
}

std::string_view whom(RequesterKind kind) {
  switch (kind) {
    case RequesterKind::secret:
      return "those who share a secret";
    case RequesterKind::holder:
      return "holders of certificates of this CA";
    case RequesterKind::vendor:
      return "holders of certificates of another PKI";
    case RequesterKind::ra:
      return "registration authorities";
    default:
      return "other CAs";
  }
}

bool may_choose(const Rights& rights, const Profile& profile) {
  if (!rights.profiles.empty()) return is_in(rights.profiles, profile.name());
  return profile.who().contains(rights.kind);
}

Checked<void> check_profile(const Rights& rights, const Profile& profile) {
  if (may_choose(rights, profile)) return {};
  if (!rights.profiles.empty()) {
    return deny("the certificate profile " + profile.name() + " is none that this " +
                (rights.kind == RequesterKind::secret ? "secret is for" : "device may have"));
  }
  return deny("the certificate profile " + profile.name() + " is not for " +
              std::string(whom(rights.kind)));
}

Checked<void> check_kind(const Rights& rights, const PKIBody& body) {
  const bool is_ccr = std::holds_alternative<body::ccr>(body);
  if (is_ccr != (rights.kind == RequesterKind::ca)) {
    return deny("cross certificates are for the CAs that this channel names in roles.ca");
  }
  if (rights.kind == RequesterKind::vendor && !std::holds_alternative<body::ir>(body) &&
      !std::holds_alternative<body::p10cr>(body)) {
    return deny(std::string(body_name(body)) +
                " is for holders of a certificate of this PKI; use ir");
  }
  return {};
}

struct Check {
  const Rights& rights;

  Checked<void> operator()(const wanted::Message& message) const {
    if (rights.bodies.test(message.body.index())) return {};
    return failure(rights.denial);
  }

  Checked<void> operator()(const wanted::Kind& wanted) const {
    return check_kind(rights, wanted.body);
  }

  // It is brought as by a genm, whose right it takes. Only a secret that is used up brings it with
  // what follows: in a transaction that was opened while it had the right. What an unconfirmed
  // certificate opens (its own rr) gives none.
  Checked<void> operator()(const wanted::Passphrase& wanted) const {
    if (!wanted.opens && rights.used_up) return {};
    return (*this)(wanted::Message{body::genm{}});
  }

  Checked<void> operator()(const wanted::NewCertificate& wanted) const {
    TRY(check_kind(rights, wanted.body));
    if (rights.unlisted) return deny("the device is not in the list of devices");
    if (rights.only_renews) {
      return deny(
          "a device of the list renews its certificate by kur; for another one it shows "
          "its secret or the certificate of its vendor");
    }
    if (rights.left && static_cast<std::int64_t>(wanted.granted) >= *rights.left) {
      return deny(rights.kind == RequesterKind::secret
                      ? "the secret is used up"
                      : "the device has got all the certificates that its row allows");
    }
    TRY(check_wanted_subject(rights, wanted.profile, wanted.subject));
    TRY(check_profile(rights, wanted.profile));
    return check_extensions(rights.san, rights, wanted.profile, wanted.extensions,
                            wanted.unchanged);
  }

  // RFC 9483 4.1.3: subject and subjectAltName stay as they are in the old certificate. So does the
  // profile, as long as no other one is asked for; one that gives powers is not kept by itself.
  Checked<void> operator()(const wanted::RenewedCertificate& wanted) const {
    const bool of_ra = rights.kind == RequesterKind::ra && !rights.profile.empty();
    if ((rights.kind != RequesterKind::holder && !of_ra) || !rights.own) {
      return deny("kur is signed with the certificate of this CA that it renews");
    }
    if (!is_own(rights, wanted.subject)) {
      return reject(PKIFailureInfo::badCertTemplate,
                    "a renewal keeps the subject of the certificate");
    }
    const bool keeps = wanted.profile.name() == rights.profile && wanted.profile.powers().empty();
    if (rights.only_renews && wanted.profile.name() != rights.profile) {
      return deny("a device of the list keeps the profile of the certificate when it renews it");
    }
    if (!keeps) TRY(check_profile(rights, wanted.profile));
    if (wanted.profile.name() != rights.profile && !wanted.named) {
      return deny("a renewal keeps the profile of the certificate");
    }
    return check_extensions(SanRule{}, rights, wanted.profile, wanted.extensions, wanted.unchanged);
  }

  Checked<void> operator()(const wanted::PlannedCertificate& wanted) const {
    return wanted.renews ? check_renewed(rights, wanted) : check_planned_subject(rights, wanted);
  }

  Checked<void> operator()(const wanted::Revocation& wanted) const {
    if (rights.others) return {};
    if (wanted.release) {
      return deny("only a registration authority or an operator takes a certificate off hold");
    }
    if (rights.revokes) {
      if (may_revoke(*rights.revokes, wanted.target, wanted.subject)) return {};
      return deny("the passphrase is of another holder");
    }
    if (!rights.serial_hex.empty() && rights.serial_hex == to_hex(wanted.target.serial)) return {};
    return deny("only the holder of the certificate or a registration authority may do this");
  }

  // Holders ask for themselves, registration authorities for others.
  Checked<void> operator()(const wanted::ArchivedKeys& wanted) const {
    const bool named = wanted.subject && !wanted.subject->is_null_dn();
    if (rights.others) {
      if (named) return {};
      return reject(PKIFailureInfo::badCertTemplate,
                    "the template does not say whose keys are meant");
    }
    const bool own = rights.kind == RequesterKind::holder && rights.own &&
                     (!wanted.subject || is_own(rights, *wanted.subject));
    if (own) return {};
    return deny("these are not the requester's keys to ask for");
  }

  Checked<void> operator()(const wanted::Endorsement&) const {
    if (rights.others) return {};
    return deny("only a registration authority may send nested messages");
  }

  // It says nothing, and who may send nothing has no use for it.
  Checked<void> operator()(const wanted::KemCiphertext&) const {
    if (rights.bodies.any()) return {};
    return failure(rights.denial);
  }
};

}  // namespace

bool names_somebody(const Oid& extension) { return is_in(kNaming, extension.dotted()); }

Checked<void> check_right(const Rights& rights, const AskedFor& wanted) {
  return std::visit(Check{rights}, wanted);
}

}  // namespace cmpost
