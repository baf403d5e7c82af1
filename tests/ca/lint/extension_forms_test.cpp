#include "ca/lint/extension_forms.h"

#include <gmock/gmock.h>
#include <openssl/x509v3.h>

#include "ca/profile/profile.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost::extension_forms {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* id;
  const char* good;  // values, one behind the other
  std::vector<const char*> bad;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"2.5.29.15",
       "030205a0",
       {"0300", "03020080", "030204a0", "0303070000", "03030600c0", "0401a0", "030205a000",
        "030100"}},
      {"2.5.29.37", "300a06082b06010505070302", {"3000", "300306012a01", "3002060 1", "0601"}},
      {"2.5.29.19",
       "30060101ff020100",
       {"3003010100", "3003010101", "30060101ff0201ff", "30070101ff02020001", "3006020100010 1ff",
        "30080101ff0203"}},
      {"2.5.29.17",
       "30038201 61",
       {"3000", "30028200", "3003820100", "30048202610a", "300382 01e4", "3005870301 0203",
        "3003a30161", "3004a4023000aa", "300386 0161", "30058603613a20"}},
      {"2.5.29.18", "3003820161", {"3000", "3003820100"}},
      {"2.5.29.14", "0401aa", {"0400", "0301aa", "0401aa00", "aa"}},
      {"2.5.29.35",
       "3003800161",
       {"3006800161820101", "3008800161a103820161", "0400", "30 05a103820161"}},
      {"2.5.29.32",
       "3005300306012a",
       {"3000", "300a30030601 2a3003060 12a", "30083006060 12a3001aa", "3007300506012a3000",
        "300d300b06012a3006300406012a0500"}},
      {"2.5.29.33", "3008300606012a06012b", {"3000", "3005300306012a"}},
      {"2.5.29.30",
       "3007a0053003820161",
       {"3000", "3002a000", "300aa00830068201618001 00", "3009a00730058703010203",
        "300ea00c300a87080a000000ff00ff00"}},
      {"2.5.29.36", "3003800100", {"3000", "30038001ff", "3003820100"}},
      {"2.5.29.54", "020100", {"0201ff", "02020001", "0500"}},
      {"2.5.29.31",
       "300b3009a007a0058603613a62",
       {"3000", "30053003810100", "3006300481020080", "3008300 6a004a0028200"}},
      {"2.5.29.46", "30073005a203820161", {"3000"}},
      {"1.3.6.1.5.5.7.1.1", "30083006060 12a820161", {"3000", "3005300306012a"}},
      {"1.3.6.1.5.5.7.1.11", "3008300606012a820161", {"3000"}},
      {"2.5.29.9", "300a300806012a3103020100", {"3000"}},
      {"2.5.29.16",
       "3011800f32303236303130313030303030305a",
       {"3000", "30138011323032363031303130303030 30302e355a", "3003800161"}},
      {"1.3.36.8.3.3",
       "300d300b30093007300530030c0161",
       {"3000", "3003300130", "300930073005300330 01"}},
      {"1.3.6.1.5.5.7.1.3", "3005300306012a", {"3000", "30063004060 12aff"}},
      {"1.3.6.1.5.5.7.1.24", "3003020105", {"3000", "3003020106"}},
      {"1.3.6.1.5.5.7.48.1.5", "0500", {"3000", "050100"}},
      {"1.3.6.1.4.1.311.20.2", "1e020041", {"1e0100", "3000"}},
      {"1.3.6.1.4.1.311.21.7", "300606012a020101", {"3000", "300606012a0201ff"}},
      {"2.16.840.1.113730.1.1", "03020780", {"03020080", "0500"}},
      {"2.16.840.1.113730.1.13", "160161", {"0c0161", "1601e4"}},
      {"1.2.3.4.5", "3003020101", {"", "0101", "010101", "020001", "0c01ff", "02010102010 1"}},
  };
  return all;
}

Bytes der_of(std::string text) {
  std::erase(text, ' ');
  return from_hex(text).value();
}

// What OpenSSL says; it knows no more of an extension than what it has a type for.
bool openssl_reads(const Case& one, const Bytes& value) {
  ASN1_OBJECT* id = OBJ_txt2obj(one.id, 1);
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size()));
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, id, 0, octets);
  const X509V3_EXT_METHOD* method = X509V3_EXT_get(extension);
  const bool known = method != nullptr && method->it != nullptr;
  void* read = known ? X509V3_EXT_d2i(extension) : nullptr;
  const bool good = !known || read != nullptr;
  if (read != nullptr) ASN1_item_free(static_cast<ASN1_VALUE*>(read), ASN1_ITEM_ptr(method->it));
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(octets);
  ASN1_OBJECT_free(id);
  return good;
}

TEST(ExtensionForms, ValuesAreReadToTheirLastOctet) {
  for (const auto& one : cases()) {
    const auto good = der_of(one.good);
    EXPECT_EQ(wrong_form(Extension{Oid(one.id), false, good}), std::nullopt) << one.id;
    EXPECT_TRUE(openssl_reads(one, good)) << one.id;
    for (const auto* text : one.bad) {
      EXPECT_NE(wrong_form(Extension{Oid(one.id), false, der_of(text)}), std::nullopt)
          << one.id << " " << text;
    }
    // What OpenSSL does not read is not taken here.
    for (std::size_t size = 0; size < good.size(); ++size) {
      auto cut = good;
      cut.resize(size);
      EXPECT_NE(wrong_form(Extension{Oid(one.id), false, cut}), std::nullopt) << one.id << size;
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int change : {1, 2, 0x20, 0x80, 0xff}) {
        auto changed = good;
        changed[at] ^= static_cast<std::uint8_t>(change);
        const bool taken = !wrong_form(Extension{Oid(one.id), false, changed});
        EXPECT_TRUE(!taken || openssl_reads(one, changed)) << one.id << " " << to_hex(changed);
      }
    }
  }
}

TEST(ExtensionForms, SettingsWithValuesThatOthersCannotReadDoNotLoad) {
  auto settings = device_profile();
  ExtensionField field{"1.3.6.1.5.5.7.1.24", "tlsfeature", {}};
  field.rule.kind = ExtensionRule::Kind::fixed;
  field.rule.der_hex = "3003020106";
  settings.extensions.fields.push_back(field);
  EXPECT_THAT(Profile::create(settings), Fails(HasSubstr("TLS feature")));
  settings = device_profile();
  settings.crl_urls = {"http://a b/ca.crl"};
  EXPECT_THAT(Profile::create(settings), Fails(HasSubstr("URI")));
  settings.crl_urls = {};
  settings.ocsp_urls = {"ocsp.example"};
  EXPECT_THAT(Profile::create(settings), Fails(HasSubstr("URI")));
  settings.ocsp_urls = {};
  settings.lint_allow = {"extension-form"};
  EXPECT_THAT(Profile::create(settings), Fails(HasSubstr("nothing allows")));
}

// Many write the FALSE that DER leaves out.
TEST(ExtensionForms, AnEndEntityThatSaysItIsNoCaGetsItAsDerHasIt) {
  const auto profile = Profile::create(device_profile()).value();
  const SystemClock clock;
  const CertificateWish wish{name("CN=dev1"),
                             device_key().public_key(),
                             {{oid::id_ce_basicConstraints, true, der_of("3003010100")}},
                             {},
                             {}};
  const auto plan = profile.plan(wish, clock.now(), clock.now() + 24h * 365);
  ASSERT_TRUE(plan);
  const auto* written = find(plan->extensions, oid::id_ce_basicConstraints);
  ASSERT_NE(written, nullptr);
  EXPECT_EQ(written->extnValue, der_of("3000"));
}

}  // namespace
}  // namespace cmpost::extension_forms
