// Whose certificate a message was protected with, and what it is worth here.
#include <algorithm>

#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/roles.h"

namespace cmpost {
namespace {

bool names_sender(const Certificate& certificate, const PKIHeader& header) {
  const auto sender = header.sender.directory_name();
  return sender && certificate.subject().same(*sender);
}

// What the header points at with senderKID or, without it, with the sender's name.
bool is_meant(const Certificate& certificate, const PKIHeader& header) {
  return header.senderKID ? has_key_identifier(certificate, *header.senderKID)
                          : names_sender(certificate, header);
}

// Order in extraCerts means nothing, unless the channel is strict.
const Certificate* pick_signer(const std::vector<Certificate>& candidates,
                               const PKIHeader& header) {
  const auto found =
      std::ranges::find_if(candidates, [&](const auto& one) { return is_meant(one, header); });
  return found == candidates.end() ? nullptr : &*found;
}

// "extraCerts [...] MAY be omitted" where the certificate is known (RFC 9483 3.3): those that the
// settings name themselves. OpenSSL's client never sends one that is self-signed.
std::optional<Certificate> pick_named(const Request& request, const SenderFilter& fits) {
  const auto& channel = *request.channel;
  for (const auto* store : {&channel.ras, &channel.cas, &channel.vendors}) {
    for (const auto& one : store->anchors()) {
      if (is_meant(one, request.message.header) && (!fits || fits(one))) return one;
    }
  }
  return std::nullopt;
}

// What works for the CA or another RA is nobody's that asks for certificates.
bool may_ask_here(const Certificate& certificate, const ChannelPolicy& channel) {
  if (channel.settings.direction == Direction::upstream) return true;  // it answers
  const bool serves = certificate.is_ca() || certificate.has_extended_key_usage(oid::id_kp_cmcCA) ||
                      certificate.has_extended_key_usage(oid::id_kp_cmcRA) ||
                      certificate.has_extended_key_usage(oid::id_kp_cmKGA);
  return !serves;
}

// One of the CA above an RA that has not passed here.
CertificateRecord unseen(const Certificate& certificate, const ChannelPolicy& channel) {
  CertificateRecord record;
  record.serial = to_bytes(certificate.serial_number());
  record.der = to_bytes(certificate.der());
  record.subject = certificate.subject_text();
  record.profile = channel.profiles.front().name();
  record.channel = channel.settings.name;
  record.issued = certificate.not_before();
  record.not_after = certificate.not_after();
  return record;
}

Outcome<CertificateHolder> judge_own(const Certificate& signer, const CertificatePath& path,
                                     const Request& request, LedgerReader& ledger) {
  ASSIGN_OR_RETURN(auto record, find_unrevoked(signer, ledger));
  // The CA above revokes what has passed here as well, and says so by its list.
  if (request.channel->takes_unseen) TRY(check_lists(path, request));
  if (!record && request.channel->takes_unseen && may_ask_here(signer, *request.channel)) {
    TRY(check_not_revoked(path, request, ledger));
    record = unseen(signer, *request.channel);
  }
  if (!record) {
    return reject(PKIFailureInfo::signerNotTrusted,
                  "the signer's certificate is not in the ledger of this CA");
  }
  return CertificateHolder{signer, CertificateHolder::Role::end_entity, std::move(*record)};
}

// as a CA somebody asks for a cross certificate, and goes on with that.
Outcome<std::optional<CertificateHolder>> judge_ca(const Certificate& signer,
                                                   const std::vector<Certificate>& helpers,
                                                   const Request& request, LedgerReader& ledger) {
  const auto& body = request.message.body;
  const bool may_be = std::holds_alternative<body::ccr>(body) ||
                      (!opens_transaction(body) && !std::holds_alternative<body::popdecr>(body));
  if (!may_be || request.channel->cas.anchors().empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto path, request.channel->cas.check(signer, helpers, request.now));
  if (path.verdict != PathVerdict::trusted) return std::nullopt;
  auto ca = speaking_ca(path.chain, *request.channel);
  if (!ca) return std::nullopt;
  TRY(check_not_revoked(path.chain, request, ledger));
  CertificateHolder holder{signer, CertificateHolder::Role::ca, std::nullopt};
  holder.speaks_for = std::move(ca);
  return holder;
}

// an RA by name or by purpose. nullopt: something else, for which it may do.
Outcome<std::optional<CertificateHolder>> judge_ra(const Certificate& signer, const PathCheck& path,
                                                   const Request& request, LedgerReader& ledger) {
  if (path.verdict != PathVerdict::trusted) return std::nullopt;
  if (!is_of_ra(path.chain, *request.channel)) return std::nullopt;
  TRY(check_not_revoked(path.chain, request, ledger));
  CertificateHolder holder{signer, CertificateHolder::Role::ra, std::nullopt};
  // Its own certificate it renews like everybody (RFC 9810 3.1.1.3).
  if (std::holds_alternative<body::kur>(request.message.body)) {
    ASSIGN_OR_RETURN(holder.record, find_unrevoked(signer, ledger));
  }
  return holder;
}

// Where it is trusted without the list: by which numbers the list has it all the same, so that who
// is retired there gets nothing here.
Outcome<CertificateHolder> judge_trusted(const Certificate& signer,
                                         const std::vector<Certificate>& helpers,
                                         const Request& request) {
  CertificateHolder holder{signer, CertificateHolder::Role::vendor, std::nullopt};
  for (const auto& vendor : request.channel->listed) {
    ASSIGN_OR_RETURN(const auto path, vendor.roots.check(signer, helpers, request.now));
    if (path.verdict != PathVerdict::trusted) continue;
    if (auto sought = device_in(signer, vendor.settings)) {
      holder.sought.push_back(*std::move(sought));
    }
  }
  return holder;
}

// Where devices are listed: whose numbers its certificate has, by the vendors whose roots it leads
// to. nullopt: to none.
Outcome<std::optional<CertificateHolder>> judge_listed(const Certificate& signer,
                                                       const std::vector<Certificate>& helpers,
                                                       const Request& request,
                                                       LedgerReader& ledger) {
  CertificateHolder holder{signer, CertificateHolder::Role::vendor, std::nullopt};
  std::optional<std::string> nameless;
  for (const auto& vendor : request.channel->listed) {
    ASSIGN_OR_RETURN(const auto path, vendor.roots.check(signer, helpers, request.now));
    if (path.verdict != PathVerdict::trusted) continue;
    TRY(check_not_revoked(path.chain, request, ledger));
    if (auto sought = device_in(signer, vendor.settings)) {
      holder.sought.push_back(*std::move(sought));
    } else {
      nameless = sought.error().what;
    }
  }
  if (!holder.sought.empty()) return holder;
  if (nameless) return reject(PKIFailureInfo::signerNotTrusted, *nameless);
  return std::nullopt;
}

std::string why_not_trusted(const PathCheck& as_ra, const PathCheck& as_own,
                            const PathCheck& as_vendor) {
  if (as_ra.verdict == PathVerdict::trusted) {
    return "the signer's certificate leads to `roles.ra`, but it is neither named there nor for "
           "id-kp-cmcRA";
  }
  const bool expired = as_own.verdict == PathVerdict::expired ||
                       as_vendor.verdict == PathVerdict::expired ||
                       as_ra.verdict == PathVerdict::expired;
  return expired ? "the signer's certificate or one above it has expired"
                 : "the signer's certificate leads to no authority that this channel trusts";
}

}  // namespace

bool has_key_identifier(const Certificate& certificate, const Bytes& key_identifier) {
  if (const auto own = certificate.subject_key_identifier()) return *own == key_identifier;
  const auto key = certificate.public_key();
  return key && key->key_identifier() == key_identifier;
}

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
                                             const SenderFilter& fits) {
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
  if (const auto named = pick_named(request, fits)) return *named;
  // Without a senderKID, and where no subject is the sender, the first is meant.
  if (!header.senderKID && !candidates.empty()) return candidates.front();
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
  ASSIGN_OR_RETURN(auto as_ca, judge_ca(signer, helpers, request, ledger));
  if (as_ca) return *std::move(as_ca);
  ASSIGN_OR_RETURN(const auto as_ra, channel.ras.check(signer, helpers, request.now));
  ASSIGN_OR_RETURN(auto ra, judge_ra(signer, as_ra, request, ledger));
  if (ra) return *std::move(ra);
  ASSIGN_OR_RETURN(const auto as_own, channel.own.check(signer, helpers, request.now));
  if (as_own.verdict == PathVerdict::trusted)
    return judge_own(signer, as_own.chain, request, ledger);
  ASSIGN_OR_RETURN(const auto as_vendor, channel.vendors.check(signer, helpers, request.now));
  if (as_vendor.verdict == PathVerdict::trusted) {
    TRY(check_not_revoked(as_vendor.chain, request, ledger));
    return judge_trusted(signer, helpers, request);
  }
  if (!channel.settings.listed_devices) {
    return reject(PKIFailureInfo::signerNotTrusted, why_not_trusted(as_ra, as_own, as_vendor));
  }
  ASSIGN_OR_RETURN(auto listed, judge_listed(signer, helpers, request, ledger));
  if (listed) return *std::move(listed);
  return reject(PKIFailureInfo::signerNotTrusted, why_not_trusted(as_ra, as_own, as_vendor));
}

}  // namespace cmpost
