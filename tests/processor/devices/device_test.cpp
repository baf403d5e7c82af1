#include "processor/devices/device.h"

#include <gtest/gtest.h>

#include "processor/devices/device_text.h"

namespace cmpost {
namespace {

TEST(MacAddress, IsTheSameInEverySpelling) {
  for (const auto* text : {"00:11:22:AA:BB:CC", "00-11-22-aa-bb-cc", "0011.22aa.bbcc",
                           "001122AABBCC", "001122-aabbcc", "00 11 22 aa bb cc"}) {
    EXPECT_EQ(mac_address(text), "001122AABBCC") << text;
  }
}

TEST(MacAddress, OfAnEui64ThatWasMadeOfOneIsThatOne) {
  EXPECT_EQ(mac_address("00:11:22:FF:FE:AA:BB:CC"), "001122AABBCC");
  EXPECT_FALSE(mac_address("00:11:22:33:44:AA:BB:CC"));
}

TEST(MacAddress, IsNothingElse) {
  for (const auto* text :
       {"", "0011", "00:11:22:AA:BB", "00:11-22:AA:BB:CC", "0:11:22:AA:BB:CC", "00:11:22:AA:BB:CG",
        "001122AABBCC0", "00::11:22:AA:BB:CC", "00:1122:AA:BB:CC", "00:11:22:AA:BB:CC:"}) {
    EXPECT_FALSE(mac_address(text)) << text;
  }
}

TEST(Device, ReadsWhatItWrites) {
  const std::vector<std::pair<DeviceColumn, std::string>> cells = {
      {DeviceColumn::name, "gw-17"},
      {DeviceColumn::serial, "00012"},
      {DeviceColumn::mac, "00:11:22:AA:BB:CC"},
      {DeviceColumn::subject, "CN=gw-*,O=Grid"},
      {DeviceColumn::san, "DNS:gw-17.example IP:192.0.2.7"},
      {DeviceColumn::secret, "none"},
      {DeviceColumn::valid_from, "2027-01-01T00:00:00Z"},
      {DeviceColumn::valid_until, "2027-02-01T23:59:59Z"},
      {DeviceColumn::uses, "3"}};
  Device device;
  for (const auto& [column, text] : cells) {
    ASSERT_TRUE(set_cell(device, column, text)) << to_string(column);
    EXPECT_EQ(cell_of(device, column), text);
  }
}

TEST(Device, TakesNoMistakeForASecret) {
  for (const auto* none : {"none", " none", "NONE", "None ", "\u00a0none"}) {
    EXPECT_EQ(secret_cell(none)->kind, DeviceSecret::none) << none;
  }
  for (const auto* empty : {"", "  ", "\u00a0"}) {
    EXPECT_EQ(secret_cell(empty)->kind, DeviceSecret::made) << empty;
  }
  EXPECT_EQ(secret_cell("Given")->kind, DeviceSecret::given);
  EXPECT_EQ(secret_cell("Given")->value, "");
  EXPECT_EQ(secret_cell(" s3cr3t-of-its-own ")->value, "s3cr3t-of-its-own");
  for (const auto* wrong : {"no", "n/a", "-", "1234567", "two words of it", "with\u00a0blank",
                            "with\u200bnothing", "with\nbreak"}) {
    const auto read = secret_cell(wrong);
    EXPECT_FALSE(read) << wrong;
    Device device;
    EXPECT_FALSE(set_cell(device, DeviceColumn::secret, wrong)) << wrong;
  }
}

TEST(Device, HasANameThatPeopleCanReadAgain) {
  Device device;
  for (const auto* wrong : {" ", "\u00a0", "\u3000", "gw\u200b1", "\ufeffgw", "gw\u00ad1",
                            "\u202egw", "Zu\u0308rich", "gw\u00a01"}) {
    EXPECT_FALSE(set_cell(device, DeviceColumn::name, wrong)) << wrong;
  }
  ASSERT_TRUE(set_cell(device, DeviceColumn::name, "\u00a0Z\u00fcrich 1 "));
  EXPECT_EQ(device.name, "Z\u00fcrich 1");
  EXPECT_FALSE(set_cell(device, DeviceColumn::serial, "00\u200b17"));
  EXPECT_FALSE(set_cell(device, DeviceColumn::batch, "b\u200b1"));
  EXPECT_TRUE(set_cell(device, DeviceColumn::note, "\u0645\u06cc\u200c\u062e"));  // as Persian is
}

TEST(Device, LooksLikeAnotherOneWhateverTheScript) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"Z\u00dcRICH", "z\u00fcrich"},
           {"\u0416\u0401", "\u0436\u0451"},
           {"\u03a3\u03a3", "\u03c3\u03c2"},
           {"\u0141\u00d3D\u0179", "\u0142\u00f3d\u017a"},
           {"GW  1", "gw\u00a01"}}) {
    EXPECT_EQ(appearance(one), appearance(other)) << one;
  }
  EXPECT_NE(appearance("\u00d7"), appearance("\u00f7"));
  EXPECT_NE(appearance("gw-1"), appearance("gw-2"));
}

TEST(Device, KeepsASerialAsItIsWritten) {
  Device device;
  ASSERT_TRUE(set_cell(device, DeviceColumn::serial, " 00:1a "));
  EXPECT_EQ(device.serial, "00:1a");
}

TEST(Device, SaysWhatIsWrongWithACell) {
  Device device;
  const auto refused = [&](DeviceColumn column, const std::string& text) {
    const auto read = set_cell(device, column, text);
    EXPECT_FALSE(read) << to_string(column) << " " << text;
    return read ? std::string() : read.error().what;
  };
  EXPECT_EQ(refused(DeviceColumn::name, " "), "is empty");
  EXPECT_EQ(refused(DeviceColumn::name, std::string(201, 'a')), "is longer than 200 octets");
  EXPECT_EQ(refused(DeviceColumn::note, "two\nlines"), "has a control character or a line break");
  refused(DeviceColumn::mac, "00:11");
  refused(DeviceColumn::subject, "Grid");
  refused(DeviceColumn::san, "gw-17");
  refused(DeviceColumn::valid_from, "tomorrow");
  refused(DeviceColumn::uses, "0");
  refused(DeviceColumn::uses, "2x");
}

TEST(Device, IsCalledByItsNameWhereItsRowSaysNothingElse) {
  Device device;
  device.name = "gw,17";
  EXPECT_EQ(must(subject_of(device)), "CN=gw\\,17");
  device.name = std::string(65, 'a');
  EXPECT_FALSE(subject_of(device));
  device.subject = "CN=a,O=b";
  EXPECT_EQ(must(subject_of(device)), "CN=a,O=b");
}

}  // namespace
}  // namespace cmpost
