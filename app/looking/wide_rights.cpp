#include "app/looking/wide_rights.h"

#include <algorithm>
#include <map>

#include "asn1/name.h"
#include "base/joined.h"
#include "processor/credentials/secret_store.h"

namespace cmpost {
namespace {

bool is_any(const SubjectRule& rule) { return rule.kind == SubjectRule::Kind::any; }
bool is_any(const SanRule& rule) { return rule.kind == SanRule::Kind::any; }

class WideRights {
 public:
  explicit WideRights(Instance& instance) : instance_(instance) {}

  Result<std::vector<std::string>> find() {
    for (const auto& settings : instance_.settings().profiles) TRY(look_at(settings));
    for (const auto& channel : instance_.settings().channels) look_at(channel);
    ASSIGN_OR_RETURN(const auto reader, instance_.look_into_ledger());
    TRY(SecretStore::for_each(reader->connection(), {}, [&](const Secret& secret) -> Result<void> {
      look_at(secret);
      return {};
    }));
    return std::move(all_);
  }

 private:
  void note(const std::string& what, const std::vector<std::string>& rights) {
    if (!rights.empty()) all_.push_back(what + ": " + joined(rights));
  }

  Result<void> look_at(const ProfileSettings& settings) {
    ASSIGN_OR_RETURN(const auto profile, Profile::create(settings));
    if (!profile.powers().empty()) powerful_.push_back(settings.name);
    std::vector<std::string> rights;
    if (!profile.powers().empty() && !profile.who().empty()) {
      rights.push_back(joined(profile.powers()) + " for " + choosers_of(profile));
    }
    if (settings.extensions.other == ExtensionRule::Kind::copy) {
      rights.emplace_back("extensions that are not listed are copied for who may have any name");
    }
    note("profile " + settings.name, rights);
    return {};
  }

  void look_at(const ChannelSettings& channel) {
    std::vector<std::string> rights;
    if (!channel.trust.empty()) {
      if (is_any(channel.trusted_subject)) rights.emplace_back("any subject for vendors");
      if (is_any(channel.trusted_san)) rights.emplace_back("any subjectAltName for vendors");
    }
    if (is_any(channel.additional_subject)) rights.emplace_back("any subject for holders");
    if (is_any(channel.additional_san)) rights.emplace_back("any subjectAltName for holders");
    if (channel.holders_of.any) rights.emplace_back("holders of every channel's certificates");
    note("channel " + channel.name, rights);
  }

  void look_at(const Secret& secret) {
    std::vector<std::string> rights;
    if (secret.subject.empty()) rights.emplace_back("any subject");
    if (is_any(secret.san)) rights.emplace_back("any subjectAltName");
    if (secret.channels.any) rights.emplace_back("every channel");
    for (const auto& name : secret.profiles) {
      if (std::ranges::find(powerful_, name) != powerful_.end()) {
        rights.push_back("the profile " + name + ", whose certificates have power over others");
      }
    }
    const auto [first, is_first] = names_.try_emplace(
        std::pair(secret.purpose, folded_value(secret.reference)), secret.reference);
    if (!is_first) {
      rights.push_back("the same name as secret " + printable(first->second) +
                       ", as case and blanks do not count: one owner");
    }
    note("secret " + printable(secret.reference), rights);
  }

  Instance& instance_;
  std::vector<std::string> powerful_;  // profiles
  // As names compare, with the reference that has it: from before `secret add` refused namesakes.
  std::map<std::pair<SecretPurpose, std::string>, std::string> names_;
  std::vector<std::string> all_;
};

}  // namespace

std::string choosers_of(const Profile& profile) {
  if (profile.who() == anybody()) return "anybody";
  std::string row;
  for (const auto kind : profile.who()) {
    row += (row.empty() ? "" : " ") + std::string(to_string(kind));
  }
  return row.empty() ? "nobody" : row;
}

Result<std::vector<std::string>> find_wide_rights(Instance& instance) {
  return WideRights(instance).find();
}

}  // namespace cmpost
