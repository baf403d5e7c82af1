#include "processor/ra_role/upward.h"

#include <algorithm>

#include "cmp/protection.h"
#include "processor/credentials/secret_store.h"

namespace cmpost {
namespace {

constexpr std::size_t kOwnNonce = 16;

Bytes null_value() {
  der::Writer writer;
  writer.null();
  return std::move(writer).take();
}

GeneralName recipient(const ChannelPolicy& channel, const GeneralName& named) {
  const auto& wanted = channel.settings.upstream.recipient;
  if (wanted.empty()) return named;
  const auto name = Name::from_text(wanted);
  return name ? GeneralName::of(*name) : named;
}

// RFC 9483 3.1: what is not understood goes on. origPKIMessage and revPassphrase were for us.
GeneralInfo kept(const GeneralInfo& info) {
  GeneralInfo result;
  for (const auto& item : info) {
    const bool ours =
        item.infoType == oid::id_it_origPKIMessage || item.infoType == oid::id_it_revPassphrase;
    if (!ours) result.push_back(item);
  }
  return result;
}

// Ours first, then the chain; those of the requester stay, for whoever looks at them (3.3).
std::vector<CMPCertificate> certificates(const Identity& identity, const PKIMessage& message) {
  auto all = identity.chain;
  for (const auto& one : message.extraCerts) {
    const auto same = [&](const CMPCertificate& other) { return other.der == one.der; };
    if (std::ranges::none_of(all, same)) all.push_back(one);
  }
  return all;
}

Result<Bytes> protect(PKIHeader header, const PKIBody& body, const ChannelPolicy& channel,
                      const std::vector<CMPCertificate>& extraCerts, const Services& services) {
  const auto& identity = services.identity;
  const auto& reference = channel.settings.upstream.secret;
  header.sender = GeneralName::of(identity.certificate.subject());
  if (reference.empty()) {
    header.senderKID = identity.key_identifier;
    return protect_with_signature(std::move(header), body, identity.signer, extraCerts);
  }
  SecretStore secrets(services.ledger.connection(), services.sealing_key);
  ASSIGN_OR_RETURN(const auto secret, secrets.find(reference));
  if (!secret) {
    return hold("the secret '" + reference + "' of channel " + channel.settings.name + " is gone",
                "`cmpost secret add " + reference + " --secret-file FILE`");
  }
  header.senderKID = to_bytes(reference);
  constexpr std::int64_t kIterations = 10'000;
  const MacParameters parameters = make_pbm_parameter(services.random, kIterations);
  return protect_with_mac(std::move(header), body, parameters, secret->value, {});
}

// The CA goes on with who has begun.
Services signing_as(ByteView signer, const Services& services) {
  return {services.identity.of_signer(signer),
          services.ledger,
          services.sealing_key,
          services.random,
          services.tokens,
          services.envelopes};
}

UpstreamMessage about(const ChannelPolicy& channel, Bytes transactionID, std::string body) {
  UpstreamMessage message;
  message.channel = channel.settings.name;
  message.address = channel.settings.upstream.to;
  message.transactionID = std::move(transactionID);
  message.body = std::move(body);
  return message;
}

Result<Bytes> reprotected(const Request& request, const ChannelPolicy& channel,
                          const Changes& changes, const Services& services) {
  auto header = request.message.header;
  header.recipient = recipient(channel, header.recipient);
  header.messageTime = std::chrono::floor<std::chrono::seconds>(request.likely);
  header.recipKID.reset();
  header.generalInfo = kept(header.generalInfo);
  if (changes.implicitConfirm && find(header.generalInfo, oid::id_it_implicitConfirm) == nullptr) {
    header.generalInfo.push_back({oid::id_it_implicitConfirm, null_value()});
  }
  if (changes.recipNonce) header.recipNonce = changes.recipNonce;
  return protect(std::move(header), request.message.body, channel,
                 certificates(services.identity, request.message), services);
}

// Never by a MAC (RFC 9483 5.2.2.1).
Result<Bytes> sign_around(PKIHeader header, std::vector<Bytes> messages, Time now,
                          const Services& services) {
  header.messageTime = std::chrono::floor<std::chrono::seconds>(now);
  header.sender = GeneralName::of(services.identity.certificate.subject());
  header.senderKID = services.identity.key_identifier;
  return protect_with_signature(std::move(header), body::nested{std::move(messages)},
                                services.identity.signer, services.identity.chain);
}

Result<Bytes> nested(const Request& request, const ChannelPolicy& channel,
                     const Services& services) {
  const auto& inner = request.message.header;
  PKIHeader header;
  header.pvno = inner.pvno;
  header.recipient = recipient(channel, inner.recipient);
  header.transactionID = inner.transactionID;
  header.senderNonce = inner.senderNonce;
  return sign_around(std::move(header), {request.der}, request.likely, services);
}

// A PKCS#10, and for a person what is to be revoked.
void order(const Request& request, UpstreamMessage& message) {
  const auto* p10cr = std::get_if<body::p10cr>(&request.message.body);
  message.octets = p10cr != nullptr ? p10cr->request.der : request.der;
  if (p10cr != nullptr) message.key = sha256(p10cr->request.spki.der);
}

const ChannelPolicy& asked_about(const std::string& profile, const RaSettings& ra,
                                 const ChannelPolicies& channels) {
  for (const auto& [name, channel] : channels) {
    const auto& names = channel.settings.profiles;
    const bool upstream = channel.settings.direction == Direction::upstream;
    if (upstream && std::ranges::find(names, profile) != names.end()) return channel;
  }
  return channels.at(ra.upstream);
}

}  // namespace

Checked<const ChannelPolicy*> upstream_for(const std::set<std::string>& profiles,
                                           const RaSettings& ra, const ChannelPolicies& channels) {
  std::set<const ChannelPolicy*> found;
  for (const auto& profile : profiles) found.insert(&asked_about(profile, ra, channels));
  if (found.empty()) return &channels.at(ra.upstream);
  if (found.size() == 1) return *found.begin();
  return reject(PKIFailureInfo::badRequest,
                "it is about certificates of several CAs: send a request for each");
}

Result<UpstreamMessage> make_upward(UpstreamMode mode, const Request& request,
                                    const ChannelPolicy& channel, const Changes& changes,
                                    const Services& services) {
  const auto& header = request.message.header;
  const auto ours = signing_as(changes.signer, services);
  auto message =
      about(channel, *header.transactionID, std::string(body_name(request.message.body)));
  message.mode = mode;
  message.senderNonce = header.senderNonce.value_or(Bytes());
  message.question = request.digest;
  message.made = request.now;
  if (mode != UpstreamMode::forward) message.signer = ours.identity.key_identifier;
  switch (mode) {
    case UpstreamMode::forward:
      message.octets = request.der;
      break;
    case UpstreamMode::reprotect: {
      ASSIGN_OR_RETURN(message.octets, reprotected(request, channel, changes, ours));
      break;
    }
    case UpstreamMode::nest: {
      ASSIGN_OR_RETURN(message.octets, nested(request, channel, ours));
      break;
    }
    case UpstreamMode::pkcs10:
      order(request, message);
      break;
  }
  return message;
}

Result<UpstreamMessage> make_own(PKIBody body, const UpstreamMessage& asked, std::int64_t pvno,
                                 const std::optional<Bytes>& recipNonce,
                                 const ChannelPolicy& channel, Time now, const Services& services,
                                 GeneralInfo info) {
  const auto ours = signing_as(asked.signer, services);
  auto message = about(channel, asked.transactionID, std::string(body_name(body)));
  message.mode = asked.mode;
  message.transaction = asked.transaction;
  message.renewal = asked.renewal;
  message.signer = ours.identity.key_identifier;
  message.senderNonce = services.random.bytes(kOwnNonce);
  message.made = now;
  PKIHeader header;
  header.pvno = pvno;
  header.recipient = recipient(channel, GeneralName::of(Name()));
  header.messageTime = std::chrono::floor<std::chrono::seconds>(now);
  header.transactionID = asked.transactionID;
  header.senderNonce = message.senderNonce;
  header.recipNonce = recipNonce;
  header.generalInfo = std::move(info);
  ASSIGN_OR_RETURN(message.octets,
                   protect(std::move(header), body, channel, ours.identity.chain, ours));
  return message;
}

Result<UpstreamBatch> make_batch(const std::vector<UpstreamMessage>& messages,
                                 const ChannelPolicy& channel, Time now, const Services& services) {
  UpstreamBatch batch;
  batch.channel = channel.settings.name;
  batch.address = channel.settings.upstream.to;
  batch.transactionID = services.random.bytes(kOwnNonce);
  batch.senderNonce = services.random.bytes(kOwnNonce);
  batch.made = now;
  std::vector<Bytes> members;
  for (const auto& one : messages) members.push_back(one.octets);
  PKIHeader header;
  header.recipient = recipient(channel, GeneralName::of(Name()));
  header.transactionID = batch.transactionID;
  header.senderNonce = batch.senderNonce;
  ASSIGN_OR_RETURN(batch.octets, sign_around(std::move(header), std::move(members), now, services));
  return batch;
}

}  // namespace cmpost
