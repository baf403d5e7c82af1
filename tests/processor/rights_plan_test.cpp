// Rights are held against what would be issued, not only against what is asked for.
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char *kCn = "2.5.4.3", *kOu = "2.5.4.11", *kO = "2.5.4.10",
                     *kSerialNumber = "2.5.4.5", *kSan = "2.5.29.17";

class RightsPlanTest : public ::testing::Test {
 protected:
  // The channel's profile of this name as `edit` leaves it.
  void change(const std::function<void(ProfileSettings&)>& edit,
              const std::string& name = "device") {
    for (auto& one : ca.channels.at("drop").profiles) {
      if (one.name() != name) continue;
      auto settings = one.settings();
      edit(settings);
      one = must(Profile::create(settings));
    }
  }
  void rule(const char* oid, const char* field, FieldRule::Kind kind, const char* value = "") {
    change([&](auto& one) { one.subject.fields.push_back({oid, field, {kind, value}}); });
  }
  void derive_names(std::vector<std::string> names) {
    change([&](auto& one) {
      one.extensions.fields = {
          {kSan,
           "subjectAltName",
           {.kind = ExtensionRule::Kind::derive, .der_hex = {}, .names = std::move(names)}}};
    });
  }

  void add_secret(const std::string& subject, SanRule san = {}) {
    Secret one;
    one.reference = "one";
    one.value = to_bytes(std::string_view("of the tests"));
    one.subject = subject;
    one.san = std::move(san);
    ca.add(one);
  }
  static RequestOptions asking(const std::vector<std::string>& names) {
    return {.edit = [names](CertTemplate& wanted) {
      if (names.empty()) return;
      std::vector<GeneralName> all;
      for (const auto& text : names) all.push_back(must(GeneralName::from_text(text)));
      wanted.extensions = Extensions{subject_alt_name_extension(all, false)};
    }};
  }
  PKIMessage by_secret(const Credential& key, std::string_view subject,
                       const std::vector<std::string>& names = {}) {
    return ca.ask(with_mac(ca, ir(key, subject, asking(names)), {}, "of the tests", "one"));
  }
  PKIMessage by_secret(std::string_view subject, const std::vector<std::string>& names = {}) {
    return by_secret(Credential(), subject, names);
  }
  // A device with these names, from a profile that changes nothing.
  Credential device(const std::string& subject, const std::vector<std::string>& names = {}) {
    add_secret(subject, {SanRule::Kind::any});
    Credential one;
    one.certificate = certificate_in(by_secret(one, subject, names));
    return one;
  }
  PKIMessage ask_again(const Credential& holder, std::string_view subject) {
    return ca.ask(signed_by(ca, holder, body::cr{{cert_request(Credential(), subject)}}));
  }
  // The names that it leaves out are taken from the certificate.
  PKIMessage renew(const Credential& holder) {
    const auto wanted = cert_request(Credential(), holder.certificate->subject().text());
    return ca.ask(signed_by(ca, holder, body::kur{{wanted}}));
  }

  Office ca;
};

TEST_F(RightsPlanTest, WhatIsDroppedMakesNoOtherNameOfIt) {
  add_secret("CN=*,OU=lab");
  rule(kOu, "OU", FieldRule::Kind::drop);
  EXPECT_THAT(by_secret("CN=admin,OU=lab"), Refuses("ip", PKIFailureInfo::notAuthorized));
  change([](auto& one) {
    one.subject.fields = {{kCn, "CN", {FieldRule::Kind::copy, {}}}};
    one.subject.other = FieldRule::Kind::drop;
  });
  const auto ip = by_secret("CN=admin,OU=lab");
  EXPECT_THAT(ip, Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(status_in(ip).statusString, Contains(HasSubstr("makes the subject CN=admin of it")));
}

TEST_F(RightsPlanTest, WhatIsReplacedByAConstantMakesNoOtherNameOfIt) {
  add_secret("CN=*,OU=lab");
  rule(kOu, "OU", FieldRule::Kind::set, "admin");
  EXPECT_THAT(by_secret("CN=boss,OU=lab"), Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RightsPlanTest, HoldersOwnNameBecomesNoOtherOne) {
  const auto holder = device("CN=admin,OU=lab");
  EXPECT_EQ(status_in(ask_again(holder, "CN=admin,OU=lab")).status, PKIStatus::accepted);
  rule(kOu, "OU", FieldRule::Kind::drop);
  EXPECT_THAT(ask_again(holder, "CN=admin,OU=lab"), Refuses("cp", PKIFailureInfo::notAuthorized));
}

TEST_F(RightsPlanTest, NobodyGetsTheNamesThatAnswersOfThisCaHave) {
  add_secret("CN=*");
  const AgreedParty decrypts("rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca);
  ca.authority->identity.protocol_keys.push_back(decrypts.protocol_key());
  const auto& authority = *ca.authority;
  for (const auto& own :
       {authority.issuer.certificate().subject(), authority.identity.certificate.subject(),
        decrypts.certificate.subject()}) {
    EXPECT_THAT(by_secret(own.text()), Refuses("ip", PKIFailureInfo::badCertTemplate))
        << own.text();
  }
}

TEST_F(RightsPlanTest, ConstantsOfTheProfileMayBeAdded) {
  add_secret("CN=dev1");
  for (const auto kind :
       {FieldRule::Kind::set, FieldRule::Kind::fixed, FieldRule::Kind::default_}) {
    change([&](auto& one) { one.subject.fields = {{kO, "O", {kind, "Grid"}}}; });
    EXPECT_EQ(certificate_in(by_secret("CN=dev1")).subject(), name("CN=dev1,O=Grid"));
  }
  change([](auto& one) {
    one.subject.fields = {{kSerialNumber, "serialNumber", {FieldRule::Kind::derive, "{key}"}}};
  });
  EXPECT_EQ(status_in(by_secret("CN=dev1")).status, PKIStatus::grantedWithMods)
      << "nobody chooses the hash of a key";
}

TEST_F(RightsPlanTest, DerivedValuesAreTheRequestersWord) {
  add_secret("CN=dev1", {SanRule::Kind::any});
  rule(kCn, "CN", FieldRule::Kind::derive, "{dns}");
  EXPECT_THAT(by_secret("CN=dev1", {"DNS:admin.example"}),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  change([](auto& one) { one.subject.fields = {{kOu, "OU", {FieldRule::Kind::derive, "{dns}"}}}; });
  EXPECT_THAT(by_secret("CN=dev1", {"DNS:admin.example"}),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RightsPlanTest, WhoMayHaveWhatIsDerivedMayAskForIt) {
  add_secret("serialNumber=*,CN=*-lab");
  rule(kCn, "CN", FieldRule::Kind::derive, "{serialNumber}-lab");
  EXPECT_EQ(certificate_in(by_secret("serialNumber=7")).subject(), name("serialNumber=7,CN=7-lab"));
  EXPECT_THAT(by_secret("serialNumber=7,O=Grid"), Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RightsPlanTest, VendorsNameBecomesOneThatTheChannelGivesVendors) {
  ca.configure("trusted_subject = \"CN=*,O=Grid\"\n");
  Credential box;
  ca.vendor.certify(box, "CN=box7", ca.clock.now(), ca.random);
  const auto asks = [&](std::string_view subject) {
    return ca.ask(signed_by(ca, box, ir(Credential(), subject)));
  };
  EXPECT_THAT(asks("CN=box7"), Refuses("ip", PKIFailureInfo::notAuthorized));
  rule(kO, "O", FieldRule::Kind::set, "Grid");
  EXPECT_EQ(certificate_in(asks("CN=box7")).subject(), name("CN=box7,O=Grid"));
  EXPECT_THAT(asks("CN=box8"), Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RightsPlanTest, RenewalKeepsTheSubjectWhateverTheProfileMakesOfIt) {
  const auto holder = device("CN=dev1,OU=lab", {"DNS:other.example"});
  EXPECT_EQ(status_in(renew(holder)).status, PKIStatus::accepted);
  const std::vector<SubjectField> rules = {{kCn, "CN", {FieldRule::Kind::derive, "{dns}"}},
                                           {kO, "O", {FieldRule::Kind::set, "Grid"}},
                                           {kO, "O", {FieldRule::Kind::default_, "Grid"}},
                                           {kOu, "OU", {FieldRule::Kind::drop, ""}},
                                           {kOu, "OU", {FieldRule::Kind::set, "plant"}}};
  for (const auto& one : rules) {
    change([&](auto& profile) { profile.subject.fields = {one}; });
    const auto kup = renew(holder);
    EXPECT_THAT(kup, Refuses("kup", PKIFailureInfo::badCertTemplate));
    EXPECT_THAT(status_in(kup).statusString, Contains(HasSubstr("ask for a new certificate")));
  }
  change([&](auto& one) { one.subject.fields = {{kOu, "OU", {FieldRule::Kind::set, "lab"}}}; });
  EXPECT_THAT(status_in(renew(holder)).statusString, ElementsAre(HasSubstr("renewed before")))
      << "nothing is changed";
}

TEST_F(RightsPlanTest, RenewalKeepsTheNamesWhateverTheProfileMakesOfThem) {
  const auto holder = device("CN=dev1", {"DNS:dev1.grid.example"});
  derive_names({"DNS:{CN}.bank.example"});
  EXPECT_THAT(renew(holder), Refuses("kup", PKIFailureInfo::badCertTemplate));
  derive_names({"DNS:{CN}.grid.example", "DNS:all.grid.example"});
  EXPECT_THAT(renew(holder), Refuses("kup", PKIFailureInfo::badCertTemplate));
  derive_names({"DNS:{CN}.grid.example"});
  EXPECT_EQ(status_in(renew(holder)).status, PKIStatus::accepted);
}

TEST_F(RightsPlanTest, NamesDerivedFromWhatMayBeAskedForNeedNoRight) {
  add_secret("CN=dev*");
  derive_names({"DNS:{CN}.grid.example"});
  EXPECT_EQ(status_in(by_secret("CN=dev1")).status, PKIStatus::grantedWithMods);
  EXPECT_THAT(by_secret("CN=dev1.bank"), Refuses("ip", PKIFailureInfo::badCertTemplate))
      << "more than one label";
}

// Whose a key is says the subject of its certificate.
TEST_F(RightsPlanTest, KeyIsTheSameHoldersUnderTheNameThatTheProfileMadeOfIt) {
  add_secret("CN=dev*");
  change([](auto& one) {
    one.subject.fields = {{kO, "O", {FieldRule::Kind::set, "Grid"}}};
    one.reuse_key = false;
  });
  const Credential key;
  EXPECT_EQ(status_in(by_secret(key, "CN=dev1")).status, PKIStatus::grantedWithMods);
  EXPECT_THAT(by_secret(key, "CN=dev1"), Refuses("ip", PKIFailureInfo::duplicateCertReq));
  EXPECT_THAT(by_secret(key, "CN=dev2"), Refuses("ip", PKIFailureInfo::badCertTemplate));
}

// `other = "copy"`: of extensions that nobody knows.
class CopiedExtensions : public RightsPlanTest {
 protected:
  static constexpr const char* kUnknown = "1.3.6.1.4.1.99999.7";

  CopiedExtensions() {
    change([](auto& one) { one.extensions.other = ExtensionRule::Kind::copy; });
  }
  static Extension extension(const char* oid) {
    der::Writer value;
    value.constructed(der::kSequence, [&] { value.integer(5); });
    return {*Oid::from_dotted(oid), false, std::move(value).take()};
  }
  static CertReqMsg wanting(const Extension& one, const Credential& key) {
    return cert_request(key, "CN=dev1",
                        {.edit = [&](CertTemplate& wanted) { wanted.extensions = {one}; }});
  }
};

TEST_F(CopiedExtensions, UnknownOnesAreNotForEverybody) {
  auto holder = device("CN=dev1");
  const Credential key;
  const auto wanted = wanting(extension(kUnknown), key);
  EXPECT_THAT(ca.ask(with_mac(ca, body::ir{{wanted}})),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.ask(signed_by(ca, holder, body::cr{{wanted}})),
              Refuses("cp", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.ask(signed_by(ca, holder, body::kur{{wanted}})),
              Refuses("kup", PKIFailureInfo::notAuthorized));
  const auto harmless = wanting(extension("1.3.6.1.5.5.7.1.24"), key);  // tlsFeature
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, holder, body::cr{{harmless}}))).status,
            PKIStatus::accepted);
}

TEST_F(CopiedExtensions, WhoMayHaveAnyNameAndWhoHasThemAlreadyGetsThem) {
  add_secret("CN=dev1", {SanRule::Kind::any});
  Credential holder;
  holder.certificate = certificate_in(ca.ask(
      with_mac(ca, body::ir{{wanting(extension(kUnknown), holder)}}, {}, "of the tests", "one")));
  EXPECT_NE(find(holder.certificate->extensions(), *Oid::from_dotted(kUnknown)), nullptr);
  const Credential key;
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, holder, body::kur{{wanting(extension(kUnknown), key)}})))
                .status,
            PKIStatus::accepted);
}

TEST_F(CopiedExtensions, ProfileThatNamesOneGrantsItToAll) {
  const auto holder = device("CN=dev1");
  change([](auto& one) {
    one.extensions.fields.push_back(
        {kUnknown, kUnknown, {.kind = ExtensionRule::Kind::copy, .der_hex = {}}});
  });
  const Credential key;
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, holder, body::cr{{wanting(extension(kUnknown), key)}})))
                .status,
            PKIStatus::accepted);
}

TEST_F(RightsPlanTest, SecretsWhoseReferencesAreOneNameAreNotTwoOwners) {
  Secret one;
  one.reference = "device 1";
  one.value = to_bytes(std::string_view("of the tests"));
  ca.add(one);
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    SecretStore store(writer.connection(), ca.sealing_key);
    for (const auto* other : {"DEVICE 1", "device  1", " Device 1"}) {
      one.reference = other;
      const auto added = store.add(one, ca.random);
      EXPECT_FALSE(added) << other;
      EXPECT_THAT(added ? "" : added.error().hint, HasSubstr("another reference"));
    }
    one.reference = "device 1";
    EXPECT_EQ(store.add(one, ca.random), false) << "the very same is taken, as ever";
    one.reference = "device1";
    EXPECT_EQ(store.add(one, ca.random), true);
    one.reference = "DEVICE 1";
    one.purpose = SecretPurpose::regToken;
    EXPECT_EQ(store.add(one, ca.random), true) << "nobody's credential";
    return {};
  }));
}

}  // namespace
}  // namespace cmpost
