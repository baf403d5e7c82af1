#include "app/instance/courier_channel.h"

#include <algorithm>

#include "outbox/courier_egress.h"
#include "processor/admission/credential_files.h"
#include "watcher/courier_ingress.h"

namespace cmpost {
namespace {

struct CredentialPaths {
  std::string certificate, key;
  std::optional<std::string> password_file;
};

CredentialPaths credential_paths(const Settings& settings) {
  if (settings.ca) {
    return {settings.ca->cmp_certificate, settings.ca->cmp_key, settings.ca->cmp_key_password_file};
  }
  return {settings.ra->cmp_certificate, settings.ra->cmp_key, settings.ra->cmp_key_password_file};
}

Result<std::vector<Certificate>> certificates_of(const std::vector<std::string>& paths) {
  std::vector<Certificate> all;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto some, read_certificates(path));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// The first of each file: what follows it there is its chain.
Result<std::vector<Certificate>> holders_of(const std::vector<std::string>& paths) {
  std::vector<Certificate> all;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto some, read_certificates(path));
    all.push_back(some.front());
  }
  return all;
}

Result<BundleSigner> signer_of(const Settings& settings) {
  const auto paths = credential_paths(settings);
  ASSIGN_OR_RETURN(const auto key, read_key(paths.key, paths.password_file));
  ASSIGN_OR_RETURN(auto chain, read_certificates(paths.certificate));
  TRY(check_fits(key, chain.front(), paths.key, paths.certificate));
  if (settings.ca) {
    ASSIGN_OR_RETURN(const auto issuers, read_certificates(settings.ca->certificate));
    const auto intermediate = without_roots(issuers);
    chain.insert(chain.end(), intermediate.begin(), intermediate.end());
  }
  ASSIGN_OR_RETURN(auto signer, Signer::create(key));
  return BundleSigner{std::move(signer), std::move(chain)};
}

Result<BundleParties> parties_of(const BundleSettings& bundle) {
  BundleParties parties;
  parties.own_name = bundle.name;
  for (const auto& peer : bundle.peers) {
    ASSIGN_OR_RETURN(auto certificates, holders_of(peer.certificates));
    ASSIGN_OR_RETURN(auto anchors, certificates_of(peer.trust));
    parties.peers.emplace_back(peer.name, std::move(certificates), std::move(anchors));
  }
  if (bundle.seal_key.empty()) return parties;
  ASSIGN_OR_RETURN(const auto key, read_key(bundle.seal_key, bundle.seal_key_password_file));
  ASSIGN_OR_RETURN(const auto chain, read_certificates(bundle.seal_certificate));
  TRY(check_fits(key, chain.front(), bundle.seal_key, bundle.seal_certificate));
  parties.opener = BundleOpener{chain.front(), key};
  return parties;
}

}  // namespace

Result<std::unique_ptr<Ingress>> make_courier_ingress(const Surroundings&,
                                                      const ChannelSettings& channel) {
  return std::make_unique<CourierIngress>(channel);
}

Result<std::unique_ptr<Egress>> make_courier_egress(const Surroundings&,
                                                    const ChannelSettings& channel) {
  return std::make_unique<CourierEgress>(channel.name);
}

Result<BundleSigner> load_bundle_signer(const Settings& settings) {
  return of_settings(signer_of(settings));
}

Result<BundleParties> load_bundle_parties(const Settings& settings) {
  BundleSettings used = settings.bundle.value_or(BundleSettings{});
  // A peer without a channel has nowhere to go.
  std::erase_if(used.peers, [&](const BundlePeerSettings& peer) {
    return std::ranges::none_of(settings.channels, [&](const ChannelSettings& channel) {
      return channel.courier() != nullptr && channel.courier()->peer == peer.name;
    });
  });
  return of_settings(parties_of(used));
}

Result<std::optional<BundleSeal>> load_bundle_seal(const ChannelSettings& channel) {
  const auto& peers = channel.courier()->bundle.peers;
  if (peers.empty() || peers.front().seal.empty()) return std::optional<BundleSeal>();
  ASSIGN_OR_RETURN(const auto recipients, of_settings(holders_of(peers.front().seal)));
  ASSIGN_OR_RETURN(auto seal, of_settings(seal_for(recipients)));
  return std::optional(std::move(seal));
}

}  // namespace cmpost
