#include "processor/rights.h"

#include <algorithm>
#include <array>

#include "ca/extension_values.h"
#include "processor/channel_policy.h"
#include "processor/holder_identity.h"
#include "processor/requester.h"

namespace cmpost {
namespace {

template <typename... Bodies>
BodySet set_of() {
  BodySet set;
  (set.set(PKIBody(Bodies{}).index()), ...);
  return set;
}

// What goes on with a transaction that was opened with this right.
const BodySet kFollowUps =
    set_of<body::certConf, body::pollReq, body::popdecr, body::error, body::pkiconf>();
const BodySet kRevocation = set_of<body::rr>();
const BodySet kQuestions = set_of<body::genm>();
const BodySet kCertificates = set_of<body::ir, body::cr, body::p10cr>();
// Refused by their own rules, in their own words, for who is no holder.
const BodySet kOfHolders = set_of<body::kur, body::krr, body::ccr>();

auto deny(std::string text) { return reject(PKIFailureInfo::notAuthorized, std::move(text)); }

bool lists(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool counts_here(const ChannelRule& rule, const ChannelPolicy& channel) {
  if (rule.any) return true;
  if (rule.names.empty()) return channel.first;
  return lists(rule.names, channel.settings.name);
}

void deny_all_but(Rights& rights, const BodySet& bodies, std::string why) {
  rights.bodies = bodies;
  rights.denial.text = std::move(why);
}

void limit(Rights& rights, const Secret& secret, const ChannelPolicy& channel, Time now) {
  if (!counts_here(secret.channels, channel)) {
    deny_all_but(
        rights, {},
        "the secret is not for this channel (`cmpost secret add --channel` says for which)");
  } else if (secret.expires && *secret.expires <= now) {
    deny_all_but(rights, kFollowUps, "the secret has expired");
  } else if (rights.left && *rights.left <= 0) {
    // it still protects the certConf of its own transaction.
    deny_all_but(rights, kFollowUps, "the secret is used up");
  }
}

Rights rights_of(const SecretHolder& holder, const ChannelPolicy& channel, Time now) {
  Rights rights;
  if (holder.revokes) {
    rights.bodies = kRevocation | kFollowUps;
    rights.revokes = holder.revokes;
    rights.denial.text = "a revocation passphrase is for rr alone";
    return rights;
  }
  const auto& secret = holder.secret;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.subject = secret.subject.empty() ? SubjectRule{SubjectRule::Kind::any}
                                          : SubjectRule{SubjectRule::Kind::pattern, secret.subject};
  rights.san = secret.san;
  rights.profiles = secret.profiles;
  if (secret.max_uses) rights.left = *secret.max_uses - secret.uses;
  limit(rights, secret, channel, now);
  return rights;
}

bool belongs_here(const CertificateRecord& record, const ChannelPolicy& channel) {
  const auto& also = channel.settings.holders_of;
  return record.channel == channel.settings.name || also.any || lists(also.names, record.channel);
}

void limit(Rights& rights, const CertificateRecord& record, const ChannelPolicy& channel) {
  if (record.state == CertificateState::unconfirmed) {
    deny_all_but(rights, kRevocation | kFollowUps, "the certificate has not been confirmed yet");
  } else if (!belongs_here(record, channel)) {
    deny_all_but(
        rights, kRevocation | kQuestions | kFollowUps,
        "the certificate is of another channel (`holders_of` names those that count here)");
  }
}

Rights rights_of_holder(const CertificateHolder& holder, const ChannelPolicy& channel) {
  Rights rights;
  rights.kind = RequesterKind::holder;
  rights.subject = channel.settings.additional_subject;
  rights.san = channel.settings.additional_san;
  if (!holder.record) return rights;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.profile = holder.record->profile;
  rights.serial_hex = to_hex(holder.record->serial);
  limit(rights, *holder.record, channel);
  return rights;
}

Rights rights_of_vendor(const ChannelPolicy& channel) {
  Rights rights;
  rights.kind = RequesterKind::vendor;
  rights.bodies = kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps;
  rights.subject = channel.settings.trusted_subject;
  rights.san = channel.settings.trusted_san;
  return rights;
}

Rights rights_of_ra() {
  Rights rights;
  rights.kind = RequesterKind::ra;
  rights.bodies =
      kCertificates | kOfHolders | kRevocation | kQuestions | kFollowUps | set_of<body::nested>();
  rights.subject = {SubjectRule::Kind::any};
  rights.san = {SanRule::Kind::any};
  rights.others = true;
  return rights;
}

Rights rights_of_ca() {
  Rights rights;
  rights.kind = RequesterKind::ca;
  rights.bodies = set_of<body::ccr>() | kFollowUps;
  return rights;
}

Rights rights_of(const CertificateHolder& holder, const ChannelPolicy& channel) {
  switch (holder.role) {
    case CertificateHolder::Role::end_entity:
      return rights_of_holder(holder, channel);
    case CertificateHolder::Role::vendor:
      return rights_of_vendor(channel);
    case CertificateHolder::Role::ra:
      return rights_of_ra();
    case CertificateHolder::Role::ca:
      return rights_of_ca();
  }
  return {};
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
Names names_of_owner(const SubjectRule& rule) {
  const auto pattern = SubjectPattern::parse(rule.pattern);
  const bool one = rule.kind == SubjectRule::Kind::pattern && pattern && pattern->is_exact();
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

Checked<void> check_names(const SanRule& san, const Rights& rights, const Names& wanted) {
  switch (san.kind) {
    case SanRule::Kind::any:
      return {};
    case SanRule::Kind::pattern:
      return check_patterns(san.patterns, wanted);
    case SanRule::Kind::own:
      return check_among(rights.own ? names_in(rights.own->extensions()).value_or(Names{})
                                    : names_of_owner(rights.subject),
                         wanted);
    default:
      return check_among({}, wanted);
  }
}

// Other extensions that name somebody: issuerAltName, subjectDirectoryAttributes, nameConstraints,
// the security identifier of an account (Microsoft), proxyCertInfo, admission, subjectAltName as
// X.509 had it first, TNAuthList and JWTClaimConstraints (RFC 8226), biometricInfo,
// cabfOrganizationIdentifier, netscape-ssl-server-name.
constexpr std::array<std::string_view, 12> kNaming = {
    "2.5.29.18",          "2.5.29.9",          "2.5.29.30",    "1.3.6.1.4.1.311.25.2",
    "1.3.6.1.5.5.7.1.14", "1.3.36.8.3.3",      "2.5.29.7",     "1.3.6.1.5.5.7.1.26",
    "1.3.6.1.5.5.7.1.27", "1.3.6.1.5.5.7.1.2", "2.23.140.3.1", "2.16.840.1.113730.1.12"};
// Those that say what its holder may, or where relying parties look: policies, their mappings and
// constraints, CRLs, AIA, SIA, qcStatements, logotypes, addresses and AS numbers (RFC 3779, 8360),
// netscapeCertType, Microsoft's templates.
constexpr std::array<std::string_view, 18> kTelling = {"2.5.29.32",
                                                       "2.5.29.33",
                                                       "2.5.29.36",
                                                       "2.5.29.54",
                                                       "2.5.29.31",
                                                       "2.5.29.46",
                                                       "1.3.6.1.5.5.7.1.1",
                                                       "1.3.6.1.5.5.7.1.11",
                                                       "1.3.6.1.5.5.7.1.3",
                                                       "1.3.6.1.5.5.7.1.12",
                                                       "1.3.6.1.5.5.7.1.7",
                                                       "1.3.6.1.5.5.7.1.8",
                                                       "1.3.6.1.5.5.7.1.28",
                                                       "1.3.6.1.5.5.7.1.29",
                                                       "2.16.840.1.113730.1.1",
                                                       "1.3.6.1.4.1.311.20.2",
                                                       "1.3.6.1.4.1.311.21.7",
                                                       "1.3.6.1.4.1.311.21.10"};

// Whether an extension takes the right to any name, or to have been in the requester's certificate:
// what names somebody always, the others where the profile copies them without naming them.
bool takes_right(const Oid& extension, const Profile& profile) {
  if (!profile.heeds(extension)) return false;
  const auto dotted = extension.dotted();
  if (std::ranges::find(kNaming, dotted) != kNaming.end()) return true;
  return std::ranges::find(kTelling, dotted) != kTelling.end() && !profile.lists(extension);
}

Checked<void> check_other_names(const SanRule& san, const Rights& rights, const Profile& profile,
                                const Extensions& extensions) {
  if (san.kind == SanRule::Kind::any) return {};
  for (const auto& one : extensions) {
    if (!takes_right(one.extnID, profile)) continue;
    const auto* own = rights.own ? find(rights.own->extensions(), one.extnID) : nullptr;
    if (own == nullptr || own->extnValue != one.extnValue) {
      return deny("the requester may not ask for the extension " + one.extnID.name());
    }
  }
  return {};
}

// What the profile ignores is no wish that anybody grants.
Checked<void> check_extensions(const SanRule& san, const Rights& rights, const Profile& profile,
                               const Extensions& extensions) {
  TRY(check_other_names(san, rights, profile, extensions));
  if (!profile.heeds(oid::id_ce_subjectAltName)) return {};
  const auto names = names_in(extensions);
  if (names) return check_names(san, rights, *names);
  return reject(PKIFailureInfo::badCertTemplate, "subjectAltName is malformed");
}

bool is_own(const Rights& rights, const Name& subject) {
  return rights.own && rights.own->subject().same(subject);
}

Checked<void> check_subject(const Rights& rights, const Name& subject) {
  switch (rights.subject.kind) {
    case SubjectRule::Kind::any:
      return {};
    case SubjectRule::Kind::own:
      if (is_own(rights, subject)) return {};
      break;
    case SubjectRule::Kind::pattern:
      if (const auto pattern = SubjectPattern::parse(rights.subject.pattern);
          pattern && pattern->covers(subject)) {
        return {};
      }
      break;
  }
  return deny(rights.kind == RequesterKind::ca
                  ? "a CA asks for a cross certificate of its own name only"
                  : "the requester may not ask for the subject " + subject.text());
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
  if (!rights.profiles.empty()) return lists(rights.profiles, profile.name());
  return profile.who().contains(rights.kind);
}

Checked<void> check_profile(const Rights& rights, const Profile& profile) {
  if (may_choose(rights, profile)) return {};
  if (!rights.profiles.empty()) {
    return deny("the certificate profile " + profile.name() + " is none that this secret is for");
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

  Checked<void> operator()(const wanted::NewCertificate& wanted) const {
    TRY(check_kind(rights, wanted.body));
    if (rights.left && static_cast<std::int64_t>(wanted.granted) >= *rights.left) {
      return deny("the secret is used up");
    }
    TRY(check_subject(rights, wanted.subject));
    TRY(check_profile(rights, wanted.profile));
    return check_extensions(rights.san, rights, wanted.profile, wanted.extensions);
  }

  // RFC 9483 4.1.3: subject and subjectAltName stay as they are in the old certificate. So does the
  // profile, as long as no other one is asked for; one that gives powers is not kept by itself.
  Checked<void> operator()(const wanted::RenewedCertificate& wanted) const {
    if (rights.kind != RequesterKind::holder || !rights.own) {
      return deny("kur is signed with the certificate of this CA that it renews");
    }
    if (!is_own(rights, wanted.subject)) {
      return reject(PKIFailureInfo::badCertTemplate,
                    "a renewal keeps the subject of the certificate");
    }
    const bool keeps = wanted.profile.name() == rights.profile && wanted.profile.powers().empty();
    if (!keeps) TRY(check_profile(rights, wanted.profile));
    if (wanted.profile.name() != rights.profile && !wanted.named) {
      return deny("a renewal keeps the profile of the certificate");
    }
    return check_extensions(SanRule{}, rights, wanted.profile, wanted.extensions);
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
};

}  // namespace

Result<Rights> rights_of(const Requester& requester, const ChannelPolicy& channel, Time now) {
  if (const auto* holder = requester.secret()) {
    if (!holder->secret.subject.empty()) TRY(SubjectPattern::parse(holder->secret.subject));
    return rights_of(*holder, channel, now);
  }
  const auto& holder = *requester.certificate();
  auto rights = rights_of(holder, channel);
  // what speaks for a CA asks in the name of that CA, not in its own.
  rights.own = holder.speaks_for ? *holder.speaks_for : holder.certificate;
  return rights;
}

Checked<void> check_right(const Rights& rights, const AskedFor& wanted) {
  return std::visit(Check{rights}, wanted);
}

}  // namespace cmpost
