#include "config/channel_settings.h"

namespace cmpost {

Duration poll_of(const ChannelSettings& channel) {
  switch (channel.kind) {
    case ChannelKind::directory:
      return channel.directory.poll;
    case ChannelKind::mail:
      return channel.mail.poll;
    case ChannelKind::sftp:
      return channel.sftp.poll;
  }
  CHECK(false);
}

std::string taken_file(const ChannelSettings& channel) { return channel.state + ".taken"; }

}  // namespace cmpost
