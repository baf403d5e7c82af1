#include "app/instance/own_credential.h"

#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/instance/left_behind.h"
#include "app/instance/operator_act.h"
#include "base/crash_point.h"
#include "base/files.h"
#include "base/secret_line.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr std::size_t kLargestKeyFile = 1 << 20;
constexpr mode_t kKeyMode = 0600, kCertificateMode = 0644;

}  // namespace

Result<bool> NewCredential::go_on(std::string_view requester) {
  const auto& hidden = directory_.hidden();
  ASSIGN_OR_RETURN(const auto certificates,
                   certificates_if_there(path_below(hidden, name_ + ".pem")));
  if (!certificates) return false;
  ASSIGN_OR_RETURN(const auto record, record_on_books(instance_, certificates->front()));
  if (!record || record->requester != requester) return false;
  const auto key = path_below(hidden, name_ + ".key");
  ASSIGN_OR_RETURN(const bool has_key, is_there(key));
  if (!has_key) {
    return hold("the certificate in " + hidden + " is on the books, and " + key + " is missing",
                "`cmpost cert revoke " + to_hex(certificates->front().serial_number()) +
                    "`, and name another --directory");
  }
  directory_.keep();
  TRY(directory_.publish());
  return true;
}

Result<void> NewCredential::begin() {
  ASSIGN_OR_RETURN(const bool there, is_there(directory_.path()));
  if (there) {
    return hold(directory_.path() + " is there already", "name another one with --directory");
  }
  TRY(check_nothing_on_books(instance_, directory_.hidden()));
  TRY(directory_.clear());
  return directory_.begin();
}

Result<void> NewCredential::write(const PrivateKey& key, const Certificate& certificate,
                                  const std::optional<std::string>& password) const {
  ASSIGN_OR_RETURN(const auto pem, key.to_pem(password));
  TRY(directory_.write(name_ + ".key", pem, kKeyMode));
  return directory_.write(name_ + ".pem", certificate.to_pem(), kCertificateMode);
}

Result<void> NewCredential::finish(const Certificate& certificate, const OwnEntry& entry) {
  TRY(instance_.ledger());
  directory_.keep();  // whoever says that a commit has failed may be wrong
  if (const auto entered = enter_on_books(instance_, certificate, entry); !entered) {
    const auto known = is_on_books(instance_, certificate);
    if (known && !*known) directory_.do_not_keep();
    return entered;
  }
  crash_point("credential.entered");
  return directory_.publish();
}

Result<PrivateKey> make_signing_key(const std::string& algorithm) {
  constexpr const char* kThatSign =
      "use one of ec:P-256, ec:P-384, ec:P-521, rsa:2048 to rsa:16384, ed25519, ed448";
  auto key = PrivateKey::generate(algorithm);
  if (!key) {
    return wrong_usage(key.error().what, kThatSign);
  }
  if (const auto signer = Signer::create(*key); !signer) {
    return wrong_usage(
        "a key of type " + printable(algorithm, 40) + " cannot sign: " + signer.error().what,
        kThatSign);
  }
  return key;
}

Result<void> enter_on_books(Instance& instance, const Certificate& certificate,
                            const OwnEntry& entry) {
  CertificateRecord record;
  record.serial = to_bytes(certificate.serial_number());
  record.der = to_bytes(certificate.der());
  record.subject = certificate.subject().text();
  record.requester = entry.requester;
  record.issued = instance.clock().now();
  record.not_after = certificate.not_after();
  nlohmann::json detail = {{"serial", to_hex(record.serial)},
                           {"subject", printable(record.subject)},
                           {"state", to_string(record.state)},
                           {"sha256", to_hex(sha256(record.der))}};
  for (const auto& [key, value] : entry.more) detail[key] = value;
  detail = by(instance.person(), std::move(detail));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.add(record));
    return writer.audit(entry.event, detail.dump());
  });
}

std::string KeyPasswordSetting::toml() const {
  if (!needed) return {};
  return "\"" + (file.empty() ? "THE FILE WITH THE PASSWORD OF THIS KEY" : file) + "\"";
}

Result<KeyPasswordSetting> password_setting_of(const std::string& key, const std::string& named) {
  ASSIGN_OR_RETURN(const auto pem, read_file(key, kLargestKeyFile));
  if (PrivateKey::from_pem(text_of(pem))) return KeyPasswordSetting{};
  ASSIGN_OR_RETURN(const auto password, read_key_password(named));
  const bool opens = password && PrivateKey::from_pem(text_of(pem), password);
  return KeyPasswordSetting{true, opens ? std::filesystem::absolute(named).string() : ""};
}

Result<std::optional<std::string>> read_key_password(const std::string& path) {
  if (path.empty()) return std::nullopt;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    return hold(path + " may be read by others", "chmod 600 " + path);
  }
  return read_secret_line(path);
}

}  // namespace cmpost
