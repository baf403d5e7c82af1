// Whose certificate a message was protected with, and what it is worth here.
#include <algorithm>

#include "base/log.h"
#include "processor/authentication.h"
#include "processor/header_rules.h"

namespace cmpost {
namespace {

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

// A chain that a vendor's or an RA's own authority has taken back.
Checked<void> check_lists(const std::vector<Certificate>& chain, const Request& request) {
  if (request.channel->crls == nullptr) return {};
  const auto lists = request.channel->crls->lists(request.now);
  const auto* revoked = find_revoked(chain, *lists);
  if (revoked == nullptr) return {};
  return reject(PKIFailureInfo::certRevoked, "the signer's certificate or one above it is revoked");
}

// as a CA somebody asks for a cross certificate, and goes on with that.
Outcome<std::optional<CertificateHolder>> judge_ca(const Certificate& signer,
                                                   const std::vector<Certificate>& helpers,
                                                   const Request& request) {
  const auto& body = request.message.body;
  const bool may_be = std::holds_alternative<body::ccr>(body) ||
                      (!opens_transaction(body) && !std::holds_alternative<body::popdecr>(body));
  if (!may_be || request.channel->cas.anchors().empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto path, request.channel->cas.check(signer, helpers, request.now));
  if (path.verdict != PathVerdict::trusted) return std::nullopt;
  TRY(check_lists(path.chain, request));
  return CertificateHolder{signer, CertificateHolder::Role::ca, std::nullopt};
}

}  // namespace

std::vector<Certificate> read_extra_certs(const Request& request) {
  std::vector<Certificate> certificates;
  const auto& sent = request.message.extraCerts;
  for (const auto& extra : sent.empty() ? request.earlier_certs : sent) {
    // What is no certificate helps nobody; the field is not protected, so it is no fault either.
    if (auto certificate = request.channel->signers.from_der(extra.der)) {
      certificates.push_back(std::move(*certificate));
    }
  }
  return certificates;
}

Checked<Certificate> find_sender_certificate(const Request& request,
                                             const std::vector<Certificate>& extra_certs,
                                             const std::function<bool(const Certificate&)>& fits) {
  const auto& header = request.message.header;
  const bool strict = request.channel->settings.strict;
  if (strict && !extra_certs.empty() && header.senderKID &&
      !has_key_identifier(extra_certs.front(), *header.senderKID)) {
    return reject(PKIFailureInfo::badMessageCheck,
                  "the first certificate of extraCerts is not the signer's");
  }
  auto candidates = extra_certs;
  if (fits) std::erase_if(candidates, [&](const Certificate& one) { return !fits(one); });
  if (const auto* signer = pick_signer(candidates, header)) return *signer;
  return reject(PKIFailureInfo::badMessageCheck,
                extra_certs.empty() ? "extraCerts has no certificate of the signer"
                                    : "no certificate in extraCerts has the senderKID");
}

Checked<void> check_sender(const Certificate& signer, KeyUsageBit usage, const Request& request) {
  const auto& header = request.message.header;
  if (!signer.allows(usage)) {
    return reject(PKIFailureInfo::badMessageCheck,
                  "the sender's certificate is not for this use of its key");
  }
  if (names_sender(signer, header)) return {};
  const auto sender = header.sender.directory_name();
  const bool tolerated = header.senderKID && sender && sender->is_null_dn();
  if (tolerated || !request.channel->settings.strict) return {};
  return reject(PKIFailureInfo::badMessageCheck,
                "the sender is not the subject of the signer's certificate");
}

Outcome<CertificateHolder> judge_signer(const Certificate& signer,
                                        const std::vector<Certificate>& helpers,
                                        const Request& request, LedgerReader& ledger) {
  const auto& channel = *request.channel;
  ASSIGN_OR_RETURN(auto as_ca, judge_ca(signer, helpers, request));
  if (as_ca) return *std::move(as_ca);
  ASSIGN_OR_RETURN(const auto as_ra, channel.ras.check(signer, helpers, request.now));
  if (as_ra.verdict == PathVerdict::trusted) {
    TRY(check_lists(as_ra.chain, request));
    return CertificateHolder{signer, CertificateHolder::Role::ra, std::nullopt};
  }
  ASSIGN_OR_RETURN(const auto as_own, channel.own.check(signer, helpers, request.now));
  if (as_own.verdict == PathVerdict::trusted) return judge_own(signer, ledger);
  ASSIGN_OR_RETURN(const auto as_vendor, channel.vendors.check(signer, helpers, request.now));
  if (as_vendor.verdict == PathVerdict::trusted) {
    TRY(check_lists(as_vendor.chain, request));
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

}  // namespace cmpost
