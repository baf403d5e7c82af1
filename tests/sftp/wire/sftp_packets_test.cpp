// What servers send, damaged in every way.
#include "sftp/wire/sftp_packets.h"

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

Bytes octets(const std::string& hex) { return from_hex(hex).value(); }

TEST(SftpPackets, ARequestIsWrittenAsTheDraftSays) {
  Bytes packet;
  append_packet(packet, sftp_read(octets("aabb"), 0x100000002, 32768), 7);
  EXPECT_EQ(to_hex(packet),
            "00000017"
            "05"
            "00000007"
            "00000002"
            "aabb"
            "0000000100000002"
            "00008000");
  EXPECT_EQ(to_hex(sftp_init_packet()), "000000050100000003");
}

TEST(SftpPackets, AListIsReadWithWhatItTellsOfEachFile) {
  const auto reply =
      read_sftp_reply(octets("68"
                             "00000009"
                             "00000001"
                             "00000001"
                             "61"
                             "00000000"
                             "0000000f"
                             "0000000000000005"
                             "0000000100000002"
                             "000081a4"
                             "00000003"
                             "65000000"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->id, 9U);
  ASSERT_EQ(reply->names.size(), 1U);
  EXPECT_EQ(reply->names[0].name, "a");
  EXPECT_EQ(reply->names[0].look.size, 5U);
  EXPECT_EQ(reply->names[0].look.mtime, 0x65000000U);
  EXPECT_EQ(reply->names[0].look.kind(), RemoteLook::Kind::file);
}

TEST(SftpPackets, AStatusWithoutWordsIsAStatus) {
  const auto reply =
      read_sftp_reply(octets("65"
                             "00000001"
                             "00000004"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->code, SftpCode::failure);
}

TEST(SftpPackets, EveryTruncationIsRefused) {
  const auto whole = octets(
      "68"
      "00000009"
      "00000001"
      "00000001"
      "61"
      "00000000"
      "00000005"
      "0000000000000005"
      "000081a4");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_sftp_reply(ByteView(whole).first(size)).has_value()) << size;
  }
}

TEST(SftpPackets, CountsAndLengthsThatLieAreRefusedWithoutTakingMemory) {
  EXPECT_FALSE(read_sftp_reply(octets("68"
                                      "00000009"
                                      "ffffffff"))
                   .has_value());
  EXPECT_FALSE(read_sftp_reply(octets("67"
                                      "00000009"
                                      "ffffffff"
                                      "61"))
                   .has_value());
  EXPECT_FALSE(read_sftp_reply(octets("69"
                                      "00000009"
                                      "80000000"
                                      "ffffffff"))
                   .has_value());
  EXPECT_FALSE(read_sftp_reply(octets("66"
                                      "00000009"
                                      "00000101" +
                                      std::string(514, '0')))
                   .has_value());
  EXPECT_FALSE(read_sftp_reply(octets("ff"
                                      "00000009"))
                   .has_value());
}

TEST(SftpPackets, AnOldServerIsRefusedWithItsVersion) {
  const auto version =
      read_sftp_version(octets("02"
                               "00000002"));
  ASSERT_FALSE(version.has_value());
  EXPECT_THAT(version.error().what, ::testing::HasSubstr("version 2"));
  const auto now =
      read_sftp_version(octets("02"
                               "00000003"
                               "00000001"
                               "61"
                               "00000001"
                               "31"));
  ASSERT_THAT(now, IsOk());
  EXPECT_THAT(now->extensions, ::testing::ElementsAre("a"));
}

TEST(SftpPackets, AFileSystemTellsWhyNothingCanBeWritten) {
  SftpReply reply;
  reply.kind = SftpReply::Kind::extended;
  reply.data = Bytes(88);
  reply.data[79] = 1;
  const auto system = read_file_system(reply);
  ASSERT_TRUE(system);
  EXPECT_TRUE(system->read_only);
  EXPECT_EQ(system->free_blocks, 0U);
  reply.data.resize(79);
  EXPECT_FALSE(read_file_system(reply));
}

}  // namespace
}  // namespace cmpost
