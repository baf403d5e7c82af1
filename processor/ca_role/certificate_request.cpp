#include "processor/ca_role/certificate_request.h"

#include "base/log.h"
#include "ca/lint/lint.h"
#include "processor/ca_role/encrypted_delivery.h"
#include "processor/credentials/holder_identity.h"
#include "processor/possession/controls.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/rights/holder_to_be.h"
#include "processor/rights/taken_key.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

// OpenSSL's client fills in the issuer of the certificate that it signs with, whichever CA it asks
// that is no wish for another CA. Behind an RA that has put its own protection in place of
// the client's, nothing tells any more which issuer that was; the RA has judged the template.
bool may_be_issuer_of_signer(const Name& issuer, const Request& request,
                             const Requester& requester) {
  const auto* holder = requester.certificate();
  if (request.channel->settings.strict || holder == nullptr) return false;
  return requester.is_ra() || holder->certificate.issuer().same(issuer);
}

//
Checked<void> check_issuer(const CertTemplate& wanted, const Request& request,
                           const Requester& requester, const CaServices& services) {
  const auto& own = services.authority.issuer.certificate().subject();
  if (!wanted.issuer || wanted.issuer->is_null_dn() || wanted.issuer->same(own)) return {};
  if (may_be_issuer_of_signer(*wanted.issuer, request, requester)) return {};
  return reject(PKIFailureInfo::wrongAuthority,
                "the template names another issuer than " + own.text());
}

// RFC 9483 4.1.1 leaves these out of the template; what a requester may not choose is
// refused rather than dropped without a word.
Checked<void> check_template(const CertTemplate& wanted) {
  const auto bad = [](std::string text) {
    return reject(PKIFailureInfo::badCertTemplate, std::move(text));
  };
  if (wanted.version && *wanted.version != 2) return bad("the template's version is not v3");
  if (wanted.serialNumber) return bad("the template has a serialNumber");
  if (wanted.signingAlg) return bad("the template has a signingAlg");
  if (wanted.issuerUID || wanted.subjectUID) return bad("the template has a unique identifier");
  return {};
}

// The key of the template, or one that is made for it.
Outcome<Possession> possess(const CertReqMsg& message, const std::string& profile_wanted,
                            const Request& request, const Requester& requester,
                            const CaServices& services) {
  if (has_key(message.certReq.certTemplate)) {
    ASSIGN_OR_RETURN(auto possession, verify_pop(message, request, requester, services));
    return possession;
  }
  TRY(check_may_generate(request, requester, services));
  if (message.popo) {
    return reject(PKIFailureInfo::badPOP, "there is a proof of possession but no key");
  }
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(profile_wanted, *request.channel));
  ASSIGN_OR_RETURN(auto key, generate_key(message.certReq, *profile));
  Possession possession{key.public_key()};
  possession.private_key = std::move(key);
  possession.generated = true;
  return possession;
}

CertificateRecord record_of(const Certificate& certificate, const Profile& profile,
                            const Request& request, const Requester& requester,
                            bool awaits_confirm) {
  CertificateRecord record;
  record.serial = to_bytes(certificate.serial_number());
  record.der = to_bytes(certificate.der());
  record.subject = certificate.subject_text();
  record.profile = profile.name();
  record.channel = request.channel->settings.name;
  record.requester = requester.text();
  record.tid = to_hex(*request.message.header.transactionID);
  record.issued = request.now;
  record.not_after = certificate.not_after();
  record.state = awaits_confirm ? CertificateState::unconfirmed : CertificateState::valid;
  record.holder = holder_to_note(requester, certificate);
  return record;
}

// A private key that is archived here is its first holder's, whoever sends it again.
Outcome<void> check_key_is_own(const ProvenRequest& proven, const Name& subject,
                               const Requester& requester, CaServices& services) {
  if (!proven.to_archive) return {};
  ASSIGN_OR_RETURN(const auto others, services.ledger.ever_with_key(proven.wish.key.spki()));
  const auto holder = holder_to_be(requester, subject, {});
  ASSIGN_OR_RETURN(const bool own, are_all_of(holder, others));
  if (own) return {};
  return reject(PKIFailureInfo::badCertTemplate, "this key is somebody else's already");
}

// Nobody but us can prove to have a key of ours.
Checked<void> check_key_is_theirs(const ProvenRequest& proven, const Profile& profile,
                                  const CaServices& services) {
  using enum Authority::KeyOwner;
  const auto owner = services.authority.owner_of(proven.wish.key.spki());
  if (owner == others || (owner == working && profile.settings().reuse_key)) return {};
  return reject(PKIFailureInfo::badCertTemplate, "the key is one of this CA's own");
}

bool is_of_key(const CertificateRecord& record, ByteView spki) {
  const auto certificate = Certificate::from_der(record.der);
  return certificate && equal(certificate->spki(), spki);
}

// Where the profile wants a key that has no certificate: what the ledger was looked through for,
// to be looked at again by the commit. `subject`: that of the certificate.
Outcome<std::optional<FreshKey>> check_key_is_new(const ProvenRequest& proven, const Name& subject,
                                                  const Profile& profile, const Request& request,
                                                  const Requester& requester, CaServices& services,
                                                  const std::vector<CertificateRecord>& beside) {
  TRY(check_key_is_theirs(proven, profile, services));
  TRY(check_key_is_own(proven, subject, requester, services));
  if (profile.settings().reuse_key) return std::nullopt;
  const auto spki = proven.wish.key.spki();
  ASSIGN_OR_RETURN(const auto seen, services.ledger.count());
  ASSIGN_OR_RETURN(auto others, services.ledger.with_key(spki, request.now));
  for (const auto& record : beside) {
    if (is_of_key(record, spki)) others.push_back(record);
  }
  if (!others.empty()) {
    ASSIGN_OR_RETURN(const auto taken, key_is_taken(others, subject, requester));
    return failure(taken);
  }
  return FreshKey{to_bytes(spki), seen};
}

// The last look before the CA key signs.
Checked<ReviewedTbs> look_over(Bytes tbs, const Profile& profile, const Request& request,
                               const CaServices& services) {
  auto reviewed =
      review(profile.settings(), std::move(tbs), services.authority.issuer.certificate());
  if (!reviewed) return failure(to_rejection(reviewed.error()));
  const auto& findings = reviewed->findings();
  if (findings.empty()) return *std::move(reviewed);
  log::warning("certificate.lint",
               {{"tid", to_hex(*request.message.header.transactionID)},
                {"profile", profile.name()},
                {"errors", words_for(findings, LintFinding::Level::error)},
                {"warnings", words_for(findings, LintFinding::Level::warning)}});
  return *std::move(reviewed);
}

// A kur that names no profile keeps that of the certificate.
std::string kept_profile(const Request& request, const Requester& requester) {
  const auto* holder = requester.certificate();
  const bool renews = std::holds_alternative<body::kur>(request.message.body);
  return renews && holder != nullptr && holder->record ? holder->record->profile : std::string();
}

}  // namespace

bool has_key(const CertTemplate& wanted) {
  return wanted.publicKey && !wanted.publicKey->key.empty();
}

Checked<std::string> check_fields(const CertReqMsg& message, const Request& request,
                                  const Requester& requester, const CaServices& services) {
  const auto& wanted = message.certReq.certTemplate;
  TRY(check_template(wanted));
  TRY(check_issuer(wanted, request, requester, services));
  TRY(check_controls(message, request));
  ASSIGN_OR_RETURN(auto name, profile_name(request, message.certReq.certReqId));
  return name.empty() ? kept_profile(request, requester) : std::move(name);
}

Outcome<ProvenRequest> prove(const CertReqMsg& message, const Request& request,
                             const Requester& requester, CaServices& services) {
  const auto& wanted = message.certReq.certTemplate;
  ASSIGN_OR_RETURN(auto name, check_fields(message, request, requester, services));
  ASSIGN_OR_RETURN(auto possession, possess(message, name, request, requester, services));
  ASSIGN_OR_RETURN(auto to_archive,
                   key_to_archive(message, possession, request, requester, services));
  CertificateWish wish{.subject = wanted.subject.value_or(Name()),
                       .key = std::move(possession.key),
                       .extensions = wanted.extensions.value_or(Extensions()),
                       .not_before = {},
                       .not_after = {}};
  if (wanted.validity) {
    wish.not_before = wanted.validity->notBefore;
    wish.not_after = wanted.validity->notAfter;
  }
  ProvenRequest proven{message.certReq.certReqId, std::move(wish), std::move(name)};
  ASSIGN_OR_RETURN(const auto named, profile_name(request, message.certReq.certReqId));
  proven.names_profile = !named.empty();
  proven.by_certificate = possession.by_certificate;
  proven.by_challenge = possession.by_challenge;
  proven.to_archive = std::move(to_archive);
  if (possession.generated) {
    if (asks_to_archive_generated(message)) proven.to_archive = possession.private_key;
    proven.generated = std::move(possession.private_key);
  } else if (possession.private_key) {
    proven.to_archive = std::move(possession.private_key);
  }
  ASSIGN_OR_RETURN(proven.tokens,
                   check_tokens(message, proven.certProfile, request, requester, services));
  return proven;
}

Checked<void> authorise(const ProvenRequest& proven, const Request& request,
                        const Requester& requester, std::size_t granted) {
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  const auto& wish = proven.wish;
  if (proven.renews) {
    return check_right(requester.rights, wanted::RenewedCertificate{*profile, proven.names_profile,
                                                                    wish.subject, wish.extensions});
  }
  return check_right(requester.rights,
                     wanted::NewCertificate{request.message.body, *profile, wish.subject,
                                            wish.extensions, granted});
}

// Who has the name of this CA, or of what protects its answers, could speak for it: whoever
// may have any name may not have these.
Checked<void> check_name_is_theirs(const Name& subject, const CaServices& services) {
  if (!services.authority.is_called(subject)) return {};
  return reject(PKIFailureInfo::badCertTemplate, "the name is one of this CA's own");
}

Checked<CertificatePlan> plan_for(const ProvenRequest& proven, const Profile& profile,
                                  const Request& request, const Requester& requester,
                                  const CaServices& services) {
  auto plan = profile.plan(proven.wish, request.now, services.authority.issuer.latest_not_after());
  if (!plan) return failure(to_rejection(plan.error()));
  TRY(check_right(requester.rights,
                  wanted::PlannedCertificate{profile, proven.wish.subject, *plan, proven.renews}));
  if (!proven.renews) TRY(check_name_is_theirs(plan->subject, services));
  return *std::move(plan);
}

Outcome<void> check_issuable(const ProvenRequest& proven, const Profile& profile,
                             const Request& request, const Requester& requester,
                             CaServices& services) {
  ASSIGN_OR_RETURN(const auto plan, plan_for(proven, profile, request, requester, services));
  TRY(check_key_is_new(proven, plan.subject, profile, request, requester, services, {}));
  ASSIGN_OR_RETURN(Bytes tbs, services.authority.issuer.prepare(plan));
  TRY(look_over(std::move(tbs), profile, request, services));
  return {};
}

Outcome<void> archive(const PrivateKey& key, const Certificate& certificate, const Request& request,
                      const Requester& requester, CaServices& services, Effects& effects) {
  ASSIGN_OR_RETURN(auto archived, seal_for_archive(key, certificate.serial_number(), request.now,
                                                   services.sealing_key, services.random));
  const auto& subject = certificate.subject();
  archived.holder = holder_to_be(requester, subject, certificate.serial_number()).value;
  archived.name = archived_name(subject);
  effects.archived_keys.push_back(std::move(archived));
  return {};
}

bool counts_at_once(const Request& request, bool implicitConfirm) {
  const bool silence = request.channel->settings.unconfirmed == UnconfirmedRule::keep;
  return implicitConfirm || (silence && !proves_by_certificate(request.message.body));
}

Outcome<Issued> issue(const ProvenRequest& proven, const Profile& profile, bool awaits_confirm,
                      const Request& request, const Requester& requester, CaServices& services,
                      const std::vector<CertificateRecord>& beside) {
  ASSIGN_OR_RETURN(auto plan, plan_for(proven, profile, request, requester, services));
  ASSIGN_OR_RETURN(auto fresh, check_key_is_new(proven, plan.subject, profile, request, requester,
                                                services, beside));
  const auto& issuer = services.authority.issuer;
  ASSIGN_OR_RETURN(Bytes tbs, issuer.prepare(plan));
  ASSIGN_OR_RETURN(const auto reviewed, look_over(std::move(tbs), profile, request, services));
  ASSIGN_OR_RETURN(auto certificate, issuer.sign(reviewed));
  if (proven.wants_v1) plan.changes.emplace_back("the version is v3");
  Effects effects;
  effects.certificates.push_back(
      record_of(certificate, profile, request, requester, awaits_confirm));
  effects.audit.push_back(issued_entry(effects.certificates.back(), plan.changes));
  effects.use_tokens = proven.tokens;
  if (fresh) effects.fresh_keys.push_back(*std::move(fresh));
  if (proven.to_archive) {
    TRY(archive(*proven.to_archive, certificate, request, requester, services, effects));
  }
  return Issued{std::move(certificate), !plan.changes.empty(), std::move(plan.changes),
                std::move(effects)};
}

}  // namespace cmpost
