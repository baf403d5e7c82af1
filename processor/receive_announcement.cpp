// Which announcements are believed.
#include <algorithm>

#include "cmp/protection.h"
#include "processor/announcement.h"

namespace cmpost {
namespace {

auto not_believed(std::string text) {
  return reject(PKIFailureInfo::signerNotTrusted, std::move(text));
}

std::vector<Certificate> certificates_of(const Request& request) {
  std::vector<Certificate> certificates;
  for (const auto& extra : request.message.extraCerts) {
    if (auto certificate = request.channel->signers.from_der(extra.der)) {
      certificates.push_back(std::move(*certificate));
    }
  }
  return certificates;
}

Checked<Certificate> announcer(const std::vector<Certificate>& candidates,
                               const PKIHeader& header) {
  const auto sender = header.sender.directory_name();
  for (const auto& candidate : candidates) {
    const bool named = header.senderKID ? candidate.subject_key_identifier() == header.senderKID
                                        : sender && candidate.subject().same(*sender);
    if (named && candidate.allows(KeyUsageBit::digitalSignature)) return candidate;
  }
  return not_believed("extraCerts has no certificate of the signer");
}

Outcome<Certificate> verify_announcer(const Request& request,
                                      const std::vector<Certificate>& helpers) {
  if (protection_kind(request.message) != ProtectionKind::signature) {
    return not_believed("an announcement is signed");
  }
  ASSIGN_OR_RETURN(const auto signer, announcer(helpers, request.message.header));
  const auto key = signer.public_key();
  if (!key) return not_believed("the signer's key cannot be used: " + key.error().what);
  TRY(verify_signature_protection(request.message, *key));
  ASSIGN_OR_RETURN(const auto path, request.channel->cas.check(signer, helpers, request.now));
  if (path.verdict == PathVerdict::trusted) return signer;
  return not_believed("the signer's certificate leads to no CA in `roles.ca` of this channel");
}

// Whether the certificate was signed by one of the CAs itself.
Outcome<bool> is_by_known_ca(const Certificate& certificate, const ChannelPolicy& channel) {
  for (const auto& anchor : channel.cas.anchors()) {
    ASSIGN_OR_RETURN(const bool by_it, issued_by(certificate, anchor));
    if (by_it) return true;
  }
  return false;
}

// "newWithOld" is how who holds the old root learns to trust the new one (RFC 9810 4.4.2.2).
Outcome<void> check_new_root(const CMPCertificate& new_with_new, const CMPCertificate& new_with_old,
                             const Request& request) {
  const auto root = Certificate::from_der(new_with_new.der);
  const auto link = Certificate::from_der(new_with_old.der);
  if (!root || !link) return not_believed("a certificate in it cannot be read");
  ASSIGN_OR_RETURN(const bool linked, is_by_known_ca(*link, *request.channel));
  if (linked && equal(root->spki(), link->spki())) return {};
  return not_believed("newWithOld is not signed by a root that this channel knows");
}

struct ContentCheck {
  const Request& request;
  const std::vector<Certificate>& helpers;

  Outcome<void> operator()(const body::ckuann& body) const {
    if (const auto* old_form = std::get_if<CAKeyUpdAnnContent>(&body.content)) {
      return check_new_root(old_form->newWithNew, old_form->newWithOld, request);
    }
    const auto& update = std::get<RootCaKeyUpdateContent>(body.content);
    //
    if (request.message.header.pvno < kCmp2021) {
      return not_believed("RootCaKeyUpdateContent needs pvno 3");
    }
    if (!update.newWithOld) return not_believed("newWithOld is missing");
    return check_new_root(update.newWithNew, *update.newWithOld, request);
  }

  Outcome<void> operator()(const body::cann& body) const {
    const auto certificate = Certificate::from_der(body.certificate.der);
    if (!certificate) return not_believed("the certificate cannot be read");
    ASSIGN_OR_RETURN(const auto path,
                     request.channel->cas.check(*certificate, helpers, request.now));
    if (path.verdict == PathVerdict::trusted) return {};
    return not_believed("the announced certificate leads to no CA that this channel knows");
  }

  Outcome<void> operator()(const body::rann& body) const {
    const auto& content = body.content;
    if (content.status != PKIStatus::revocationWarning &&
        content.status != PKIStatus::revocationNotification) {
      return not_believed("its status is no revocation (R-264)");
    }
    const auto issuer = content.certId.issuer.directory_name();
    const auto& anchors = request.channel->cas.anchors();
    const bool known = issuer && std::ranges::any_of(anchors, [&](const Certificate& anchor) {
                         return anchor.subject().same(*issuer);
                       });
    if (known) return {};
    return not_believed("it is about a certificate of another CA");
  }

  Outcome<void> operator()(const body::crlann& body) const {
    for (const auto& der : body.crls) TRY(check_crl(der));
    return {};
  }

  Outcome<void> check_crl(const Bytes& der) const {
    const auto crl = CertificateList::from_der(der);
    if (!crl) return not_believed("a CRL cannot be read: " + crl.error().what);
    for (const auto& anchor : request.channel->cas.anchors()) {
      if (!anchor.subject().same(crl->issuer)) continue;
      const auto key = anchor.public_key();
      if (!key) continue;
      const auto verdict = verify(*key, crl->signatureAlgorithm, crl->tbs, crl->signature);
      if (verdict && *verdict == Verdict::good) return {};
    }
    return not_believed("a CRL is not signed by a CA that this channel knows");
  }

  template <typename Other>
  Outcome<void> operator()(const Other&) const {
    return not_believed("not an announcement");
  }
};

}  // namespace

Outcome<ReceivedAnnouncement> receive_announcement(const Request& request, ByteView der) {
  const auto helpers = certificates_of(request);
  ASSIGN_OR_RETURN(const auto signer, verify_announcer(request, helpers));
  TRY(std::visit(ContentCheck{request, helpers}, request.message.body));
  ReceivedAnnouncement received;
  received.digest = request.digest;
  received.at = request.now;
  received.channel = request.channel->settings.name;
  received.body = body_name(request.message.body);
  received.sender = signer.subject().text();
  received.der = to_bytes(der);
  return received;
}

}  // namespace cmpost
