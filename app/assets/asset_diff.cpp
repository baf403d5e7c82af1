#include "app/assets/asset_diff.h"

#include <tuple>

#include "asn1/name.h"

namespace cmpost {
namespace {

std::string key_of(std::string_view name) {
  auto key = folded_value(name);
  if (key.size() > 1 && key.back() == '.') key.pop_back();
  return key;
}

// Which of two an asset is judged by: one that counts, of the profile that is wanted, the longest.
bool is_better(const CertificateInForce& one, const CertificateInForce& other,
               const std::string& profile) {
  const auto rank = [&](const auto& certificate) {
    const bool counts = certificate.state != CertificateState::held;
    const bool fits = profile.empty() || certificate.profile == profile;
    return std::tuple(counts, fits, certificate.not_after);
  };
  return rank(one) > rank(other);
}

}  // namespace

std::string_view to_string(AssetFinding finding) {
  switch (finding) {
    case AssetFinding::missing:
      return "missing";
    case AssetFinding::expiring:
      return "expiring";
    case AssetFinding::on_hold:
      return "on hold";
    case AssetFinding::wrong_profile:
      return "wrong profile";
    case AssetFinding::twice:
      return "twice";
    case AssetFinding::orphaned:
      return "orphaned";
  }
  return "";
}

AssetDiff::AssetDiff(const std::vector<Asset>& assets, Time soon) : assets_(assets), soon_(soon) {
  known_.reserve(assets.size());
  for (const auto& asset : assets) {
    const auto [known, added] = known_.try_emplace(key_of(asset.name), Known{&asset, 1, {}});
    if (!added) ++known->second.times;
  }
}

AssetDiff::Known* AssetDiff::find(const CertificateInForce& certificate) {
  if (const auto found = known_.find(key_of(certificate.device));
      !certificate.device.empty() && found != known_.end()) {
    return &found->second;
  }
  const auto subject = Name::from_text(certificate.subject);
  if (!subject) return nullptr;
  for (const auto& attribute : subject->attributes()) {
    if (attribute.type != oid::id_at_commonName || !attribute.is_text) continue;
    const auto found = known_.find(key_of(attribute.value));
    if (found != known_.end()) return &found->second;
  }
  return nullptr;
}

void AssetDiff::look_at(const CertificateInForce& certificate,
                        const std::function<void(const AssetNews&)>& tell) {
  auto* const known = find(certificate);
  if (known == nullptr) {
    tell({AssetFinding::orphaned, certificate.device, certificate, {}});
  } else if (!known->best || is_better(certificate, *known->best, known->asset->profile)) {
    known->best = certificate;
  }
}

void AssetDiff::finish(const std::function<void(const AssetNews&)>& tell) const {
  for (const auto& asset : assets_) {
    const auto& known = known_.at(key_of(asset.name));
    if (known.asset != &asset) continue;  // told with the first one
    if (known.times > 1) {
      tell({AssetFinding::twice, asset.name, {}, std::to_string(known.times) + " rows"});
    }
    const auto& best = known.best;
    if (!best) {
      tell({AssetFinding::missing, asset.name, {}, {}});
      continue;
    }
    if (best->state == CertificateState::held) tell({AssetFinding::on_hold, asset.name, best, {}});
    if (!asset.profile.empty() && best->profile != asset.profile) {
      tell({AssetFinding::wrong_profile, asset.name, best, "wanted: " + asset.profile});
    }
    if (best->not_after < soon_) tell({AssetFinding::expiring, asset.name, best, {}});
  }
}

}  // namespace cmpost
