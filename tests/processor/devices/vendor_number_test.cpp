#include "processor/devices/sought_device.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using Field = VendorSettings::Field;

Extension subject_alt_name(const std::vector<Bytes>& names) {
  der::Writer value;
  value.constructed(der::kSequence, [&] { value.raw(names); });
  return {oid::id_ce_subjectAltName, false, std::move(value).take()};
}

// otherName with a HardwareModuleName (RFC 4108 5).
Bytes hardware_module(ByteView number) {
  der::Writer name;
  name.constructed(der::context_constructed(0), [&] {
    name.object_identifier(*Oid::from_dotted("1.3.6.1.5.5.7.8.4"));
    name.constructed(der::context_constructed(0), [&] {
      name.constructed(der::kSequence, [&] {
        name.object_identifier(*Oid::from_dotted("1.3.6.1.4.1.99999.1"));
        name.octet_string(number);
      });
    });
  });
  return std::move(name).take();
}

class VendorNumberTest : public ::testing::Test {
 protected:
  Certificate certificate(std::string_view subject, const Extensions& more = {}) {
    return certified_by(ca_.vendor, test_key("ec:P-256").public_key(), subject,
                        {KeyUsageBit::digitalSignature}, ca_, more);
  }
  static VendorSettings acme(Field id) {
    VendorSettings vendor;
    vendor.name = "acme";
    vendor.id = id;
    return vendor;
  }
  static std::string serial(const Certificate& certificate, const VendorSettings& vendor) {
    const auto found = device_in(certificate, vendor);
    return found ? found->serial + "|" + found->mac : "no: " + found.error().what;
  }

  CaUnderTest ca_;
};

TEST_F(VendorNumberTest, IsReadWhereTheSettingsSay) {
  const std::vector<Bytes> names = {must(GeneralName::from_text("DNS:gw.example")).der,
                                    must(GeneralName::from_text("URI:urn:dev:7")).der,
                                    hardware_module(view_of(std::string_view("00-7A")))};
  const auto one = certificate("CN=model,serialNumber=0017", {subject_alt_name(names)});
  EXPECT_EQ(serial(one, acme(Field::serial_number)), "0017|");
  EXPECT_EQ(serial(one, acme(Field::common_name)), "model|");
  EXPECT_EQ(serial(one, acme(Field::dns)), "gw.example|");
  EXPECT_EQ(serial(one, acme(Field::uri)), "urn:dev:7|");
  EXPECT_EQ(serial(one, acme(Field::hardware_module_name)), "00-7A|");
}

TEST_F(VendorNumberTest, OfAModuleThatIsNoTextIsHexadecimal) {
  const Bytes octets = {0x00, 0x7a, 0xff};
  const auto one = certificate("CN=model", {subject_alt_name({hardware_module(octets)})});
  EXPECT_EQ(serial(one, acme(Field::hardware_module_name)), "007aff|");
}

TEST_F(VendorNumberTest, OfSeveralNamesNobodyKnowsWhichIsMeant) {
  const std::vector<Bytes> names = {must(GeneralName::from_text("DNS:a.example")).der,
                                    must(GeneralName::from_text("DNS:b.example")).der};
  EXPECT_THAT(serial(certificate("CN=x", {subject_alt_name(names)}), acme(Field::dns)),
              HasSubstr("no: the certificate of acme has no san.DNS"));
}

TEST_F(VendorNumberTest, IsTheGroupOfThePattern) {
  auto vendor = acme(Field::common_name);
  vendor.id_pattern = "SN-([0-9]+)";
  EXPECT_EQ(serial(certificate("CN=SN-0042"), vendor), "0042|");
  EXPECT_THAT(serial(certificate("CN=xSN-0042"), vendor), HasSubstr("no number of a device"));
}

TEST_F(VendorNumberTest, MayBeAMacAddress) {
  auto vendor = acme(Field::common_name);
  vendor.column = VendorSettings::Column::mac;
  EXPECT_EQ(serial(certificate("CN=0011.22aa.bbcc"), vendor), "|001122AABBCC");
  EXPECT_THAT(serial(certificate("CN=4711"), vendor), HasSubstr("no MAC address"));
}

TEST_F(VendorNumberTest, IsOfTheOrganizationThatTheVendorHas) {
  auto vendor = acme(Field::common_name);
  vendor.organization = "Acme";
  EXPECT_EQ(serial(certificate("CN=1,O=Acme"), vendor), "1|");
  EXPECT_THAT(serial(certificate("CN=1,O=Other"), vendor), HasSubstr("organization Acme"));
}

}  // namespace
}  // namespace cmpost
