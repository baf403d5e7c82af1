#include "mail/smime_files.h"

#include "base/files.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostPem = std::size_t{1} << 20U;

Result<std::vector<Certificate>> read_smime_certificates(const std::string& path) {
  ASSIGN_OR_RETURN(const auto pem, read_file(path, kMostPem));
  auto certificates = Certificate::from_pem(text_of(pem));
  if (!certificates) return failure(std::move(certificates).error().within(path));
  if (certificates->empty()) return hold(path + " has no certificate");
  return certificates;
}

}  // namespace

Result<SmimeIdentity> read_smime_identity(const SmimeSettings& settings) {
  ASSIGN_OR_RETURN(auto certificates, read_smime_certificates(settings.certificate));
  ASSIGN_OR_RETURN(const auto pem, read_file(settings.key, kMostPem));
  auto key = PrivateKey::from_pem(text_of(pem));
  if (!key) return failure(std::move(key).error().within(settings.key));
  auto certificate = std::move(certificates.front());
  if (!equal(certificate.spki(), key->public_key().spki())) {
    return hold(settings.key + " is not the key of the first certificate in " +
                settings.certificate);
  }
  certificates.erase(certificates.begin());
  return SmimeIdentity{std::move(certificate), std::move(certificates), *std::move(key)};
}

Result<std::vector<Certificate>> read_smime_trust(const SmimeSettings& settings) {
  std::vector<Certificate> anchors;
  for (const auto& path : settings.trust) {
    ASSIGN_OR_RETURN(auto certificates, read_smime_certificates(path));
    for (auto& certificate : certificates) anchors.push_back(std::move(certificate));
  }
  return anchors;
}

}  // namespace cmpost
