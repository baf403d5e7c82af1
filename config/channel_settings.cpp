#include "config/channel_settings.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {

std::string_view ChannelSettings::kind() const {
  return std::visit([](const auto& own) { return own.kKind; }, transport);
}

bool MailSettings::is_private(std::string_view peer) const {
  return std::ranges::any_of(registered, [&](const RegisteredAddress& entry) {
    return same_letters(entry.answers_to, peer);
  });
}

Duration poll_of(const ChannelSettings& channel) {
  return std::visit([](const auto& own) { return own.poll; }, channel.transport);
}

bool is_private(const ChannelSettings& channel, std::string_view peer) {
  return std::visit([&](const auto& own) { return own.is_private(peer); }, channel.transport);
}

std::string taken_file(const ChannelSettings& channel) { return channel.state + ".taken"; }

}  // namespace cmpost
