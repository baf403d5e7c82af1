#include "processor/authentication.h"

#include <algorithm>

namespace cmpost {
namespace {

// Look the secret up by senderKID first, by the sender's CN second.
Result<std::optional<Secret>> find_secret(const PKIHeader& header, SecretStore& secrets) {
  if (header.senderKID && !header.senderKID->empty()) {
    ASSIGN_OR_RETURN(auto secret, secrets.find(text_of(*header.senderKID)));
    if (secret) return secret;
  }
  const auto sender = header.sender.directory_name();
  const auto name = sender ? sender->first(oid::id_at_commonName) : std::nullopt;
  if (!name) return std::nullopt;
  return secrets.find(*name);
}

Checked<void> check_usable(const Secret& secret, Time now) {
  if (secret.expires && *secret.expires <= now) {
    return reject(PKIFailureInfo::notAuthorized, "the secret has expired");
  }
  if (secret.max_uses && secret.uses >= *secret.max_uses) {
    return reject(PKIFailureInfo::notAuthorized, "the secret is used up");
  }
  return {};
}

Outcome<Requester> authenticate_by_mac(const Request& request, LedgerReader& ledger,
                                       const SealingKey& sealing_key) {
  const auto& message = request.message;
  auto parameter = pbm_parameter(*message.header.protectionAlg, request.channel->mac_limits);
  if (!parameter) return reject(PKIFailureInfo::badAlg, parameter.error().what);
  SecretStore secrets(ledger.connection(), sealing_key);
  ASSIGN_OR_RETURN(auto secret, find_secret(message.header, secrets));
  // The same words for an unknown reference and a wrong secret: a stranger learns nothing.
  if (!secret) {
    return reject(PKIFailureInfo::badMessageCheck, "no secret is known that fits the MAC");
  }
  auto verified = verify_mac_protection(message, secret->value, request.channel->mac_limits);
  if (!verified) {
    const auto* rejection = verified.error().rejection();
    if (rejection == nullptr || rejection->failInfo != PKIFailureInfo::badMessageCheck) {
      return failure(std::move(verified).error());
    }
    return reject(PKIFailureInfo::badMessageCheck, "no secret is known that fits the MAC");
  }
  return Requester{SecretHolder{std::move(*secret), std::move(*parameter)}};
}

bool names_sender(const Certificate& certificate, const PKIHeader& header) {
  const auto sender = header.sender.directory_name();
  return sender && certificate.subject().same(*sender);
}

bool has_key_identifier(const Certificate& certificate, const Bytes& key_identifier) {
  const auto own = certificate.subject_key_identifier();
  return own && *own == key_identifier;
}

// The certificate that the header points at: by senderKID, else by the sender's name, else the
// first. Order in extraCerts means nothing, unless the channel is strict.
const Certificate* pick_signer(const std::vector<Certificate>& candidates,
                               const PKIHeader& header) {
  const auto first = [&](auto&& fits) -> const Certificate* {
    const auto found = std::ranges::find_if(candidates, fits);
    return found == candidates.end() ? nullptr : &*found;
  };
  if (header.senderKID) {
    return first([&](const auto& c) { return has_key_identifier(c, *header.senderKID); });
  }
  if (const auto* named = first([&](const auto& c) { return names_sender(c, header); }))
    return named;
  return candidates.empty() ? nullptr : &candidates.front();
}

std::vector<Certificate> read_extra_certs(const Request& request) {
  std::vector<Certificate> certificates;
  for (const auto& extra : request.message.extraCerts) {
    // What is no certificate helps nobody; the field is not protected, so it is no fault either.
    if (auto certificate = request.channel->signers.from_der(extra.der)) {
      certificates.push_back(std::move(*certificate));
    }
  }
  return certificates;
}

Checked<Certificate> find_signer(const Request& request,
                                 const std::vector<Certificate>& extra_certs) {
  const auto& header = request.message.header;
  const bool strict = request.channel->settings.strict;
  if (strict && !extra_certs.empty() && header.senderKID &&
      !has_key_identifier(extra_certs.front(), *header.senderKID)) {
    return reject(PKIFailureInfo::badMessageCheck,
                  "the first certificate of extraCerts is not the signer's");
  }
  if (const auto* signer = pick_signer(extra_certs, header)) return *signer;
  return reject(PKIFailureInfo::badMessageCheck,
                extra_certs.empty() ? "extraCerts has no certificate of the signer"
                                    : "no certificate in extraCerts has the senderKID");
}

Checked<void> check_sender(const Certificate& signer, const Request& request) {
  const auto& header = request.message.header;
  if (!signer.allows(KeyUsageBit::digitalSignature)) {
    return reject(PKIFailureInfo::badMessageCheck,
                  "the signer's certificate is not for digital signatures");
  }
  if (names_sender(signer, header)) return {};
  const auto sender = header.sender.directory_name();
  const bool tolerated = header.senderKID && sender && sender->is_null_dn();
  if (tolerated || !request.channel->settings.strict) return {};
  return reject(PKIFailureInfo::badMessageCheck,
                "the sender is not the subject of the signer's certificate");
}

Outcome<Requester> authenticate_by_signature(const Request& request, LedgerReader& ledger) {
  const auto extra_certs = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto signer, find_signer(request, extra_certs));
  TRY(check_sender(signer, request));
  auto key = signer.public_key();
  if (!key) {
    return reject(PKIFailureInfo::badAlg, "the signer's key cannot be used: " + key.error().what);
  }
  TRY(verify_signature_protection(request.message, *key));
  ASSIGN_OR_RETURN(auto holder, judge_signer(signer, extra_certs, request, ledger));
  return Requester{std::move(holder)};
}

Outcome<CertificateHolder> judge_own(const Certificate& signer, LedgerReader& ledger) {
  ASSIGN_OR_RETURN(auto record, ledger.find(signer.serial_number()));
  if (!record || !equal(record->der, signer.der())) {
    return reject(PKIFailureInfo::signerNotTrusted,
                  "the signer's certificate is not in the ledger of this CA");
  }
  if (record->state == CertificateState::revoked || record->state == CertificateState::held) {
    return reject(PKIFailureInfo::certRevoked, "the signer's certificate is revoked");
  }
  return CertificateHolder{signer, CertificateHolder::Role::end_entity, std::move(*record)};
}

}  // namespace

Outcome<CertificateHolder> judge_signer(const Certificate& signer,
                                        const std::vector<Certificate>& helpers,
                                        const Request& request, LedgerReader& ledger) {
  const auto& channel = *request.channel;
  ASSIGN_OR_RETURN(const auto as_ra, channel.ras.check(signer, helpers, request.now));
  if (as_ra.verdict == PathVerdict::trusted) {
    return CertificateHolder{signer, CertificateHolder::Role::ra, std::nullopt};
  }
  ASSIGN_OR_RETURN(const auto as_own, channel.own.check(signer, helpers, request.now));
  if (as_own.verdict == PathVerdict::trusted) return judge_own(signer, ledger);
  ASSIGN_OR_RETURN(const auto as_vendor, channel.vendors.check(signer, helpers, request.now));
  if (as_vendor.verdict == PathVerdict::trusted) {
    return CertificateHolder{signer, CertificateHolder::Role::vendor, std::nullopt};
  }
  const bool expired = as_own.verdict == PathVerdict::expired ||
                       as_vendor.verdict == PathVerdict::expired ||
                       as_ra.verdict == PathVerdict::expired;
  return reject(PKIFailureInfo::signerNotTrusted,
                expired
                    ? "the signer's certificate or one above it has expired"
                    : "the signer's certificate leads to no authority that this channel trusts");
}

Outcome<Requester> authenticate(const Request& request, LedgerReader& ledger,
                                const SealingKey& sealing_key) {
  switch (protection_kind(request.message)) {
    case ProtectionKind::none:
      return reject(PKIFailureInfo::badMessageCheck, "the message is not protected");
    case ProtectionKind::password_based_mac:
      return authenticate_by_mac(request, ledger, sealing_key);
    case ProtectionKind::signature:
      return authenticate_by_signature(request, ledger);
    case ProtectionKind::other:
      break;
  }
  return reject(PKIFailureInfo::badAlg, "the protection algorithm " +
                                            request.message.header.protectionAlg->algorithm.name() +
                                            " is not supported");
}

Checked<void> check_may_open(const Requester& requester, Time now) {
  if (const auto* holder = requester.secret()) return check_usable(holder->secret, now);
  return {};
}

}  // namespace cmpost
