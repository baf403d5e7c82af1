#include "processor/admission/authority.h"

#include <algorithm>

#include "asn1/name_form.h"
#include "base/files.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"
#include "crypto/x509/trust.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxCredentialFile = 1 << 20;

Result<std::optional<std::string>> read_password(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  ASSIGN_OR_RETURN(const auto contents, read_file(*path, 4096));
  std::string password(text_of(contents));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
    password.pop_back();
  }
  return password;
}

Result<PrivateKey> read_key(const std::string& path,
                            const std::optional<std::string>& password_file) {
  if (path.starts_with("pkcs11:")) {
    return hold("keys in a PKCS#11 token are not built into this version: " + path,
                "name a PEM file");
  }
  ASSIGN_OR_RETURN(const auto contents, read_file(path, kMaxCredentialFile));
  ASSIGN_OR_RETURN(const auto password, read_password(password_file));
  auto key = PrivateKey::from_pem(text_of(contents), password);
  if (!key) return failure(std::move(key).error().within(path));
  return key;
}

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  ASSIGN_OR_RETURN(const auto contents, read_file(path, kMaxCredentialFile));
  auto certificates = Certificate::from_pem(text_of(contents));
  if (!certificates) return failure(std::move(certificates).error().within(path));
  return certificates;
}

Result<void> check_fits(const PrivateKey& key, const Certificate& certificate,
                        const std::string& key_path, const std::string& certificate_path) {
  if (equal(key.public_key().spki(), certificate.spki())) return {};
  ASSIGN_OR_RETURN(const auto certified, certificate.public_key());
  if (certified.type() == key.type() &&
      equal(certified.key_identifier(), key.public_key().key_identifier()))
    return {};
  return hold(
      "the key in " + key_path + " does not belong to the certificate in " + certificate_path,
      "make sure that both files come from the same place");
}

std::vector<CMPCertificate> to_cmp(const std::vector<Certificate>& certificates) {
  std::vector<CMPCertificate> chain;
  for (const auto& certificate : certificates) chain.push_back({to_bytes(certificate.der())});
  return chain;
}

// A link of a roll-over, which another key has signed, stays.
std::vector<Certificate> without_roots(std::vector<Certificate> chain) {
  std::erase_if(chain, [](const Certificate& one) { return issued_by(one, one).value_or(false); });
  return chain;
}

// "Self-signed certificates should be omitted from extraCerts" (RFC 9483 3.3): nobody may trust one
// because it came along, and it would be a quarter of an answer.
std::vector<CMPCertificate> issuers_to_send(const std::vector<Certificate>& chain, bool with_root) {
  return to_cmp(with_root ? chain : without_roots(chain));
}

// The holder of a key, whoever signed it, and its issuers.
std::vector<CMPCertificate> chain_to_send(const std::vector<Certificate>& chain, bool with_root) {
  auto sent = to_cmp({chain.front()});
  const auto issuers = issuers_to_send({chain.begin() + 1, chain.end()}, with_root);
  sent.insert(sent.end(), issuers.begin(), issuers.end());
  return sent;
}

// They stand in CRLs, which are not looked at again before they are signed.
Result<void> check_crl_urls(const CrlSettings& crl) {
  for (const auto& url : {crl.url, crl.delta_url}) {
    if (url.empty() || is_uri(url)) continue;
    return hold("[ca] crl: others cannot read the URL " + printable(url, 80),
                "write it as RFC 3986 has it, other characters as %41");
  }
  return {};
}

Result<std::vector<CaRollover>> read_rollovers(const std::vector<std::string>& paths) {
  std::vector<CaRollover> rollovers;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto certificates, read_certificates(path));
    auto rollover = recognise_rollover(certificates);
    if (!rollover) return failure(std::move(rollover).error().within(path));
    rollovers.push_back(std::move(*rollover));
  }
  std::ranges::sort(rollovers, {}, [](const auto& one) { return one.newWithNew.not_before(); });
  return rollovers;
}

// Who trusts one root only gets to the other by these. They stand before the roots: OpenSSL takes
// the first issuer that fits and does not come back from a root that it does not trust.
std::vector<CMPCertificate> links_of(const std::vector<CaRollover>& rollovers) {
  std::vector<CMPCertificate> links;
  for (const auto& rollover : rollovers) {
    links.push_back({to_bytes(rollover.newWithOld.der())});
    links.push_back({to_bytes(rollover.oldWithNew.der())});
  }
  return links;
}

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

Result<KeyGenerator> load_key_generator(const CaSettings& settings,
                                        const std::vector<Certificate>& ca_certificates) {
  ASSIGN_OR_RETURN(const auto key, read_key(*settings.kga_key, settings.kga_key_password_file));
  ASSIGN_OR_RETURN(auto chain, read_certificates(*settings.kga_certificate));
  TRY(check_fits(key, chain.front(), *settings.kga_key, *settings.kga_certificate));
  if (!chain.front().has_extended_key_usage(oid::id_kp_cmKGA)) {
    return hold("the certificate lacks id-kp-cmKGA: " + *settings.kga_certificate,
                "issue it from a profile with extended_key_usage = [\"cmKGA\"]");
  }
  ASSIGN_OR_RETURN(auto signer, Signer::create(key));
  // RFC 9483 4.1.6: "Self-signed certificates should not be included".
  const auto issuers = without_roots(ca_certificates);
  chain.insert(chain.end(), issuers.begin(), issuers.end());
  return KeyGenerator{std::move(signer), std::move(chain)};
}

}  // namespace

std::vector<Certificate> Authority::own_roots() const {
  std::vector<Certificate> roots = {issuer.certificate()};
  for (const auto& rollover : rollovers) {
    for (const auto& root : {rollover.oldWithOld, rollover.newWithNew}) {
      if (std::ranges::find(roots, root) == roots.end()) roots.push_back(root);
    }
  }
  return roots;
}

namespace {

bool any_root(const Authority& authority, const auto& is) {
  return is(authority.issuer.certificate()) ||
         std::ranges::any_of(authority.rollovers, [&](const CaRollover& one) {
           return is(one.oldWithOld) || is(one.newWithNew);
         });
}

bool any_worker(const Authority& authority, const auto& is) {
  return is(authority.cmp_certificate) ||
         std::ranges::any_of(authority.protocol_keys, is, &ProtocolKey::certificate) ||
         (authority.key_generator && is(authority.key_generator->chain.front()));
}

}  // namespace

Authority::KeyOwner Authority::owner_of(ByteView spki) const {
  const auto has = [&](const Certificate& certificate) { return equal(certificate.spki(), spki); };
  if (any_root(*this, has)) return KeyOwner::issuing;
  return any_worker(*this, has) ? KeyOwner::working : KeyOwner::others;
}

bool Authority::is_called(const Name& name) const {
  const auto key = name.comparison_key();
  const auto has = [&](const Certificate& certificate) { return certificate.subject_key() == key; };
  return any_root(*this, has) || any_worker(*this, has);
}

Result<PrivateKey> load_ca_key(const CaSettings& settings) {
  return read_key(settings.key, settings.key_password_file);
}

// The first that an envelope is for is the only one that is tried.
Result<DecryptedContent> open_for_us(ByteView enveloped, const Authority& authority) {
  Result<DecryptedContent> opened =
      hold("there is no key here that anything could be encrypted to");
  for (const auto& own : authority.protocol_keys) {
    opened = decrypt_envelope(enveloped, own.key, own.certificate);
    if (opened) break;
  }
  return opened;
}

const ProtocolKey* Authority::agreement_key(const PublicKey& peer,
                                            const std::optional<Bytes>& key_identifier) const {
  const auto fits = [&](const ProtocolKey& own) {
    return own.certificate.allows(KeyUsageBit::keyAgreement) &&
           own.key.public_key().description() == peer.description();
  };
  const auto named = [&](const ProtocolKey& own) {
    return fits(own) && key_identifier &&
           own.certificate.subject_key_identifier() == *key_identifier;
  };
  auto found = std::ranges::find_if(protocol_keys, named);
  if (found == protocol_keys.end()) found = std::ranges::find_if(protocol_keys, fits);
  return found == protocol_keys.end() ? nullptr : &*found;
}

const ProtocolKey* Authority::kem_key() const {
  const auto found = std::ranges::find_if(protocol_keys, [](const ProtocolKey& own) {
    return own.certificate.allows(KeyUsageBit::keyEncipherment) &&
           can_encapsulate(own.key.public_key());
  });
  return found == protocol_keys.end() ? nullptr : &*found;
}

Result<Issuer> load_issuer(const CaSettings& settings, Random& random, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto key, load_ca_key(settings));
  ASSIGN_OR_RETURN(const auto certificates, read_certificates(settings.certificate));
  TRY(check_fits(key, certificates.front(), settings.key, settings.certificate));
  auto issuer = Issuer::create(certificates.front(), key, random, clock);
  if (!issuer) return failure(std::move(issuer).error().within(settings.certificate));
  return issuer;
}

Result<Authority> load_authority(const CaSettings& settings, Random& random, const Clock& clock) {
  TRY(check_crl_urls(settings.crl));
  ASSIGN_OR_RETURN(auto issuer, load_issuer(settings, random, clock));
  ASSIGN_OR_RETURN(const auto ca_certificates, read_certificates(settings.certificate));

  ASSIGN_OR_RETURN(const auto cmp_key, read_key(settings.cmp_key, settings.cmp_key_password_file));
  ASSIGN_OR_RETURN(const auto cmp_certificates, read_certificates(settings.cmp_certificate));
  const auto& cmp_certificate = cmp_certificates.front();
  TRY(check_fits(cmp_key, cmp_certificate, settings.cmp_key, settings.cmp_certificate));
  if (equal(cmp_key.public_key().spki(), issuer.certificate().spki())) {
    return hold("the CMP key is the CA key: " + settings.cmp_key,
                "give [ca] cmp_key and cmp_certificate a key of their own (R-046); `cmpost init` "
                "shows how");
  }
  if (cmp_certificate.not_after() <= clock.now()) {
    return hold("the certificate that protects answers has expired on " +
                    to_iso8601(cmp_certificate.not_after()) + ": " + settings.cmp_certificate,
                "`cmpost ca credential cmp` makes the next one");
  }
  ASSIGN_OR_RETURN(auto cmp_signer, Signer::create(cmp_key));
  auto issuers = issuers_to_send(ca_certificates, settings.send_root);
  auto cmp_chain = chain_to_send(cmp_certificates, settings.send_root);
  ASSIGN_OR_RETURN(auto rollovers, read_rollovers(settings.rollovers));
  const auto links = links_of(rollovers);
  cmp_chain.insert(cmp_chain.end(), links.begin(), links.end());
  cmp_chain.insert(cmp_chain.end(), issuers.begin(), issuers.end());
  std::vector<ProtocolKey> protocol_keys;
  for (const auto& one : settings.protocol_keys) {
    ASSIGN_OR_RETURN(auto own, load_protocol_key(one, issuers, settings.send_root));
    protocol_keys.push_back(std::move(own));
  }
  std::optional<KeyGenerator> key_generator;
  if (settings.kga_key && settings.kga_certificate) {
    ASSIGN_OR_RETURN(key_generator, load_key_generator(settings, ca_certificates));
  }
  const auto key_identifier = cmp_certificate.subject_key_identifier();
  return Authority{
      .issuer = std::move(issuer),
      .cmp_certificate = cmp_certificate,
      .cmp_signer = std::move(cmp_signer),
      .cmp_key_identifier =
          key_identifier ? *key_identifier : cmp_key.public_key().key_identifier(),
      .cmp_chain = std::move(cmp_chain),
      .issuers = std::move(issuers),
      .ca_chain = to_cmp(ca_certificates),
      .rollovers = std::move(rollovers),
      .protocol_keys = std::move(protocol_keys),
      .key_generator = std::move(key_generator),
  };
}

}  // namespace cmpost
