#include "processor/admission/revocation_passphrase.h"

#include "crypto/envelope/envelope_attributes.h"
#include "processor/admission/header_rules.h"
#include "processor/admission/received_envelope.h"
#include "processor/credentials/holder_identity.h"

namespace cmpost {
namespace {

// Longer than what people remember, shorter than what somebody might want to fill the ledger with.
constexpr std::size_t kMostOctets = 256;
// A certificate that is revoked by a stranger is a nuisance and no disaster; 64 bits cannot be
// guessed from one recorded rr within the time that matters.
constexpr double kMinBits = 64;
constexpr std::size_t kMaxKeyIdentifier = 64;

struct NamedHolder {
  HolderIdentity holder;
  std::string subject;
};

// Whose certificates it will revoke.
Checked<NamedHolder> holder_for(const Requester& requester) {
  if (const auto* holder = requester.certificate()) {
    const auto& subject = holder->certificate.subject();
    if (holder->record) return NamedHolder{holder_of(*holder->record, subject), subject.text()};
    return reject(PKIFailureInfo::notAuthorized,
                  "a revocation passphrase is for holders of certificates of this CA");
  }
  if (const auto only = requester.only_subject())
    return NamedHolder{holder_named(*only), only->text()};
  return reject(PKIFailureInfo::notAuthorized,
                "the secret is for many subjects: nobody knows whose passphrase this is");
}

bool is_hard_to_guess(ByteView passphrase) {
  return passphrase.size() <= kMostOctets && guessing_bits(passphrase) >= kMinBits;
}

}  // namespace

bool takes_passphrases(const ChannelSettings& channel) {
  return channel.revocation_passphrase && !channel.strict;
}

const InfoTypeAndValue* header_passphrase(const PKIHeader& header, const ChannelPolicy& channel) {
  if (!takes_passphrases(channel.settings)) return nullptr;
  return find(header.generalInfo, oid::id_it_revPassphrase);
}

Outcome<RevocationPassphrase> take_passphrase(const InfoTypeAndValue& item, const Request& request,
                                              const Requester& requester,
                                              const Services& services) {
  TRY(check_right(requester.rights,
                  wanted::Passphrase{.opens = opens_transaction(request.message.body)}));
  ASSIGN_OR_RETURN(auto named, holder_for(requester));
  // pvno 2 would have it in an EncryptedValue, which is not opened here.
  const bool enveloped = request.message.header.pvno >= kCmp2021 && item.infoValue &&
                         !item.infoValue->empty() &&
                         item.infoValue->front() == der::context_constructed(0);
  if (!enveloped) {
    return reject(PKIFailureInfo::badRequest, "revPassphrase needs EnvelopedData and pvno 3");
  }
  Bytes der = *item.infoValue;
  der[0] = der::kSequence;
  // Before anything is decrypted: it stands beside.
  auto key_identifier = local_key_id(der).value_or(Bytes());
  if (key_identifier.size() > kMaxKeyIdentifier) {
    return reject(PKIFailureInfo::badRequest, "localKeyId is too long");
  }
  ASSIGN_OR_RETURN(auto value,
                   open_passphrase(der, is_hard_to_guess, request, requester, services));
  auto sealed_for = to_hex(named.holder.value);
  auto sealed = services.sealing_key.seal(value, passphrase_context(sealed_for), services.random);
  wipe(value);
  if (!sealed) return failure(std::move(sealed).error());
  return RevocationPassphrase{std::move(named.holder), std::move(named.subject),
                              std::move(sealed_for),   std::move(key_identifier),
                              std::move(*sealed),      request.now};
}

}  // namespace cmpost
