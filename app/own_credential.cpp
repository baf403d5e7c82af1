#include "app/own_credential.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "app/operator_act.h"
#include "base/crash_point.h"
#include "base/files.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr mode_t kKeyMode = 0600, kCertificateMode = 0644;
constexpr std::size_t kLargestCertificate = 1 << 20;

}  // namespace

Result<bool> NewCredential::go_on() {
  const auto file = directory_.left_behind(name_ + ".pem");
  if (file.empty()) return false;
  const auto pem = read_file(file, kLargestCertificate);
  if (!pem) return false;
  const auto certificates = Certificate::from_pem(text_of(*pem));
  if (!certificates) return false;
  ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  const auto& certificate = certificates->front();
  ASSIGN_OR_RETURN(const auto record, reader->find(certificate.serial_number()));
  if (!record || !equal(record->der, certificate.der())) return false;
  directory_.keep();
  TRY(directory_.publish());
  return true;
}

Result<void> NewCredential::write(const PrivateKey& key, const Certificate& certificate,
                                  const std::optional<std::string>& password) const {
  ASSIGN_OR_RETURN(const auto pem, key.to_pem(password));
  TRY(directory_.write(name_ + ".key", pem, kKeyMode));
  return directory_.write(name_ + ".pem", certificate.to_pem(), kCertificateMode);
}

Result<void> NewCredential::finish(const Certificate& certificate, const Entry& entry) {
  CertificateRecord record;
  record.serial = to_bytes(certificate.serial_number());
  record.der = to_bytes(certificate.der());
  record.subject = certificate.subject().text();
  record.requester = entry.requester;
  record.issued = instance_.clock().now();
  record.not_after = certificate.not_after();
  nlohmann::json detail = {{"serial", to_hex(record.serial)},
                           {"subject", printable(record.subject)},
                           {"state", to_string(record.state)},
                           {"sha256", to_hex(sha256(record.der))}};
  for (const auto& [key, value] : entry.more) detail[key] = value;
  detail = by(instance_.person(), std::move(detail));
  ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.add(record));
    return writer.audit(entry.event, detail.dump());
  }));
  directory_.keep();
  crash_point("credential.entered");
  return directory_.publish();
}

Result<std::optional<std::string>> read_key_password(const std::string& path) {
  if (path.empty()) return std::nullopt;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    return hold(path + " may be read by others", "chmod 600 " + path);
  }
  ASSIGN_OR_RETURN(const auto contents, read_file(path, 4096));
  std::string password(text_of(contents));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
    password.pop_back();
  }
  if (password.empty()) return hold(path + " has no password in it");
  return password;
}

}  // namespace cmpost
