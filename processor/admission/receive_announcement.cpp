// Which announcements are believed.
#include "cmp/protection.h"
#include "processor/admission/announcement.h"
#include "processor/admission/authentication.h"
#include "processor/admission/roles.h"
#include "processor/rights/rights.h"

namespace cmpost {
namespace {

auto not_believed(std::string text) {
  return reject(PKIFailureInfo::signerNotTrusted, std::move(text));
}

// Who speaks: the signer's certificate, and the CA of `roles.ca` that it speaks for.
struct Speaker {
  Certificate signer, ca;
};

Outcome<Speaker> verify_speaker(const Request& request, LedgerReader& ledger) {
  if (protection_kind(request.message) != ProtectionKind::signature) {
    return not_believed("an announcement is signed");
  }
  const auto helpers = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto signer, find_sender_certificate(request, helpers));
  TRY(check_sender(signer, KeyUsageBit::digitalSignature, request));
  const auto key = signer.public_key();
  if (!key) return not_believed("the signer's key cannot be used: " + key.error().what);
  TRY(verify_signature_protection(request.message, *key));
  ASSIGN_OR_RETURN(const auto path, request.channel->cas.check(signer, helpers, request.now));
  if (path.verdict != PathVerdict::trusted) {
    return not_believed("the signer's certificate leads to no CA in `roles.ca` of this channel");
  }
  const auto ca = speaking_ca(path.chain, *request.channel);
  if (!ca) {
    return not_believed(
        "the signer is no CA in `roles.ca` of this channel, nor has it a "
        "certificate of one for id-kp-cmcCA");
  }
  TRY(check_not_revoked(path.chain, request, ledger));
  return Speaker{signer, *ca};
}

bool is_root_of(const Certificate& certificate, const Name& name) {
  return certificate.is_ca() && certificate.allows(KeyUsageBit::keyCertSign) &&
         certificate.subject().same(name) && certificate.issuer().same(name);
}

// "newWithOld" is how who holds the old root learns to trust the new one (RFC 9810 4.4.2.2).
Outcome<void> check_new_root(const CMPCertificate& new_with_new, const CMPCertificate& new_with_old,
                             const Certificate& ca) {
  const auto root = Certificate::from_der(new_with_new.der);
  const auto link = Certificate::from_der(new_with_old.der);
  if (!root || !link) return not_believed("a certificate in it cannot be read");
  if (!is_root_of(*root, ca.subject()) || !is_root_of(*link, ca.subject())) {
    return not_believed("a certificate in it is not one of the CA that announces it");
  }
  ASSIGN_OR_RETURN(const bool linked, issued_by(*link, ca));
  ASSIGN_OR_RETURN(const bool self_signed, issued_by(*root, *root));
  if (linked && self_signed && equal(root->spki(), link->spki())) return {};
  return not_believed("newWithOld is not signed by the CA that announces it");
}

struct ContentCheck {
  const Request& request;
  const Certificate& ca;  // that speaks, of itself only

  Outcome<void> operator()(const body::ckuann& body) const {
    if (const auto* old_form = std::get_if<CAKeyUpdAnnContent>(&body.content)) {
      return check_new_root(old_form->newWithNew, old_form->newWithOld, ca);
    }
    const auto& update = std::get<RootCaKeyUpdateContent>(body.content);
    //
    if (request.message.header.pvno < kCmp2021) {
      return not_believed("RootCaKeyUpdateContent needs pvno 3");
    }
    if (!update.newWithOld) return not_believed("newWithOld is missing");
    return check_new_root(update.newWithNew, *update.newWithOld, ca);
  }

  Outcome<void> operator()(const body::cann& body) const {
    const auto certificate = Certificate::from_der(body.certificate.der);
    if (!certificate) return not_believed("the certificate cannot be read");
    ASSIGN_OR_RETURN(const bool own, issued_by(*certificate, ca));
    if (own) return {};
    return not_believed("the announced certificate is not of the CA that announces it");
  }

  Outcome<void> operator()(const body::rann& body) const {
    const auto& content = body.content;
    if (content.status != PKIStatus::revocationWarning &&
        content.status != PKIStatus::revocationNotification) {
      return not_believed("its status is no revocation (R-264)");
    }
    const auto issuer = content.certId.issuer.directory_name();
    if (issuer && issuer->same(ca.subject())) return {};
    return not_believed("it is about a certificate of another CA");
  }

  Outcome<void> operator()(const body::crlann& body) const {
    for (const auto& der : body.crls) TRY(check_crl(der));
    return {};
  }

  Outcome<void> check_crl(const Bytes& der) const {
    const auto crl = CertificateList::from_der(der);
    if (!crl) return not_believed("a CRL cannot be read: " + crl.error().what);
    const auto key = ca.public_key();
    if (key && ca.allows(KeyUsageBit::cRLSign) && ca.subject().same(crl->issuer)) {
      const auto verdict = verify(*key, crl->signatureAlgorithm, crl->tbs, crl->signature);
      if (verdict && *verdict == Verdict::good) return {};
    }
    return not_believed("a CRL is not signed by the CA that announces it");
  }

  template <typename Other>
  Outcome<void> operator()(const Other&) const {
    return not_believed("not an announcement");
  }
};

}  // namespace

Outcome<ReceivedAnnouncement> receive_announcement(const Request& request, ByteView der,
                                                   LedgerReader& ledger) {
  ASSIGN_OR_RETURN(const auto speaker, verify_speaker(request, ledger));
  TRY(check_right(rights_of_speaker(speaker.ca), wanted::Message{request.message.body}));
  TRY(std::visit(ContentCheck{request, speaker.ca}, request.message.body));
  ReceivedAnnouncement received;
  received.digest = request.digest;
  received.at = request.now;
  received.channel = request.channel->settings.name;
  received.body = body_name(request.message.body);
  received.sender = speaker.signer.subject().text();
  received.der = to_bytes(der);
  return received;
}

}  // namespace cmpost
