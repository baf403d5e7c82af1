#include "processor/admission/kem_protection.h"

#include "cmp/kem_ciphertext_info.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"

namespace cmpost {
namespace {

using Owner = KemSecret::Owner;

Checked<PublicKey> usable_key(const Certificate& certificate) {
  auto key = certificate.public_key();
  if (key) return *std::move(key);
  return reject(PKIFailureInfo::badAlg, "the sender's key cannot be used: " + key.error().what);
}

bool is_for_agreement(const Certificate& certificate) {
  const auto key = certificate.public_key();
  return key && can_agree(*key) && certificate.allows(KeyUsageBit::keyAgreement);
}

const Bytes& transaction_id(const Request& request) {
  return *request.message.header.transactionID;
}

Result<KemSecret> sealed_secret(const Request& request, Owner owner, ByteView ciphertext,
                                ByteView shared_secret, const Services& services) {
  KemSecret secret;
  secret.transactionID = transaction_id(request);
  secret.owner = owner;
  secret.ciphertext = sha256(ciphertext);
  ASSIGN_OR_RETURN(secret.sealed,
                   services.sealing_key.seal(
                       shared_secret, kem_secret_context(secret.transactionID), services.random));
  secret.at = request.now;
  return secret;
}

Result<std::optional<Bytes>> unsealed_secret(const Request& request, Owner owner,
                                             const Services& services, std::string& credential) {
  KemSecrets secrets(services.ledger.connection());
  ASSIGN_OR_RETURN(const auto stored, secrets.find(transaction_id(request), owner));
  if (!stored) return std::nullopt;
  credential = stored->credential;
  ASSIGN_OR_RETURN(auto secret, services.sealing_key.unseal(
                                    stored->sealed, kem_secret_context(stored->transactionID)));
  return secret;
}

// A ciphertext that an earlier version has given out is in the ledger.
Outcome<Bytes> secret_with(const Certificate& certificate, const Request& request,
                           const Services& services) {
  std::string credential;
  ASSIGN_OR_RETURN(auto kept, unsealed_secret(request, Owner::requester, services, credential));
  const auto own = "kem:" + to_hex(certificate.fingerprint());
  if (kept && credential == own) return *std::move(kept);
  ASSIGN_OR_RETURN(auto made, encapsulated_to(certificate, request, services));
  return std::move(made.shared_secret);
}

}  // namespace

bool is_for_encapsulation(const Certificate& certificate) {
  const auto key = certificate.public_key();
  return key && can_encapsulate(*key) && certificate.allows(KeyUsageBit::keyEncipherment);
}

Outcome<Encapsulated> encapsulated_to(const Certificate& certificate, const Request& request,
                                      const Services& services) {
  ASSIGN_OR_RETURN(const auto key, usable_key(certificate));
  auto about = to_bytes(certificate.fingerprint());
  append(about, transaction_id(request));
  ASSIGN_OR_RETURN(auto seed, services.sealing_key.derive("kem", about));
  auto made = encapsulate(key, seed);
  wipe(seed);
  if (!made) return failure(std::move(made).error());
  return *std::move(made);
}

Outcome<Requester> authenticate_by_dh(const Request& request, const Services& services) {
  ASSIGN_OR_RETURN(auto parameters, protection_mac(request.message, request.channel->mac_limits));
  const auto extra_certs = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto sender,
                   find_sender_certificate(request, extra_certs, is_for_agreement));
  TRY(check_sender(sender, KeyUsageBit::keyAgreement, request));
  ASSIGN_OR_RETURN(const auto peer, usable_key(sender));
  const auto* own = services.identity.agreement_key(peer, request.message.header.recipKID);
  if (own == nullptr) {
    return reject(PKIFailureInfo::badAlg, "there is no key here that agrees with the sender's");
  }
  const auto agreed = agree(own->key, peer);
  if (!agreed) return reject(PKIFailureInfo::badMessageCheck, agreed.error().what);
  TRY(verify_mac_protection(request.message, parameters, *agreed));
  ASSIGN_OR_RETURN(auto holder, judge_signer(sender, extra_certs, request, services.ledger));
  holder.proof = CertificateHolder::Proof::dh;
  Requester requester(std::move(holder));
  requester.answer_mac = AnswerMac{std::move(parameters), *agreed};
  return requester;
}

Outcome<Requester> authenticate_by_kem(const Request& request, const Services& services) {
  ASSIGN_OR_RETURN(const auto parameters,
                   protection_mac(request.message, request.channel->mac_limits));
  const auto extra_certs = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto sender,
                   find_sender_certificate(request, extra_certs, is_for_encapsulation));
  TRY(check_sender(sender, KeyUsageBit::keyEncipherment, request));
  ASSIGN_OR_RETURN(const auto secret, secret_with(sender, request, services));
  TRY(verify_mac_protection(request.message, parameters, secret));
  ASSIGN_OR_RETURN(auto holder, judge_signer(sender, extra_certs, request, services.ledger));
  holder.proof = CertificateHolder::Proof::kem;
  return Requester(std::move(holder));
}

Outcome<void> take_kem_ciphertext(Requester& requester, const Request& request,
                                  const Services& services) {
  const auto* own = services.identity.kem_key();
  if (own == nullptr || !request.channel->allows(ProtectionMethod::kem)) return {};
  const auto* info = find(request.message.header.generalInfo, oid::id_it_KemCiphertextInfo);
  if (info == nullptr || !info->infoValue) {
    std::string nobody;
    ASSIGN_OR_RETURN(auto secret, unsealed_secret(request, Owner::authority, services, nobody));
    if (secret) requester.answer_mac = AnswerMac{make_kem_parameter(), std::move(*secret)};
    requester.lacks_ciphertext =
        !requester.answer_mac && request.channel->settings.answer == AnswerProtection::kem;
    return {};
  }
  const auto ciphertext = read_kem_ciphertext_info(*info->infoValue);
  if (!ciphertext) {
    return reject(PKIFailureInfo::badDataFormat, "KemCiphertextInfo is malformed");
  }
  auto secret = decapsulate(own->key, ciphertext->kem, ciphertext->ct);
  if (!secret) return reject(PKIFailureInfo::badMessageCheck, secret.error().what);
  ASSIGN_OR_RETURN(requester.established,
                   sealed_secret(request, Owner::authority, ciphertext->ct, *secret, services));
  KemSecrets secrets(services.ledger.connection());
  ASSIGN_OR_RETURN(const auto here, secrets.find(transaction_id(request), Owner::authority));
  if (here && here->ciphertext != requester.established->ciphertext) {
    return reject(PKIFailureInfo::badRequest, "the transaction has another KEM ciphertext");
  }
  if (here) {
    requester.established.reset();  // once more within its transaction
  } else {
    ASSIGN_OR_RETURN(const bool known, secrets.knows_ciphertext(requester.established->ciphertext));
    if (known) {
      return reject(PKIFailureInfo::badMessageCheck, "the KEM ciphertext has been used before");
    }
  }
  requester.answer_mac = AnswerMac{make_kem_parameter(), std::move(*secret)};
  return {};
}

}  // namespace cmpost
