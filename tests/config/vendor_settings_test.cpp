#include "config/device_settings.h"
#include "tests/config/settings_file.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Field = VendorSettings::Field;

Loaded with_vendor(const std::string& keys) {
  return with_more("[[vendor]]\nname = \"acme\"\nroots = [\"acme.pem\"]\n" + keys);
}

TEST(VendorSettings, AreTheSerialNumberOfTheSubjectUnlessTheySayMore) {
  const auto loaded = with_vendor("");
  ASSERT_TRUE(loaded) << ::testing::PrintToString(complaints(loaded));
  const auto& vendor = loaded->vendors.at(0);
  EXPECT_EQ(vendor.name, "acme");
  EXPECT_THAT(vendor.roots, ElementsAre("/etc/cmpost/acme.pem"));
  EXPECT_EQ(vendor.id, Field::serial_number);
  EXPECT_EQ(vendor.column, VendorSettings::Column::serial);
  const auto more = with_vendor(
      "id = \"san.hardwareModuleName\"\ncolumn = \"mac\"\nid_pattern = \"SN-(.*)\"\n"
      "organization = \"Acme\"\n");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->vendors.at(0).id, Field::hardware_module_name);
  EXPECT_EQ(more->vendors.at(0).column, VendorSettings::Column::mac);
}

TEST(VendorSettings, TheNumberOfACertificateIsNotThatOfItsDevice) {
  EXPECT_THAT(with_vendor("id = \"certificate.serial\"\n"),
              ComplainsOnce(HasSubstr("\"subject.serialNumber\" is the number")));
  EXPECT_THAT(with_vendor("id = \"subject.serialnumber\"\n"),
              ComplainsOnce(HasSubstr("did you mean 'subject.serialNumber'")));
}

TEST(VendorSettings, APatternHasOneGroup) {
  EXPECT_THAT(with_vendor("id_pattern = \"SN-.*\"\n"), ComplainsOnce(HasSubstr("one group")));
  EXPECT_THAT(with_vendor("id_pattern = \"SN-(\"\n"),
              ComplainsOnce(HasSubstr("no regular expression")));
}

TEST(VendorSettings, WantRootsAndANameOfTheirOwn) {
  EXPECT_THAT(with_more("[[vendor]]\nname = \"acme\"\n"), ComplainsOnce(HasSubstr("roots")));
  EXPECT_THAT(with_more("[[vendor]]\nname = \"a\"\nroots = [\"a\"]\n[[vendor]]\nname = \"a\"\n"
                        "roots = [\"b\"]\n"),
              ComplainsOnce(HasSubstr("two [[vendor]]")));
}

TEST(ListedDevices, AreOfVendorsThatHaveANameAndNotOfTrust) {
  EXPECT_FALSE(with_channel("")->channels.at(0).listed_devices);
  EXPECT_TRUE(with_channel("devices = \"listed\"\n")->channels.at(0).listed_devices);
  EXPECT_THAT(
      with_channel("devices = \"listed\"\ntrust = [\"a.pem\"]\n"),
      ComplainsOnce(AllOf(HasSubstr("'trust' of channel 'drop'"), HasSubstr("[[vendor]]"))));
  EXPECT_THAT(with_channel("devices = \"list\"\n"), ComplainsOnce(HasSubstr("'listed'")));
}

}  // namespace
}  // namespace cmpost
