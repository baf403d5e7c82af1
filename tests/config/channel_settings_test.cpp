#include "config/channel_settings.h"

#include "tests/config/settings_file.h"

namespace cmpost {
namespace {

TEST(ChannelSettingsTest, PollIsThatOfItsKind) {
  ChannelSettings channel;
  channel.directory.poll = std::chrono::seconds(1);
  channel.mail.poll = std::chrono::seconds(2);
  channel.sftp.poll = std::chrono::seconds(3);
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(1));
  channel.kind = ChannelKind::mail;
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(2));
  channel.kind = ChannelKind::sftp;
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(3));
}

TEST(ChannelSettingsTest, WhatWasTakenIsNotedInTheStateOfTheInstance) {
  File file;
  EXPECT_EQ(taken_file(parse(file)->channels[0]), "/etc/cmpost/state/drop.taken");
  file.instance += "state = \"/var/lib/cmpost\"\n";
  const auto settings = parse(file);
  EXPECT_EQ(taken_file(settings->channels[0]), "/var/lib/cmpost/drop.taken");
  EXPECT_EQ(settings->channels[0].sftp.ledger, "") << "that is of SFTP channels";
}

}  // namespace
}  // namespace cmpost
