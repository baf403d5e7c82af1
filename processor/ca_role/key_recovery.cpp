// krr: the archived keys of somebody who has lost them (RFC 9810 5.3.7 and 5.3.8,
//
#include <algorithm>
#include <functional>

#include "crypto/envelope/envelope.h"
#include "processor/admission/message_audit.h"
#include "processor/admission/private_key_leaves.h"
#include "processor/ca_role/certificate_request.h"
#include "processor/ca_role/consent_words.h"
#include "processor/ca_role/encrypted_delivery.h"
#include "processor/ca_role/handlers.h"
#include "processor/consent/consent.h"
#include "processor/credentials/holder_identity.h"
#include "processor/credentials/key_archive.h"
#include "processor/possession/controls.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostKeys = 100;  // in one answer, the newest

// What is to be given to whom, all of it checked.
struct RecoveryPlan {
  Name subject;
  std::optional<ProvenRequest> new_key;      // newSigCert
  std::optional<PublicKey> protocolEncrKey;  // without it no private key leaves
  std::vector<CertificateRecord> archived;
};

Checked<const CertReqMsg*> only_request(const CertReqMessages& messages) {
  if (messages.size() == 1 && messages.front().certReq.certReqId == 0) return &messages.front();
  return reject(PKIFailureInfo::badRequest, "krr has exactly one request with certReqId 0");
}

Checked<Name> find_subject(const CertTemplate& wanted, const Requester& requester) {
  TRY(check_right(requester.rights, wanted::ArchivedKeys{wanted.subject}));
  if (wanted.subject && !wanted.subject->is_null_dn()) return *wanted.subject;
  return requester.certificate()->certificate.subject();
}

// EnvelopedData needs pvno 3.
Checked<std::optional<PublicKey>> find_encryption_key(const CertReqMsg& message,
                                                      const Request& request,
                                                      const CaServices& services) {
  const auto& controls = message.certReq.controls;
  const auto* control = controls ? find(*controls, oid::id_regCtrl_protocolEncrKey) : nullptr;
  if (control == nullptr) return std::nullopt;
  if (request.message.header.pvno < kCmp2021) {
    return reject(PKIFailureInfo::badRequest, "the recovery of keys needs pvno 3");
  }
  if (!services.authority.key_generator) {
    return reject(PKIFailureInfo::systemUnavail, "nobody here signs private keys that leave");
  }
  TRY(check_may_leave(request));
  auto key = PublicKey::from_spki(ByteView(control->value));
  if (key) return std::move(*key);
  return reject(PKIFailureInfo::badDataFormat, "protocolEncrKey: " + key.error().what);
}

Outcome<std::optional<ProvenRequest>> prove_new_key(const CertReqMsg& message, const Name& subject,
                                                    const Request& request,
                                                    const Requester& requester,
                                                    CaServices& services) {
  if (!message.certReq.certTemplate.publicKey) return std::nullopt;
  ASSIGN_OR_RETURN(auto proven, prove(message, request, requester, services));
  if (proven.by_certificate || proven.by_challenge || proven.generated) {
    return reject(PKIFailureInfo::badPOP, "newSigCert is for a key that signs the request");
  }
  proven.wish.subject = subject;
  TRY(authorise(proven, request, requester));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  TRY(check_issuable(proven, *profile, request, requester, services));
  return proven;
}

// Whose keys they are says the ledger; that of a certificate which nobody has confirmed yet may not
// be the requester's.
Result<bool> is_meant(const CertificateRecord& record, const Name& wanted,
                      const Requester& requester) {
  if (record.state == CertificateState::unconfirmed) return false;
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
  if (requester.is_ra()) return certificate.subject().same(wanted);
  const auto& own = *requester.certificate();
  return holder_of(record, certificate.subject()) ==
         holder_of(*own.record, own.certificate.subject());
}

Result<std::vector<Bytes>> candidates(const Name& wanted, const Requester& requester,
                                      CaServices& services) {
  KeyArchive keys(services.ledger.connection());
  if (requester.is_ra()) return keys.of_subject(wanted);
  const auto& own = *requester.certificate();
  return keys.of_holder(holder_of(*own.record, own.certificate.subject()).value);
}

// The newest first.
Result<std::vector<CertificateRecord>> archived_certificates(const Name& wanted,
                                                             const Requester& requester,
                                                             CaServices& services) {
  ASSIGN_OR_RETURN(const auto serials, candidates(wanted, requester, services));
  std::vector<CertificateRecord> archived;
  for (const auto& serial : serials) {
    ASSIGN_OR_RETURN(auto record, services.ledger.find(serial));
    if (!record) continue;
    ASSIGN_OR_RETURN(const bool meant, is_meant(*record, wanted, requester));
    if (meant) archived.push_back(std::move(*record));
  }
  std::ranges::sort(archived, std::greater(), &CertificateRecord::id);
  if (archived.size() > kMostKeys) archived.resize(kMostKeys);
  return archived;
}

Outcome<RecoveryPlan> prepare(const Request& request, const Requester& requester,
                              CaServices& services) {
  ASSIGN_OR_RETURN(const auto* const message,
                   only_request(std::get<body::krr>(request.message.body).requests));
  RecoveryPlan recovery;
  ASSIGN_OR_RETURN(recovery.subject, find_subject(message->certReq.certTemplate, requester));
  TRY(check_controls(*message, request));
  ASSIGN_OR_RETURN(recovery.protocolEncrKey, find_encryption_key(*message, request, services));
  ASSIGN_OR_RETURN(recovery.new_key,
                   prove_new_key(*message, recovery.subject, request, requester, services));
  if (!recovery.protocolEncrKey) return recovery;
  ASSIGN_OR_RETURN(recovery.archived, archived_certificates(recovery.subject, requester, services));
  return recovery;
}

Answer refuse_recovery(const Rejection& rejection) {
  Answer answer;
  KeyRecRepContent content;
  content.status = status_info(rejection);
  answer.body = body::krp{std::move(content)};
  answer.refuse(rejection);
  return answer;
}

Answer wait(const RecoveryPlan& recovery, const Request& request, const ConsentObject& object,
            const JudgedConsent& consent) {
  Answer answer;
  answer.body = waiting_krp();
  answer.outcome = "waits for approval";
  answer.undecided.push_back(ask_people(request, kWholeMessage,
                                        "recovery of " + std::to_string(recovery.archived.size()) +
                                            " keys of " + recovery.subject.text(),
                                        object, consent));
  return answer;
}

// Which private keys leave, and to which key; and the new certificate, if one is wanted.
Outcome<ConsentObject> object_of(const RecoveryPlan& recovery, const Request& request,
                                 const Requester& requester, const CaServices& services) {
  auto object = begin_object(request, requester);
  object.add("keys of", recovery.subject.text(), recovery.subject.der());
  if (recovery.protocolEncrKey) {
    const auto& key = *recovery.protocolEncrKey;
    object.add("PRIVATE KEYS",
               std::to_string(recovery.archived.size()) + " leave, encrypted to " +
                   key.description() + ", SHA-256 " + to_hex(sha256(key.spki())),
               key.spki());
  }
  for (const auto& record : recovery.archived) {
    describe_record("recovers the key of", record, {}, object);
  }
  if (!recovery.new_key) return object;
  ASSIGN_OR_RETURN(const auto* const profile,
                   pick_profile(recovery.new_key->certProfile, *request.channel));
  TRY(describe_certificate(*recovery.new_key, *profile, request, requester, services, object));
  return object;
}

Outcome<void> add_new_certificate(const ProvenRequest& proven, const Request& request,
                                  const Requester& requester, CaServices& services, Answer& answer,
                                  KeyRecRepContent& content) {
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  answer.implicitConfirm =
      request.wishes.implicitConfirm && request.channel->settings.confirm == ConfirmRule::implicit;
  answer.awaits_confirm = !answer.implicitConfirm;
  const bool at_once = counts_at_once(request, answer.implicitConfirm);
  ASSIGN_OR_RETURN(auto issued, issue(proven, *profile, !at_once, request, requester, services));
  answer.certificates.push_back({0, to_bytes(issued.certificate.serial_number())});
  content.newSigCert = CMPCertificate{to_bytes(issued.certificate.der())};
  if (issued.with_changes) {
    content.status.status = PKIStatus::grantedWithMods;
    content.status.statusString = std::move(issued.changes);
  }
  answer.effects.merge(std::move(issued.effects));
  return {};
}

Outcome<CertifiedKeyPair> recover(const CertificateRecord& record, const PublicKey& encrypt_to,
                                  CaServices& services) {
  ASSIGN_OR_RETURN(
      const auto key,
      KeyArchive(services.ledger.connection()).find(record.serial, services.sealing_key));
  if (!key) return hold("the archive has lost the key of certificate " + to_hex(record.serial));
  // protocolEncrKey has no certificate that could be named.
  const KeyRecipient recipient{encrypt_to, SubjectKeyIdentifier(encrypt_to.key_identifier())};
  CertifiedKeyPair pair{{CMPCertificate{record.der}}, {}, {}};
  ASSIGN_OR_RETURN(pair.privateKey, encrypt_private_key(*key, Recipient(recipient), services));
  return pair;
}

Outcome<Answer> grant(const RecoveryPlan& recovery, const Request& request,
                      const Requester& requester, CaServices& services) {
  Answer answer;
  KeyRecRepContent content;
  if (recovery.new_key) {
    TRY(add_new_certificate(*recovery.new_key, request, requester, services, answer, content));
  }
  content.caCerts = services.authority.ca_chain;
  std::vector<CertifiedKeyPair> history;
  for (const auto& record : recovery.archived) {
    ASSIGN_OR_RETURN(auto pair, recover(record, *recovery.protocolEncrKey, services));
    history.push_back(std::move(pair));
    answer.effects.audit.push_back(recovered_entry(record, request, requester.text()));
  }
  if (!history.empty()) content.keyPairHist = std::move(history);
  answer.body = body::krp{std::move(content)};
  answer.outcome = "accepted";
  return answer;
}

}  // namespace

Outcome<Answer> handle_recovery(const Request& request, const Requester& requester,
                                CaServices& services) {
  if (!request.channel->settings.recovery) {
    return reject(PKIFailureInfo::badRequest, "keys are not recovered on this channel");
  }
  if (!requester.signs()) {
    return reject(PKIFailureInfo::wrongIntegrity, "krr is protected by a signature");
  }
  const auto consent = consent_for(request, kWholeMessage);
  if (consent.rejection) return refuse_recovery(*consent.rejection);
  ASSIGN_OR_RETURN(const auto prepared, apart(prepare(request, requester, services)));
  if (!prepared) return refuse_recovery(prepared.error());
  ASSIGN_OR_RETURN(const auto object, object_of(*prepared, request, requester, services));
  const auto given = consent_of_people(request, kWholeMessage, object);
  if (given.rejection) return refuse_recovery(*given.rejection);
  if (given.what == Consent::What::needed) return wait(*prepared, request, object, given);
  // nobody gets these without having been asked about.
  if (request.waited == nullptr || given.what != Consent::What::granted) {
    return hold("a recovery of keys that nobody has agreed to");
  }
  ASSIGN_OR_RETURN(auto answer, grant(*prepared, request, requester, services));
  answer.effects.audit.push_back(granted_entry(request, kWholeMessage, object, {}));
  return answer;
}

}  // namespace cmpost
