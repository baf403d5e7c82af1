#include "processor/admission/authentication.h"

#include "crypto/keys/signature.h"
#include "processor/admission/device_search.h"
#include "processor/admission/kem_protection.h"
#include "processor/admission/revocation_passphrase.h"

namespace cmpost {
namespace {

constexpr std::size_t kStandIn = 16;  // octets

// What a MAC may have been made with.
struct KnownSecret {
  Secret secret;
  std::optional<HolderIdentity> revokes;  // a revocation passphrase, of this holder
  bool exists = true;                     // else it stands in for one, and no MAC is right
};

// As much work as unsealing a secret that is there. The time must not tell which references exist.
Result<void> work_as_for_a_secret(const Services& services) {
  ASSIGN_OR_RETURN(auto sealed,
                   services.sealing_key.seal(Bytes(kStandIn), "nobody", services.random));
  wipe(sealed);
  return {};
}

KnownSecret stand_in(const Services& services) {
  KnownSecret nobody{{}, std::nullopt, false};
  nobody.secret.value = services.random.bytes(kStandIn);
  return nobody;
}

// rr by MAC is under a revocation passphrase, and so is what follows it.
bool is_by_passphrase(const Request& request) {
  return std::holds_alternative<body::rr>(request.message.body) ||
         passphrase_holder(request.opened_by).has_value();
}

Result<std::optional<KnownSecret>> find_revocation_secret(const Request& request,
                                                          const Services& services) {
  RevocationPassphrases passphrases(services.ledger.connection());
  const auto opened_by = passphrase_holder(request.opened_by);
  std::optional<RevocationPassphrase> found;
  if (opened_by) {
    ASSIGN_OR_RETURN(found, passphrases.of_holder(*opened_by));
  }
  if (!found) {
    ASSIGN_OR_RETURN(found, passphrases.find(request.message, services.ledger));
  }
  if (!found) {
    TRY(work_as_for_a_secret(services));
    return std::nullopt;
  }
  KnownSecret known;
  known.secret.reference = passphrase_reference(found->holder);
  ASSIGN_OR_RETURN(known.secret.value, unseal(*found, services.sealing_key));
  known.revokes = std::move(found->holder);
  return known;
}

// By senderKID first, by the sender's CN second.
Result<std::optional<Secret>> find_by_reference(const PKIHeader& header, const Services& services) {
  const auto key = header.senderKID ? std::string(text_of(*header.senderKID)) : std::string();
  const auto sender = header.sender.directory_name();
  const auto name = sender ? sender->first(oid::id_at_commonName) : std::nullopt;
  SecretStore secrets(services.ledger.connection(), services.sealing_key);
  return secrets.find_evenly(key.empty() ? name.value_or("") : key, name.value_or(key));
}

Result<std::optional<KnownSecret>> find_secret(const Request& request, const Services& services) {
  if (is_by_passphrase(request)) return find_revocation_secret(request, services);
  ASSIGN_OR_RETURN(auto secret, find_by_reference(request.message.header, services));
  if (!secret) return std::nullopt;
  return KnownSecret{std::move(*secret), std::nullopt};
}

Result<SecretLock::State> failures_of(const Secret& secret, const Request& request,
                                      const Services& services) {
  const auto& channel = request.channel->settings;
  return SecretLock(services.ledger.connection())
      .state(full_reference(secret), channel.name, request.peer, channel.mac, request.likely);
}

// Whoever has a key is always believed: nobody finds it by asking, at whatever rate, so that a lock
// would only serve who wants the owner locked out. The time must not tell one from a password.
Result<bool> is_locked(const Secret& secret, const Request& request, const Services& services) {
  ASSIGN_OR_RETURN(const auto state, failures_of(secret, request, services));
  return !secret.is_key && state == SecretLock::State::locked;
}

constexpr std::size_t kMinBareKey = 16;  // octets

tl::unexpected<Rejection> no_fitting_secret() {
  // The same words for an unknown reference, a wrong secret and a locked one: a stranger learns
  // nothing.
  return reject(PKIFailureInfo::badMessageCheck, "no secret is known that fits the MAC");
}

}  // namespace

Outcome<Requester> authenticate_by_secret(const Request& request, const Services& services) {
  const auto& message = request.message;
  // Before any secret is looked at, so that nobody learns or guesses one this way.
  if (std::holds_alternative<body::rr>(message.body) &&
      !takes_passphrases(request.channel->settings)) {
    return reject(PKIFailureInfo::wrongIntegrity, "rr is protected by a signature");
  }
  ASSIGN_OR_RETURN(auto parameters, protection_mac(message, request.channel->mac_limits));
  ASSIGN_OR_RETURN(auto known, find_secret(request, services));
  if (!known) known = stand_in(services);
  auto* const secret = &known->secret;
  ASSIGN_OR_RETURN(const bool locked, is_locked(*secret, request, services));
  const bool bare = std::holds_alternative<MacScheme>(parameters);
  // A registered key of another length than the MAC's is a wrong one.
  if (!takes_secret_of(parameters, secret->value.size())) return no_fitting_secret();
  // First the work, and then what else speaks against it: the time tells neither.
  auto verified = verify_mac_protection(message, parameters, secret->value);
  // What was believed when it came is believed when it has waited.
  if (!known->exists || (locked && request.waited == nullptr) ||
      (bare && secret->value.size() < kMinBareKey)) {
    return no_fitting_secret();
  }
  if (verified) {
    return Requester(
        SecretHolder{std::move(*secret), std::move(parameters), std::move(known->revokes)});
  }
  const auto* rejection = verified.error().rejection();
  if (rejection != nullptr && rejection->failInfo == PKIFailureInfo::badMessageCheck) {
    return no_fitting_secret();
  }
  return failure(std::move(verified).error());
}

Outcome<Requester> authenticate_by_signature(const Request& request, const Services& services) {
  const auto extra_certs = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto signer, find_sender_certificate(request, extra_certs));
  TRY(check_sender(signer, KeyUsageBit::digitalSignature, request));
  auto key = signer.public_key();
  if (!key) {
    return reject(PKIFailureInfo::badAlg, "the signer's key cannot be used: " + key.error().what);
  }
  if (!request.signature_known) TRY(verify_signature_protection(request.message, *key));
  ASSIGN_OR_RETURN(auto holder, judge_signer(signer, extra_certs, request, services.ledger));
  return Requester(std::move(holder));
}

namespace {

std::optional<ProtectionMethod> signature_method(const AlgorithmIdentifier& algorithm) {
  const auto scheme = signature_scheme(algorithm);
  if (!scheme) return std::nullopt;  // what is wrong with it is told by who verifies it
  switch (scheme->kind) {
    case SignatureScheme::Kind::rsa_pkcs1:
      return ProtectionMethod::rsa;
    case SignatureScheme::Kind::rsa_pss:
      return ProtectionMethod::rsa_pss;
    case SignatureScheme::Kind::ecdsa:
      return ProtectionMethod::ecdsa;
    case SignatureScheme::Kind::ed25519:
      return ProtectionMethod::ed25519;
    default:
      return ProtectionMethod::ed448;
  }
}

ProtectionMethod bare_method(const Oid& algorithm) {
  if (algorithm == oid::id_KMACWithSHAKE128 || algorithm == oid::id_KMACWithSHAKE256) {
    return ProtectionMethod::kmac;
  }
  const bool gmac = algorithm == oid::id_aes128_GMAC || algorithm == oid::id_aes192_GMAC ||
                    algorithm == oid::id_aes256_GMAC;
  return gmac ? ProtectionMethod::gmac : ProtectionMethod::hmac;
}

// nullopt: nothing that a policy could be about.
std::optional<ProtectionMethod> method_of(const PKIMessage& message) {
  switch (protection_kind(message)) {
    case ProtectionKind::signature:
      return signature_method(*message.header.protectionAlg);
    case ProtectionKind::password_based_mac:
      return ProtectionMethod::pbm;
    case ProtectionKind::pbmac1:
      return ProtectionMethod::pbmac1;
    case ProtectionKind::bare_mac:
      return bare_method(message.header.protectionAlg->algorithm);
    case ProtectionKind::dh_based_mac:
      return ProtectionMethod::dh;
    case ProtectionKind::kem_based_mac:
      return ProtectionMethod::kem;
    default:
      return std::nullopt;
  }
}

Checked<void> check_allowed(const Request& request) {
  const auto method = method_of(request.message);
  if (!method || request.channel->allows(*method)) return {};
  return reject(PKIFailureInfo::badAlg, "messages protected with " +
                                            request.message.header.protectionAlg->algorithm.name() +
                                            " are not accepted here");
}

Outcome<Requester> find_requester(const Request& request, const Services& services) {
  switch (protection_kind(request.message)) {
    case ProtectionKind::none:
      return reject(PKIFailureInfo::badMessageCheck, "the message is not protected");
    case ProtectionKind::password_based_mac:
    case ProtectionKind::pbmac1:
    case ProtectionKind::bare_mac:
      return authenticate_by_secret(request, services);
    case ProtectionKind::dh_based_mac:
      return authenticate_by_dh(request, services);
    case ProtectionKind::kem_based_mac:
      return authenticate_by_kem(request, services);
    case ProtectionKind::signature:
      return authenticate_by_signature(request, services);
    case ProtectionKind::other:
      break;
  }
  return reject(PKIFailureInfo::badAlg, "the protection algorithm " +
                                            request.message.header.protectionAlg->algorithm.name() +
                                            " is not supported");
}

}  // namespace

Outcome<Requester> authenticate(const Request& request, const Services& services) {
  TRY(check_allowed(request));
  ASSIGN_OR_RETURN(auto requester, find_requester(request, services));
  TRY(take_kem_ciphertext(requester, request, services));
  TRY(find_device(requester, request, services));
  ASSIGN_OR_RETURN(requester.rights, rights_of(requester, *request.channel, request.sure));
  return requester;
}

Result<std::optional<SecretFailure>> failure_to_count(const Request& request,
                                                      const Services& services) {
  const auto kind = protection_kind(request.message);
  const bool by_secret = kind == ProtectionKind::password_based_mac ||
                         kind == ProtectionKind::pbmac1 || kind == ProtectionKind::bare_mac;
  if (!by_secret) return std::nullopt;
  ASSIGN_OR_RETURN(auto known, find_secret(request, services));
  if (!known) known = stand_in(services);
  const auto* const secret = &known->secret;
  const auto& channel = request.channel->settings;
  // Beyond the limit nothing is counted: a flood must not prolong what it has brought about.
  ASSIGN_OR_RETURN(const auto state, failures_of(*secret, request, services));
  if (!known->exists || state != SecretLock::State::open) return std::nullopt;
  return SecretFailure{full_reference(*secret), channel.name, request.peer, request.digest,
                       request.likely};
}

Checked<void> check_may_open(const Requester& requester, const PKIBody& body) {
  if (requester.lacks_ciphertext) {
    return reject(PKIFailureInfo::wrongIntegrity,
                  "answers are protected by a KEM key here: send a KemCiphertextInfo for it");
  }
  return check_right(requester.rights, wanted::Message{body});
}

}  // namespace cmpost
