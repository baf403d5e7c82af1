#include "processor/channel_policy.h"

#include <algorithm>

#include "base/files.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxTrustFile = 4 << 20;

Result<std::vector<Certificate>> read_anchors(const std::vector<std::string>& paths) {
  std::vector<Certificate> anchors;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto contents, read_file(path, kMaxTrustFile));
    auto certificates = Certificate::from_pem(text_of(contents));
    if (!certificates) return failure(std::move(certificates).error().within(path));
    anchors.insert(anchors.end(), certificates->begin(), certificates->end());
  }
  return anchors;
}

Result<std::vector<Profile>> load_profiles(const Settings& settings,
                                           const ChannelSettings& channel) {
  std::vector<Profile> profiles;
  const auto add = [&](const ProfileSettings& profile) -> Result<void> {
    ASSIGN_OR_RETURN(auto made, Profile::create(profile));
    profiles.push_back(std::move(made));
    return {};
  };
  if (channel.profiles.empty()) {
    for (const auto& profile : settings.profiles) TRY(add(profile));
  }
  for (const auto& name : channel.profiles) {
    const auto* profile = settings.profile(name);
    if (profile == nullptr) return hold("there is no profile " + name);
    TRY(add(*profile));
  }
  if (profiles.empty()) return hold("no profile is allowed", "add a [[profile]] table");
  return profiles;
}

Result<ChannelPolicy> load(const Settings& settings, const ChannelSettings& channel,
                           const Certificate& issuing) {
  ASSIGN_OR_RETURN(auto vendors, read_anchors(channel.trust));
  ASSIGN_OR_RETURN(auto ras, read_anchors(channel.trust_ra));
  ASSIGN_OR_RETURN(auto profiles, load_profiles(settings, channel));
  MessageLimits limits;
  limits.max_message = channel.max_message;
  PBMLimits mac_limits;
  mac_limits.max_iterations = channel.mac.max_iterations;
  mac_limits.allow_hmac_sha1 = channel.mac.allow_hmac_sha1;
  return ChannelPolicy{
      .settings = channel,
      .own = TrustStore({issuing}),
      .vendors = TrustStore(std::move(vendors)),
      .ras = TrustStore(std::move(ras)),
      .profiles = std::move(profiles),
      .limits = limits,
      .mac_limits = mac_limits,
  };
}

}  // namespace

const Profile* ChannelPolicy::profile(std::string_view name) const {
  if (name.empty()) return &profiles.front();
  const auto found = std::ranges::find(profiles, name, &Profile::name);
  return found == profiles.end() ? nullptr : &*found;
}

Result<ChannelPolicies> load_channel_policies(const Settings& settings,
                                              const Certificate& issuing) {
  ChannelPolicies policies;
  for (const auto& channel : settings.channels) {
    auto policy = load(settings, channel, issuing);
    if (!policy) return failure(std::move(policy).error().within("channel " + channel.name));
    policies.emplace(channel.name, std::move(*policy));
  }
  return policies;
}

}  // namespace cmpost
