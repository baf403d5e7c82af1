#include "app/instance/lifetimes.h"

#include <map>

#include "app/terminal/output.h"
#include "base/log.h"
#include "mail/smime_files.h"

namespace cmpost {
namespace {

constexpr auto kSoon = std::chrono::days(60);
constexpr auto kVerySoon = std::chrono::days(14);

std::optional<LifetimeWarning> judge(const std::string& what, Time end, Time now, Duration soon,
                                     Duration very_soon) {
  const Duration left = end - now;
  if (left > soon) return std::nullopt;
  const auto text = left <= Duration::zero()
                        ? what + " is over since " + to_iso8601(end)
                        : what + " ends in " + in_words(left) + ", on " + to_iso8601(end);
  return LifetimeWarning{what, text, left <= very_soon};
}

class Warnings {
 public:
  explicit Warnings(Time now) : now_(now) {}

  void certificate(const std::string& what, const Certificate& certificate) {
    note(judge(what, certificate.not_after(), now_, kSoon, kVerySoon));
  }
  Result<void> crl(const std::string& what, ByteView der) {
    ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(der));
    if (!crl.nextUpdate) return {};
    const Duration life = *crl.nextUpdate - crl.thisUpdate;
    note(judge(what, *crl.nextUpdate, now_, life / 3, life / 6));
    return {};
  }
  void revoked(const std::string& what) {
    all_.push_back({what, what + " is revoked: replace it", true});
  }
  bool is_over(const RevocationList& list) const {
    const auto end = list.next_update();
    return end && *end <= now_;
  }
  // Of somebody else, who should have sent a newer one.
  void foreign_list(const std::string& what, Time end) {
    all_.push_back({what,
                    what + " is past its nextUpdate since " + to_iso8601(end) +
                        ": what was revoked since then is not known here",
                    false});
  }
  void no_crl() {
    all_.push_back({"the CRL", "there is no CRL yet; `cmpost crl issue` makes one", true});
  }
  std::vector<LifetimeWarning> take() && { return std::move(all_); }

 private:
  void note(std::optional<LifetimeWarning> warning) {
    if (warning) all_.push_back(std::move(*warning));
  }

  Time now_;
  std::vector<LifetimeWarning> all_;
};

Result<void> look_at_certificates(Instance& instance, Warnings& warnings) {
  if (instance.is_ca()) {
    ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
    warnings.certificate("the CA certificate", authority->issuer.certificate());
  }
  ASSIGN_OR_RETURN(const auto* const identity, instance.identity());
  warnings.certificate("the certificate that protects answers", identity->certificate);
  for (const auto& channel : instance.settings().channels) {
    const auto* mail = channel.mail();
    if (mail == nullptr || mail->smime.key.empty()) continue;
    ASSIGN_OR_RETURN(const auto smime, read_smime_identity(mail->smime));
    warnings.certificate("the S/MIME certificate of channel " + channel.name, smime.certificate);
  }
  return {};
}

// A delta CRL counts where the settings want them, and until the next complete CRL.
Result<void> look_at_crls(Instance& instance, Warnings& warnings) {
  if (!instance.is_ca()) return {};
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(const auto complete, reader->newest_crl());
  if (!complete) {
    warnings.no_crl();
    return {};
  }
  TRY(warnings.crl("the CRL", complete->second));
  if (instance.ca().crl.delta == Duration::zero()) return {};
  ASSIGN_OR_RETURN(const auto delta, reader->newest_delta_crl());
  if (!delta || delta->first < complete->first) return {};
  return warnings.crl("the delta CRL", delta->second);
}

// What this CA has issued to itself, as far as the ledger knows it.
Result<void> look_for_revoked(Instance& instance, Warnings& warnings) {
  ASSIGN_OR_RETURN(const auto* const identity, instance.identity());
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  std::vector<std::pair<std::string, Certificate>> own = {
      {"the certificate that protects answers", identity->certificate}};
  for (const auto& one : identity->protocol_keys) {
    own.emplace_back("the certificate of a protocol key", one.certificate);
  }
  if (instance.is_ca()) {
    ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
    const auto& generator = authority->key_generator;
    if (generator) own.emplace_back("the certificate of `kga_key`", generator->chain.front());
  }
  for (const auto& [what, certificate] : own) {
    ASSIGN_OR_RETURN(const auto record, reader->find(certificate.serial_number()));
    const bool known = record && equal(record->der, certificate.der());
    const bool revoked = known && (record->state == CertificateState::revoked ||
                                   record->state == CertificateState::held);
    if (revoked) warnings.revoked(what + " (" + certificate.serial_hex() + ")");
  }
  return {};
}

Result<void> look_at_foreign_lists(Instance& instance, Warnings& warnings) {
  ASSIGN_OR_RETURN(const auto services, instance.services());
  // One list may serve many channels, and is one.
  std::map<std::pair<std::string, Time>, std::string> users;
  for (const auto& [name, channel] : services.channels) {
    if (channel.crls == nullptr) continue;
    for (const auto& list : *channel.crls->lists(instance.likely_clock().now())) {
      if (!warnings.is_over(list)) continue;
      auto& names = users[{printable(list.issuer().text()), *list.next_update()}];
      if (!names.ends_with(" " + name)) names += (names.empty() ? " " : ", ") + name;
    }
  }
  for (const auto& [list, names] : users) {
    warnings.foreign_list("the CRL of " + list.first + " in `crls` of channel" + names,
                          list.second);
  }
  return {};
}

}  // namespace

Result<std::vector<LifetimeWarning>> find_lifetimes_without_keys(Instance& instance) {
  Warnings warnings(instance.likely_clock().now());
  if (instance.is_ca()) {
    ASSIGN_OR_RETURN(const auto ca, instance.certificate_in(instance.ca().certificate));
    warnings.certificate("the CA certificate", ca);
  }
  ASSIGN_OR_RETURN(const auto cmp, instance.certificate_in(instance.cmp_certificate_file()));
  warnings.certificate("the certificate that protects answers", cmp);
  TRY(look_at_crls(instance, warnings));
  return std::move(warnings).take();
}

Result<std::vector<LifetimeWarning>> find_lifetime_warnings(Instance& instance) {
  Warnings warnings(instance.likely_clock().now());
  TRY(look_at_certificates(instance, warnings));
  TRY(look_at_crls(instance, warnings));
  TRY(look_for_revoked(instance, warnings));
  TRY(look_at_foreign_lists(instance, warnings));
  return std::move(warnings).take();
}

Result<void> log_lifetime_warnings(Instance& instance) {
  ASSIGN_OR_RETURN(const auto warnings, find_lifetime_warnings(instance));
  const auto day = to_iso8601(std::chrono::floor<std::chrono::days>(instance.likely_clock().now()));
  for (const auto& warning : warnings) {
    if (!instance.say_once(warning.what + (warning.urgent ? " urgent " : " ") + day)) continue;
    log::write(warning.urgent ? log::Level::error : log::Level::warning, "lifetime.ends",
               {{"what", warning.text}});
  }
  return {};
}

}  // namespace cmpost
