#include "app/lifetimes.h"

#include "app/output.h"
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
  return LifetimeWarning{text, left <= very_soon};
}

}  // namespace

Result<std::vector<LifetimeWarning>> find_lifetime_warnings(Instance& instance) {
  std::vector<LifetimeWarning> warnings;
  const auto note = [&](std::optional<LifetimeWarning> warning) {
    if (warning) warnings.push_back(std::move(*warning));
  };
  const auto now = instance.clock().now();
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  note(judge("the CA certificate", authority->issuer.certificate().not_after(), now, kSoon,
             kVerySoon));
  note(judge("the certificate that protects answers", authority->cmp_certificate.not_after(), now,
             kSoon, kVerySoon));
  for (const auto& channel : instance.settings().channels) {
    if (channel.mail.smime.key.empty()) continue;
    ASSIGN_OR_RETURN(const auto identity, read_smime_identity(channel.mail.smime));
    note(judge("the S/MIME certificate of channel " + channel.name,
               identity.certificate.not_after(), now, kSoon, kVerySoon));
  }
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto newest, reader->newest_crl());
  if (!newest) {
    warnings.push_back({"there is no CRL yet; `cmpost crl issue` makes one", true});
    return warnings;
  }
  ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
  if (crl.nextUpdate) {
    const Duration life = *crl.nextUpdate - crl.thisUpdate;
    note(judge("the CRL", *crl.nextUpdate, now, life / 3, life / 6));
  }
  return warnings;
}

}  // namespace cmpost
