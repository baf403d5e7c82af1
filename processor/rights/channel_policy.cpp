#include "processor/rights/channel_policy.h"

#include <algorithm>

#include "base/files.h"
#include "processor/credentials/name_pattern.h"

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

std::vector<CronTime> runs_of(const Settings& settings, const std::string& channel) {
  std::vector<CronTime> times;
  for (const auto& run : settings.runs) {
    const bool serves = std::ranges::find(run.channels, channel) != run.channels.end();
    if (serves && run.at) times.push_back(*run.at);
  }
  return times;
}

Result<std::vector<VendorPolicy>> load_vendors(const Settings& settings,
                                               const ChannelSettings& channel) {
  std::vector<VendorPolicy> vendors;
  if (channel.direction != Direction::downstream) return vendors;
  for (const auto& one : settings.vendors) {
    auto roots = read_anchors(one.roots);
    if (!roots) return failure(std::move(roots).error().within("vendor " + one.name));
    vendors.push_back({one, TrustStore(*std::move(roots))});
  }
  return vendors;
}

// rights.h takes them for patterns without a further look.
Result<void> check_patterns(const ChannelSettings& channel) {
  for (const auto* rule : {&channel.trusted_subject, &channel.additional_subject}) {
    if (rule->kind == SubjectRule::Kind::pattern) TRY(SubjectPattern::parse(rule->pattern));
  }
  for (const auto* rule : {&channel.trusted_san, &channel.additional_san}) {
    for (const auto& pattern : rule->patterns) TRY(AlternativeNamePattern::parse(pattern));
  }
  for (const auto& signer : channel.upstream.signers) {
    if (auto pattern = SubjectPattern::parse(signer); !pattern) {
      return failure(std::move(pattern).error().within("signers"));
    }
  }
  if (channel.upstream.recipient.empty()) return {};
  if (auto name = Name::from_text(channel.upstream.recipient); !name) {
    return failure(std::move(name).error().within("recipient"));
  }
  return {};
}

Result<ChannelPolicy> load(const Settings& settings, const ChannelSettings& channel,
                           const std::vector<Certificate>& own) {
  ASSIGN_OR_RETURN(auto vendors, read_anchors(channel.trust));
  ASSIGN_OR_RETURN(auto listed, load_vendors(settings, channel));
  ASSIGN_OR_RETURN(auto ras, read_anchors(channel.trust_ra));
  ASSIGN_OR_RETURN(auto cas, read_anchors(channel.trust_ca));
  ASSIGN_OR_RETURN(auto crls, CrlFiles::open(channel.crls));
  ASSIGN_OR_RETURN(auto profiles, load_profiles(settings, channel));
  TRY(check_patterns(channel));
  MessageLimits limits;
  limits.max_message = channel.max_message;
  MacLimits mac_limits;
  mac_limits.max_iterations = channel.mac.max_iterations;
  mac_limits.allow_hmac_sha1 = channel.mac.allow_hmac_sha1;
  return ChannelPolicy{
      .settings = channel,
      .own = TrustStore(own),
      .vendors = TrustStore(std::move(vendors)),
      .listed = std::move(listed),
      .ras = TrustStore(std::move(ras)),
      .cas = TrustStore(std::move(cas)),
      .profiles = std::move(profiles),
      .limits = limits,
      .mac_limits = mac_limits,
      .crls = std::move(crls),
      .rules = settings.rules,
      .runs = runs_of(settings, channel.name),
  };
}

}  // namespace

bool ChannelPolicy::allows(ProtectionMethod method) const {
  return std::ranges::find(settings.protection, method) != settings.protection.end();
}

const Profile* ChannelPolicy::profile(std::string_view name) const {
  if (name.empty()) return &profiles.front();
  const auto found = std::ranges::find(profiles, name, &Profile::name);
  return found == profiles.end() ? nullptr : &*found;
}

int ChannelPolicy::least_approvals(std::string_view body) {
  if (body == "krr") return 2;
  return body == "ccr" ? 1 : 0;
}

int ChannelPolicy::approvals(std::string_view body) const {
  return cmpost::approvals(settings, body);
}

int approvals(const ChannelSettings& channel, std::string_view body) {
  const auto& waiting = channel.waiting;
  const int least = ChannelPolicy::least_approvals(body);
  if (least > 0) return std::max(waiting.approvals, least);
  if (waiting.approvals == 0) return 0;
  const bool named = std::ranges::find(waiting.approve_for, body) != waiting.approve_for.end();
  return named ? waiting.approvals : 0;
}

std::chrono::seconds ChannelPolicy::check_after(Time now) const {
  // RFC 9810 has an INTEGER; OpenSSL's client refuses what does not fit 31 bits.
  constexpr std::chrono::seconds kMost{0x7fffffff};
  Duration wait = settings.waiting.check_after;
  if (wait == Duration::zero()) {
    const auto poll = poll_of(settings);
    wait = poll;
    std::optional<Time> next;
    for (const auto& run : runs) {
      const auto at = run.next(now);
      if (at && (!next || *at < *next)) next = at;
    }
    if (next) wait = *next - now + poll;
  }
  return std::clamp(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1), kMost);
}

Result<ChannelPolicies> load_channel_policies(const Settings& settings,
                                              const std::vector<Certificate>& own) {
  ChannelPolicies policies;
  const auto first =
      std::ranges::find(settings.channels, Direction::downstream, &ChannelSettings::direction);
  for (const auto& channel : settings.channels) {
    auto policy = load(settings, channel, own);
    if (!policy) return failure(std::move(policy).error().within("channel " + channel.name));
    policy->takes_unseen = settings.ra.has_value();
    policy->first = first != settings.channels.end() && first->name == channel.name;
    policies.emplace(channel.name, std::move(*policy));
  }
  return policies;
}

}  // namespace cmpost
