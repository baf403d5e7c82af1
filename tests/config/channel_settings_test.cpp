#include "config/channel_settings.h"

#include "tests/config/settings_file.h"

namespace cmpost {
namespace {

TEST(ChannelSettingsTest, PollIsThatOfItsKind) {
  ChannelSettings channel;
  channel.directory()->poll = std::chrono::seconds(1);
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(1));
  channel.transport = MailSettings{};
  channel.mail()->poll = std::chrono::seconds(2);
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(2));
  channel.transport = SftpSettings{};
  channel.sftp()->poll = std::chrono::seconds(3);
  EXPECT_EQ(poll_of(channel), std::chrono::seconds(3));
  channel.transport = HttpSettings{};
  EXPECT_EQ(poll_of(channel), std::chrono::minutes(1));
}

TEST(ChannelSettingsTest, OnlyItsOwnKindHasSettings) {
  ChannelSettings channel;
  EXPECT_EQ(channel.kind(), "directory");
  EXPECT_EQ(channel.mail(), nullptr);
  channel.transport = SftpSettings{};
  EXPECT_EQ(channel.kind(), "sftp");
  EXPECT_NE(channel.sftp(), nullptr);
  EXPECT_EQ(channel.directory(), nullptr);
}

TEST(ChannelSettingsTest, MailIsPrivateAtRegisteredAddressesAndWhatIsNoMailAlways) {
  ChannelSettings channel;
  EXPECT_TRUE(is_private(channel, ""));
  channel.transport = SftpSettings{};
  EXPECT_TRUE(is_private(channel, ""));
  channel.transport = MailSettings{};
  channel.mail()->registered = {{"*@site.example", "Answers@site.example"}};
  EXPECT_TRUE(is_private(channel, "answers@site.example"));
  EXPECT_FALSE(is_private(channel, "dev@site.example"));
}

TEST(ChannelSettingsTest, WhatWasTakenIsNotedInTheStateOfTheInstance) {
  File file;
  EXPECT_EQ(taken_file(parse(file)->channels[0]), "/etc/cmpost/state/drop.taken");
  file.instance += "state = \"/var/lib/cmpost\"\n";
  const auto settings = parse(file);
  EXPECT_EQ(taken_file(settings->channels[0]), "/var/lib/cmpost/drop.taken");
}

}  // namespace
}  // namespace cmpost
