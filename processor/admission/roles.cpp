#include "processor/admission/roles.h"

#include <algorithm>

namespace cmpost {
namespace {

bool is_authority(const Certificate& certificate) {
  return certificate.is_ca() && certificate.allows(KeyUsageBit::keyCertSign);
}

bool has_purposes(const Certificate& certificate) {
  return find(certificate.extensions(), oid::id_ce_extKeyUsage) != nullptr;
}

// An intermediate CA whose purposes are limited passes on no other.
bool passes_on(const Certificate& authority, const Oid& purpose) {
  return !has_purposes(authority) || authority.has_extended_key_usage(purpose) ||
         authority.has_extended_key_usage(oid::anyExtendedKeyUsage);
}

bool all_pass_on(const CertificatePath& path, const Oid& purpose) {
  return std::all_of(path.begin() + 1, path.end() - 1,
                     [&](const Certificate& one) { return passes_on(one, purpose); });
}

bool has_own_key(const Certificate& certificate, const ChannelPolicy& channel) {
  return std::ranges::any_of(channel.own.anchors(), [&](const Certificate& root) {
    return equal(root.spki(), certificate.spki());
  });
}

// Signed with a key of this CA, whatever anchor the path goes on to.
bool is_issued_here(const CertificatePath& path, std::size_t index, const ChannelPolicy& channel) {
  return index + 1 < path.size() && has_own_key(path[index + 1], channel);
}

// Says that this CA has issued it. A pinned certificate has nothing above it to tell by.
bool claims_to_be_ours(const Certificate& certificate, const ChannelPolicy& channel) {
  return std::ranges::any_of(channel.own.anchors(), [&](const Certificate& root) {
    return root.subject_key() == certificate.issuer_key();
  });
}

Outcome<void> check_ledger(const CertificatePath& path, std::size_t index, const Request& request,
                           LedgerReader& ledger) {
  const auto& channel = *request.channel;
  const auto& certificate = path[index];
  // Our own root, and what links its keys, are in no ledger.
  if (has_own_key(certificate, channel) || !claims_to_be_ours(certificate, channel)) return {};
  ASSIGN_OR_RETURN(const auto record, find_unrevoked(certificate, ledger));
  // What the settings name themselves may be older than the ledger.
  if (!record && (channel.takes_unseen || !is_issued_here(path, index, channel))) return {};
  if (!record) {
    return reject(PKIFailureInfo::signerNotTrusted,
                  "a certificate of the signer's path is not in the ledger of this CA");
  }
  if (record->state != CertificateState::unconfirmed) return {};
  return reject(PKIFailureInfo::signerNotTrusted,
                "a certificate of the signer's path is not confirmed yet");
}

// Who may have signed a list, beside those of the path: all that the channel trusts for something.
std::vector<Certificate> known_authorities(const ChannelPolicy& channel) {
  std::vector<Certificate> all;
  for (const auto* store : {&channel.own, &channel.vendors, &channel.ras, &channel.cas}) {
    const auto& anchors = store->anchors();
    all.insert(all.end(), anchors.begin(), anchors.end());
  }
  return all;
}

}  // namespace

bool is_of_ra(const CertificatePath& path, const ChannelPolicy& channel) {
  const auto& signer = path.front();
  if (path.size() == 1) return true;
  if (signer.is_ca() || !is_authority(path.back())) return false;
  if (signer.has_extended_key_usage(oid::id_kp_cmcRA)) return all_pass_on(path, oid::id_kp_cmcRA);
  return channel.settings.ra_without_purpose && !has_purposes(signer) &&
         !is_issued_here(path, 0, channel);
}

std::optional<Certificate> speaking_ca(const CertificatePath& path, const ChannelPolicy& channel) {
  const auto& signer = path.front();
  if (path.size() == 1) {
    return is_authority(signer) ? std::optional(signer) : std::nullopt;
  }
  const auto& named = channel.cas.anchors();
  const auto& issuer = path[1];
  const bool speaks = std::ranges::find(named, issuer) != named.end() && is_authority(issuer) &&
                      !signer.is_ca() && signer.has_extended_key_usage(oid::id_kp_cmcCA);
  return speaks ? std::optional(issuer) : std::nullopt;
}

Outcome<std::optional<CertificateRecord>> find_unrevoked(const Certificate& certificate,
                                                         LedgerReader& ledger) {
  ASSIGN_OR_RETURN(auto record, ledger.find(certificate.serial_number()));
  if (!record || !equal(record->der, certificate.der())) return std::nullopt;
  if (record->state == CertificateState::revoked || record->state == CertificateState::held) {
    return reject(PKIFailureInfo::certRevoked, "the signer's certificate is revoked");
  }
  return record;
}

Checked<void> check_lists(const CertificatePath& path, const Request& request) {
  if (request.channel->crls == nullptr) return {};
  const auto lists = request.channel->crls->lists(request.now);
  if (lists->empty()) return {};
  const auto* revoked = find_revoked(path, *lists, known_authorities(*request.channel));
  if (revoked == nullptr) return {};
  return reject(PKIFailureInfo::certRevoked, "the signer's certificate or one above it is revoked");
}

Outcome<void> check_not_revoked(const CertificatePath& path, const Request& request,
                                LedgerReader& ledger) {
  TRY(check_lists(path, request));
  for (std::size_t i = 0; i < path.size(); ++i) TRY(check_ledger(path, i, request, ledger));
  return {};
}

}  // namespace cmpost
