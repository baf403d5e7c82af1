#include "app/looking/role_warnings.h"

#include <algorithm>
#include <array>

namespace cmpost {
namespace {

struct NamedStore {
  const char* setting;
  const TrustStore& store;
};

std::array<NamedStore, 3> stores_of(const ChannelPolicy& channel) {
  return {NamedStore{"trust", channel.vendors}, NamedStore{"roles.ra", channel.ras},
          NamedStore{"roles.ca", channel.cas}};
}

bool has_key_of(const Certificate& certificate, const std::vector<Certificate>& roots) {
  return std::ranges::any_of(
      roots, [&](const Certificate& root) { return equal(root.spki(), certificate.spki()); });
}

bool is_above(const Certificate& certificate, const std::vector<Certificate>& roots) {
  return std::ranges::any_of(roots, [&](const Certificate& root) {
    return !root.is_self_issued() && root.issuer_key() == certificate.subject_key();
  });
}

bool names(const TrustStore& store, const Certificate& certificate) {
  const auto& all = store.anchors();
  return std::ranges::find(all, certificate) != all.end();
}

std::string what_own_means(std::string_view setting) {
  if (setting == "roles.ra") return "whom it gives a certificate for cmcRA acts for everybody";
  return setting == "trust" ? "its own certificates are known without it"
                            : "it would announce to itself";
}

class ChannelLook {
 public:
  ChannelLook(const ChannelPolicy& channel, std::vector<std::string>& found)
      : channel_(channel), found_(found) {}

  void look() {
    for (const auto& [setting, store] : stores_of(channel_)) {
      for (const auto& anchor : store.anchors()) look_at(setting, anchor);
    }
    look_for_doubles();
    if (channel_.settings.ra_without_purpose) {
      say("roles.ra_without_purpose makes a registration authority of every certificate without a "
          "purpose below the CAs in roles.ra");
    }
  }

 private:
  void say(const std::string& text) {
    found_.push_back("channel " + channel_.settings.name + ": " + text);
  }
  void look_at(std::string_view setting, const Certificate& anchor) {
    const auto& own = channel_.own.anchors();
    const auto who = std::string(setting) + " names " + printable(anchor.subject_text());
    if (has_key_of(anchor, own)) {
      say(who + ", this CA itself: " + what_own_means(setting));
    } else if (is_above(anchor, own)) {
      say(who + ", which is above this CA");
    }
  }
  void look_for_doubles() {
    const auto stores = stores_of(channel_);
    for (std::size_t i = 0; i < stores.size(); ++i) {
      for (std::size_t j = i + 1; j < stores.size(); ++j) {
        for (const auto& anchor : stores[i].store.anchors()) {
          if (!names(stores[j].store, anchor)) continue;
          say(std::string(stores[i].setting) + " and " + stores[j].setting + " both name " +
              printable(anchor.subject_text()));
        }
      }
    }
  }

  const ChannelPolicy& channel_;
  std::vector<std::string>& found_;
};

}  // namespace

Result<std::vector<std::string>> find_role_warnings(Instance& instance) {
  ASSIGN_OR_RETURN(const auto services, instance.services());
  std::vector<std::string> found;
  for (const auto& [name, channel] : services.channels) {
    // There `trust` says who answers.
    if (channel.settings.direction == Direction::upstream) continue;
    ChannelLook(channel, found).look();
  }
  return found;
}

}  // namespace cmpost
