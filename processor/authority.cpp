#include "processor/authority.h"

#include <algorithm>

#include "base/files.h"

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

Result<PrivateKey> load_ca_key(const CaSettings& settings) {
  return read_key(settings.key, settings.key_password_file);
}

Result<Authority> load_authority(const CaSettings& settings, Random& random, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto ca_key, read_key(settings.key, settings.key_password_file));
  ASSIGN_OR_RETURN(const auto ca_certificates, read_certificates(settings.certificate));
  TRY(check_fits(ca_key, ca_certificates.front(), settings.key, settings.certificate));
  auto issuer = Issuer::create(ca_certificates.front(), ca_key, random, clock);
  if (!issuer) return failure(std::move(issuer).error().within(settings.certificate));

  ASSIGN_OR_RETURN(const auto cmp_key, read_key(settings.cmp_key, settings.cmp_key_password_file));
  ASSIGN_OR_RETURN(const auto cmp_certificates, read_certificates(settings.cmp_certificate));
  const auto& cmp_certificate = cmp_certificates.front();
  TRY(check_fits(cmp_key, cmp_certificate, settings.cmp_key, settings.cmp_certificate));
  if (equal(cmp_key.public_key().spki(), ca_key.public_key().spki())) {
    return hold("the CMP key is the CA key: " + settings.cmp_key,
                "give [ca] cmp_key and cmp_certificate a key of their own (R-046); `cmpost init` "
                "shows how");
  }
  if (cmp_certificate.not_after() <= clock.now()) {
    return hold("the certificate that protects answers has expired on " +
                    to_iso8601(cmp_certificate.not_after()) + ": " + settings.cmp_certificate,
                "issue a new one and name it in [ca] cmp_certificate");
  }
  ASSIGN_OR_RETURN(auto cmp_signer, Signer::create(cmp_key));
  auto ca_chain = to_cmp(ca_certificates);
  auto cmp_chain = to_cmp(cmp_certificates);
  ASSIGN_OR_RETURN(auto rollovers, read_rollovers(settings.rollovers));
  const auto links = links_of(rollovers);
  cmp_chain.insert(cmp_chain.end(), links.begin(), links.end());
  cmp_chain.insert(cmp_chain.end(), ca_chain.begin(), ca_chain.end());
  const auto key_identifier = cmp_certificate.subject_key_identifier();
  return Authority{
      .issuer = std::move(*issuer),
      .cmp_certificate = cmp_certificate,
      .cmp_signer = std::move(cmp_signer),
      .cmp_key_identifier =
          key_identifier ? *key_identifier : cmp_key.public_key().key_identifier(),
      .cmp_chain = std::move(cmp_chain),
      .ca_chain = std::move(ca_chain),
      .rollovers = std::move(rollovers),
  };
}

}  // namespace cmpost
