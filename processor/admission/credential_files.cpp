#include "processor/admission/credential_files.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/secret_line.h"
#include "crypto/x509/trust.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxCredentialFile = 1 << 20;

Result<std::optional<std::string>> read_password(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  return read_secret_line(*path);
}

// Where the next certificate is before it has its name.
std::string beside(const std::string& certificate_path) { return certificate_path + ".new"; }

}  // namespace

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

Result<KeyPair> read_pair(const std::string& key_path, const std::string& certificate_path,
                          const std::optional<std::string>& password_file) {
  // The key is read first and exchanged first: with an old one the second look finds the new one.
  constexpr int kLooks = 3;
  Result<void> fits;
  for (int look = 0; look < kLooks; ++look) {
    ASSIGN_OR_RETURN(auto key, read_key(key_path, password_file));
    ASSIGN_OR_RETURN(auto certificates, read_certificates(certificate_path));
    fits = check_fits(key, certificates.front(), key_path, certificate_path);
    if (fits) return KeyPair{std::move(key), std::move(certificates)};
    auto next = read_certificates(beside(certificate_path));
    if (next && check_fits(key, next->front(), key_path, certificate_path)) {
      return KeyPair{std::move(key), std::move(*next)};
    }
  }
  return failure(std::move(fits).error());
}

Result<void> check_exchangeable(const std::string& key_path, const std::string& certificate_path) {
  for (const auto& path : {key_path, certificate_path}) {
    const auto directory = std::filesystem::path(path).parent_path().string();
    if (::access(directory.empty() ? "." : directory.c_str(), W_OK | X_OK) == 0) continue;
    auto error = errno_error("writing into", directory, errno);
    return hold(error.what, "a renewed certificate is written there, beside " + path +
                                ": give this account the right to it");
  }
  // What is in the way of the next certificate is none of ours.
  std::error_code unknown;
  const auto next = beside(certificate_path);
  if (std::filesystem::is_directory(next, unknown)) {
    return hold(next + " is a directory", "a renewed certificate is written there: remove it");
  }
  return {};
}

Result<void> write_pair(const KeyPair& pair, const std::string& key_path,
                        const std::string& certificate_path,
                        const std::optional<std::string>& password_file) {
  constexpr mode_t kKeyMode = 0600, kCertificateMode = 0644;
  ASSIGN_OR_RETURN(const auto password, read_password(password_file));
  ASSIGN_OR_RETURN(const auto key, pair.key.to_pem(password));
  std::string chain;
  for (const auto& one : pair.certificates) chain += one.to_pem();
  TRY(write_file(beside(certificate_path), view_of(chain), kCertificateMode, IfExists::replace));
  crash_point("pair.beside");
  TRY(write_file(key_path, view_of(key), kKeyMode, IfExists::replace));
  crash_point("pair.key");
  TRY(write_file(certificate_path, view_of(chain), kCertificateMode, IfExists::replace));
  crash_point("pair.certificate");
  if (::unlink(beside(certificate_path).c_str()) != 0 && errno != ENOENT) {
    return failure(errno_error("removing", beside(certificate_path), errno));
  }
  return {};
}

std::vector<CMPCertificate> to_cmp(const std::vector<Certificate>& certificates) {
  std::vector<CMPCertificate> chain;
  for (const auto& certificate : certificates) chain.push_back({to_bytes(certificate.der())});
  return chain;
}

std::vector<Certificate> without_roots(std::vector<Certificate> chain) {
  std::erase_if(chain, [](const Certificate& one) { return issued_by(one, one).value_or(false); });
  return chain;
}

std::vector<CMPCertificate> issuers_to_send(const std::vector<Certificate>& chain, bool with_root) {
  return to_cmp(with_root ? chain : without_roots(chain));
}

std::vector<CMPCertificate> chain_to_send(const std::vector<Certificate>& chain, bool with_root) {
  auto sent = to_cmp({chain.front()});
  const auto issuers = issuers_to_send({chain.begin() + 1, chain.end()}, with_root);
  sent.insert(sent.end(), issuers.begin(), issuers.end());
  return sent;
}

}  // namespace cmpost
