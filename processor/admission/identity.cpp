#include "processor/admission/identity.h"

#include <algorithm>

#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"
#include "processor/admission/credential_files.h"

namespace cmpost {
namespace {

Result<ProtocolKey> load_protocol_key(const ProtocolKeySettings& settings,
                                      const std::vector<CMPCertificate>& issuers, bool with_root) {
  ASSIGN_OR_RETURN(const auto key, read_key(settings.key, settings.key_password_file));
  ASSIGN_OR_RETURN(const auto certificates, read_certificates(settings.certificate));
  TRY(check_fits(key, certificates.front(), settings.key, settings.certificate));
  if (!can_agree(key.public_key()) && !can_encapsulate(key.public_key())) {
    return hold("a key " + key.public_key().description() +
                    " can neither agree nor decrypt: " + settings.key,
                "[ca] protocol_keys are for EC, X25519, X448, RSA and ML-KEM");
  }
  auto chain = chain_to_send(certificates, with_root);
  chain.insert(chain.end(), issuers.begin(), issuers.end());
  return ProtocolKey{key, certificates.front(), std::move(chain)};
}

}  // namespace

// The first that an envelope is for is the only one that is tried.
Result<DecryptedContent> open_for_us(ByteView enveloped, const Identity& identity) {
  Result<DecryptedContent> opened =
      hold("there is no key here that anything could be encrypted to");
  for (const auto& own : identity.protocol_keys) {
    opened = decrypt_envelope(enveloped, own.key, own.certificate);
    if (opened) break;
  }
  return opened;
}

const ProtocolKey* Identity::agreement_key(const PublicKey& peer,
                                           const std::optional<Bytes>& wanted) const {
  const auto fits = [&](const ProtocolKey& own) {
    return own.certificate.allows(KeyUsageBit::keyAgreement) &&
           own.key.public_key().description() == peer.description();
  };
  const auto named = [&](const ProtocolKey& own) {
    return fits(own) && wanted && own.certificate.subject_key_identifier() == *wanted;
  };
  auto found = std::ranges::find_if(protocol_keys, named);
  if (found == protocol_keys.end()) found = std::ranges::find_if(protocol_keys, fits);
  return found == protocol_keys.end() ? nullptr : &*found;
}

const Identity& Identity::of_signer(ByteView key_id) const {
  const auto found = std::ranges::find_if(
      former, [&](const auto& one) { return equal(one->key_identifier, key_id); });
  return found == former.end() ? *this : **found;
}

const ProtocolKey* Identity::kem_key() const {
  const auto found = std::ranges::find_if(protocol_keys, [](const ProtocolKey& own) {
    return own.certificate.allows(KeyUsageBit::keyEncipherment) &&
           can_encapsulate(own.key.public_key());
  });
  return found == protocol_keys.end() ? nullptr : &*found;
}

Result<Identity> load_identity(IdentityFiles files, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto pair,
                   read_pair(files.key, files.certificate, files.key_password_file));
  const auto& [key, certificates] = pair;
  const auto& certificate = certificates.front();
  if (!files.may_be_over && certificate.not_after() <= clock.now()) {
    return hold("the certificate that protects answers has expired on " +
                    to_iso8601(certificate.not_after()) + ": " + files.certificate,
                "`cmpost ca credential cmp` makes the next one");
  }
  ASSIGN_OR_RETURN(auto signer, Signer::create(key));
  // Links stand before the roots: OpenSSL takes the first issuer that fits and does not come back
  // from a root that it does not trust.
  auto chain = chain_to_send(certificates, files.send_root);
  chain.insert(chain.end(), files.links.begin(), files.links.end());
  chain.insert(chain.end(), files.issuers.begin(), files.issuers.end());
  std::vector<ProtocolKey> protocol_keys;
  for (const auto& one : files.protocol_keys) {
    ASSIGN_OR_RETURN(auto own, load_protocol_key(one, files.issuers, files.send_root));
    protocol_keys.push_back(std::move(own));
  }
  const auto named = certificate.subject_key_identifier();
  return Identity{
      .certificate = certificate,
      .signer = std::move(signer),
      .key_identifier = named ? *named : key.public_key().key_identifier(),
      .chain = std::move(chain),
      .issuers = std::move(files.issuers),
      .protocol_keys = std::move(protocol_keys),
  };
}

}  // namespace cmpost
