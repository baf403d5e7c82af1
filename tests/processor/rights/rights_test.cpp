// What a requester may have: every body, every kind of
// credential, every right.
#include "processor/rights/rights.h"

#include "cmp/direction.h"
#include "processor/admission/header_rules.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kMoreSettings =
    "[[profile]]\nname = \"sub-ca\"\nca = true\n"
    "[[profile]]\nname = \"role\"\nextended_key_usage = [\"cmcRA\"]\n"
    "[[profile]]\nname = \"vip\"\nwho = [\"ra\"]\n"
    "[[profile]]\nname = \"other-device\"\n"
    "[[channel]]\nname = \"other\"\nkind = \"directory\"\nin = \"in2\"\nout = \"out2\"\n"
    "profiles = [\"device\", \"fresh\", \"sub-ca\", \"role\", \"vip\", \"other-device\"]\n"
    "trust = [\"vendor.pem\"]\nroles = { ra = [\"ra.pem\"], ca = [\"ca.pem\"] }\n";

class RightsTest : public ::testing::Test {
 protected:
  RightsTest() { configure(""); }

  // `settings` of the channel "drop", which has all profiles.
  void configure(const std::string& settings) {
    ca.configure(settings + kMoreSettings);
    auto& drop = ca.channels.at("drop");
    drop.profiles = ca.channels.at("other").profiles;
  }

  // On another channel than the first.
  PKIMessage ask_on(const std::string& channel, Bytes der) {
    auto lease = ca.arrival(std::move(der));
    lease.job.envelope.channel = channel;
    const auto decision = must(respond(lease, *ca.reader, ca.services()));
    EXPECT_TRUE(ca.commit(decision));
    const auto* reply = std::get_if<Decision::Reply>(&decision.what);
    if (reply == nullptr) return {};
    return decode(reply->job.payload).value_or(PKIMessage{});
  }

  Secret secret(std::string reference) {
    Secret one;
    one.reference = std::move(reference);
    one.value = to_bytes(std::string_view(CaUnderTest::kSecret));
    one.subject = "CN=dev1";
    return one;
  }

  Office ca;
};

struct Wish {
  std::string subject = "CN=dev1";
  std::vector<std::string> san{};
  std::string profile{};
  std::string channel = "drop";
};

CertReqMsg request_for(const Wish& wish, const Credential& key, std::int64_t certReqId = 0) {
  return cert_request(key, wish.subject,
                      {.certReqId = certReqId, .edit = [&](CertTemplate& wanted) {
                         if (wish.san.empty()) return;
                         std::vector<GeneralName> names;
                         for (const auto& text : wish.san) {
                           names.push_back(must(GeneralName::from_text(text)));
                         }
                         wanted.extensions = Extensions{subject_alt_name_extension(names, false)};
                       }});
}

MessageOptions options_for(const Wish& wish) {
  return {.edit = [profile = wish.profile](PKIHeader& header) {
    if (profile.empty()) return;
    der::Writer names;
    names.constructed(der::kSequence, [&] { names.utf8_string(profile); });
    header.generalInfo.push_back({oid::id_it_certProfile, std::move(names).take()});
  }};
}

// Whoever asks: a message of this body, protected.
using Sender = std::function<Bytes(const PKIBody&, const MessageOptions&)>;

// A device that has a certificate of this CA for CN=dev1 with this name.
class WithRequesters : public RightsTest {
 protected:
  WithRequesters() {
    ca.vendor.certify(vendor_device, "CN=dev1", ca.clock.now(), ca.random);
    ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  }

  Sender by_secret(Secret one) {
    ca.add(one);
    return [this, reference = one.reference](const PKIBody& body, const MessageOptions& options) {
      return with_mac(ca, body, options, CaUnderTest::kSecret, reference);
    };
  }
  Sender by(const Credential& credential) {
    return [this, &credential](const PKIBody& body, const MessageOptions& options) {
      return signed_by(ca, credential, body, options);
    };
  }

  Credential& holder(const MessageOptions& options = {}) {
    auto one = secret("maker" + std::to_string(holders_.size()));
    one.san = {SanRule::Kind::any};
    const auto send = by_secret(one);
    auto& device = holders_.emplace_back(std::make_unique<Credential>());
    const auto ip =
        ca.ask(send(body::ir{{request_for({.san = {"DNS:dev1.grid.example"}}, *device)}}, options));
    device->certificate = certificate_in(ip);
    return *device;
  }
  void set_state(const Credential& device, CertificateState from, CertificateState to) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(const bool done,
                       writer.change_state(device.certificate->serial_number(), {from}, to));
      EXPECT_TRUE(done);
      return {};
    }));
  }

  // Whether a certificate came of it.
  bool gets(const Sender& send, const Wish& wish, std::string_view body) {
    const Credential key;
    const auto before = ca.certificates();
    const auto message = request_for(wish, key);
    const auto whole = body == "ir" ? PKIBody(body::ir{{message}}) : PKIBody(body::cr{{message}});
    const auto answer = ask_on(wish.channel, send(whole, options_for(wish)));
    const bool got = ca.certificates() > before;
    if (!got && body_name(answer.body) != "") {
      const auto info = status_in(answer);
      EXPECT_EQ(info.status, PKIStatus::rejection);
    }
    return got;
  }

  std::vector<std::unique_ptr<Credential>> holders_;
  Credential vendor_device, ra;
};

const std::vector<std::pair<std::string, Wish>> kWishes = {
    {"own subject", {}},
    {"foreign subject", {.subject = "CN=admin"}},
    {"more of a subject", {.subject = "CN=dev1,O=Grid"}},
    {"own name", {.san = {"DNS:dev1"}}},
    {"name of the certificate", {.san = {"DNS:dev1.grid.example"}}},
    {"foreign name", {.san = {"DNS:bank.example"}}},
    {"CA profile", {.profile = "sub-ca"}},
    {"CMP role", {.profile = "role"}},
    {"profile for RAs", {.profile = "vip"}},
    {"other profile", {.profile = "other-device"}},
    {"other channel", {.channel = "other"}},
};

TEST_F(WithRequesters, EveryCredentialHasItsRightsAndNoOthers) {
  auto narrow = secret("narrow"), wide = secret("wide"), for_ca = secret("for-ca"),
       elsewhere = secret("elsewhere"), expired = secret("expired"), used = secret("used");
  wide.subject = "";
  wide.san = {SanRule::Kind::any};
  wide.channels.any = true;
  for_ca.profiles = {"sub-ca"};
  elsewhere.channels.names = {"other"};
  expired.expires = ca.clock.now();
  used.max_uses = 0;
  auto& unconfirmed = holder({.implicit_confirm = false});
  auto& held = holder();
  set_state(held, CertificateState::valid, CertificateState::held);
  auto& revoked = holder();
  set_state(revoked, CertificateState::valid, CertificateState::revoked);
  auto& updated = holder();
  set_state(updated, CertificateState::valid, CertificateState::updated);
  // In the order of kWishes.
  const std::vector<std::tuple<std::string, Sender, std::string, std::string>> rows = {
      {"narrow secret", by_secret(narrow), "ir", "+--+-----+-"},
      {"wide secret", by_secret(wide), "ir", "++++++---++"},
      {"secret with a profile", by_secret(for_ca), "ir", "------+----"},
      {"secret of another channel", by_secret(elsewhere), "ir", "----------+"},
      {"expired secret", by_secret(expired), "ir", "-----------"},
      {"used secret", by_secret(used), "ir", "-----------"},
      {"holder", by(holder()), "cr", "+---+----+-"},
      {"holder", by(holder()), "ir", "+---+----+-"},
      {"unconfirmed holder", by(unconfirmed), "cr", "-----------"},
      {"held holder", by(held), "cr", "-----------"},
      {"revoked holder", by(revoked), "cr", "-----------"},
      {"holder of what is renewed", by(updated), "cr", "+---+----+-"},
      {"vendor", by(vendor_device), "ir", "+--------++"},
      {"vendor", by(vendor_device), "cr", "-----------"},
      {"RA", by(ra), "ir", "++++++--+++"},
  };
  for (const auto& [who, send, body, expected] : rows) {
    for (std::size_t i = 0; i < kWishes.size(); ++i) {
      EXPECT_EQ(gets(send, kWishes[i].second, body), expected[i] == '+')
          << who << " by " << body << ": " << kWishes[i].first;
    }
  }
}

TEST_F(WithRequesters, SettingsWidenWhatHoldersAndVendorsMayHave) {
  auto& device = holder();
  configure(
      "additional = { subject = \"CN=dev*\", san = [\"DNS:*.grid.example\"] }\n"
      "trusted_subject = \"any\"\ntrusted_san = \"any\"\n");
  EXPECT_TRUE(gets(by(device), {.subject = "CN=dev7", .san = {"DNS:a.grid.example"}}, "cr"));
  EXPECT_FALSE(gets(by(device), {.subject = "CN=admin"}, "cr"));
  EXPECT_FALSE(gets(by(device), {.san = {"DNS:a.b.grid.example"}}, "cr"));
  EXPECT_TRUE(gets(by(vendor_device), {.subject = "CN=admin", .san = {"DNS:x.example"}}, "ir"));
  configure("additional = \"any\"\n");
  EXPECT_TRUE(gets(by(device), {.subject = "CN=admin", .san = {"DNS:x.example"}}, "cr"));
  EXPECT_FALSE(gets(by(device), {.profile = "sub-ca"}, "cr"));
}

TEST_F(WithRequesters, HoldersOfAnotherChannelCountWhereItIsSaid) {
  auto& device = holder();
  ca.channels.at("other").settings.holders_of.names = {"drop"};
  EXPECT_TRUE(gets(by(device), {.channel = "other"}, "cr"));
  ca.channels.at("other").settings.holders_of = {.any = true, .names = {}};
  EXPECT_TRUE(gets(by(device), {.channel = "other"}, "cr"));
}

TEST_F(WithRequesters, RenewalKeepsSubjectNamesAndProfile) {
  const auto renews = [&](const Wish& wish) {
    auto& device = holder();
    const Credential fresh;
    const auto before = ca.certificates();
    ask_on(wish.channel,
           signed_by(ca, device, body::kur{{request_for(wish, fresh)}}, options_for(wish)));
    return ca.certificates() > before;
  };
  EXPECT_TRUE(renews({}));
  EXPECT_TRUE(renews({.san = {"DNS:DEV1.grid.example"}})) << "the same name by value";
  EXPECT_FALSE(renews({.san = {"DNS:*.gov"}}));
  EXPECT_FALSE(renews({.san = {"DNS:dev1.grid.example", "DNS:bank.example"}}));
  EXPECT_FALSE(renews({.subject = "CN=admin"}));
  EXPECT_TRUE(renews({.profile = "device"}));
  EXPECT_TRUE(renews({.profile = "other-device"})) << "by name, and for anybody";
  EXPECT_FALSE(renews({.profile = "sub-ca"}));
  EXPECT_FALSE(renews({.profile = "role"}));
  EXPECT_FALSE(renews({.profile = "vip"}));
  EXPECT_FALSE(renews({.channel = "other"}));
}

TEST_F(WithRequesters, ChannelWithoutTheOldProfileDoesNotRenewWithAnotherOne) {
  auto& device = holder();
  auto& profiles = ca.channels.at("drop").profiles;
  std::erase_if(profiles, [](const Profile& one) { return one.name() == "device"; });
  const Credential fresh;
  const auto kup = ca.ask(signed_by(ca, device, body::kur{{request_for({}, fresh)}}));
  EXPECT_THAT(kup, Refuses("kup", PKIFailureInfo::badCertTemplate));
}

TEST_F(WithRequesters, UnconfirmedCertificateIsGoodForItsOwnRevocationOnly) {
  auto& device = holder({.implicit_confirm = false});
  const auto send = by(device);
  EXPECT_THAT(ca.ask(send(body::genm{}, {})), Refuses("error", PKIFailureInfo::notAuthorized));
  const Credential fresh;
  EXPECT_THAT(ca.ask(send(body::kur{{request_for({}, fresh)}}, {})),
              Refuses("error", PKIFailureInfo::notAuthorized));
}

TEST_F(WithRequesters, RevocationIsForTheHolderOnEveryChannelAndForRas) {
  auto& device = holder();
  auto& other = holder();
  const auto rr = revocation(*other.certificate, CRLReason::keyCompromise);
  EXPECT_THAT(ca.ask(signed_by(ca, device, rr)), Refuses("rp", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.ask(signed_by(ca, vendor_device, rr)),
              Refuses("rp", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(ca.record(*other.certificate)->state, CertificateState::valid);
  EXPECT_EQ(status_in(ask_on("other", signed_by(ca, other, rr))).status, PKIStatus::accepted);
  EXPECT_EQ(ca.record(*other.certificate)->state, CertificateState::revoked);
  EXPECT_EQ(
      status_in(ca.ask(signed_by(ca, ra, revocation(*device.certificate, CRLReason::superseded))))
          .status,
      PKIStatus::accepted);
}

TEST_F(WithRequesters, HoldAndReleaseLeaveAnUnconfirmedCertificateUnconfirmed) {
  auto& device = holder({.implicit_confirm = false});
  EXPECT_EQ(status_in(ca.ask(signed_by(
                          ca, ra, revocation(*device.certificate, CRLReason::certificateHold))))
                .status,
            PKIStatus::accepted);
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::held);
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, ra,
                                       revocation(*device.certificate, CRLReason::removeFromCRL))))
                .status,
            PKIStatus::accepted);
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::unconfirmed);
}

TEST_F(WithRequesters, UsesAreCertificatesNotMessages) {
  auto one = secret("once");
  one.max_uses = 1;
  const auto send = by_secret(one);
  std::vector<std::unique_ptr<Credential>> keys;
  body::ir ten;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(std::make_unique<Credential>());
    ten.requests.push_back(request_for({}, *keys.back(), i));
  }
  const auto before = ca.certificates();
  const auto ip = ca.ask(send(ten, {}));
  EXPECT_EQ(ca.certificates() - before, 1);
  const auto& responses = cert_response(ip.body)->response;
  ASSERT_THAT(responses, SizeIs(10));
  EXPECT_EQ(responses[0].status.status, PKIStatus::accepted);
  EXPECT_EQ(responses[9].status.failInfo,
            std::uint64_t{1} << static_cast<int>(PKIFailureInfo::notAuthorized));
}

TEST_F(WithRequesters, UsesAreCountedOverTheMembersOfABatch) {
  auto one = secret("once");
  one.max_uses = 1;
  const auto send = by_secret(one);
  std::vector<Bytes> members;
  for (int i = 0; i < 3; ++i) members.push_back(send(ir(Credential()), {}));
  const auto before = ca.certificates();
  ca.talk(signed_by(ca, ra, body::nested{std::move(members)}));
  EXPECT_EQ(ca.certificates() - before, 1);
}

TEST_F(WithRequesters, OtherExtensionsThatNameSomebodyAreNotForHolders) {
  configure("");
  auto& device = holder();
  for (auto& one : ca.channels.at("drop").profiles) {
    auto settings = one.settings();
    settings.extensions.other = ExtensionRule::Kind::copy;
    one = must(Profile::create(settings));
  }
  for (const auto* oid : {"2.5.29.7", "1.3.6.1.5.5.7.1.26", "1.3.6.1.5.5.7.1.27",
                          "1.3.6.1.5.5.7.1.2", "2.23.140.3.1", "2.16.840.1.113730.1.12"}) {
    der::Writer value;
    value.primitive(0x16, view_of("bank.example"));
    const Credential key;
    const auto wanted = cert_request(
        key, "CN=dev1", {.edit = [&](CertTemplate& wish) {
          wish.extensions =
              Extensions{{*Oid::from_dotted(oid), false, to_bytes(ByteView(value.bytes()))}};
        }});
    EXPECT_THAT(ca.ask(signed_by(ca, device, body::cr{{wanted}})),
                Refuses("cp", PKIFailureInfo::notAuthorized))
        << oid;
    EXPECT_THAT(ca.ask(signed_by(ca, device, body::kur{{wanted}})),
                Refuses("kup", PKIFailureInfo::notAuthorized))
        << oid;
  }
}

template <std::size_t... I>
std::vector<PKIBody> bodies_of(std::index_sequence<I...>) {
  return {PKIBody(std::in_place_index<I>)...};
}
std::vector<PKIBody> all_bodies() {
  return bodies_of(std::make_index_sequence<std::variant_size_v<PKIBody>>());
}

TEST(Rights, WithoutAnyNoBodyIsWorkedOn) {
  for (const auto& body : all_bodies()) {
    EXPECT_FALSE(check_right(Rights{}, wanted::Message{body})) << body_name(body);
  }
  EXPECT_FALSE(check_right(Rights{}, wanted::Endorsement{}));
  EXPECT_FALSE(check_right(Rights{}, wanted::ArchivedKeys{std::nullopt}));
  EXPECT_FALSE(check_right(Rights{}, wanted::Revocation{CertificateRecord{}, Name(), false}));
  EXPECT_FALSE(check_right(Rights{}, wanted::KemCiphertext{}));
}

TEST_F(RightsTest, CaThatAnnouncesSomethingHasARightToThatOnly) {
  const auto rights = rights_of_speaker(ca.other_ca.certificate);
  for (const auto& body : all_bodies()) {
    if (direction_of(body) == MessageDirection::announcement) {
      EXPECT_TRUE(check_right(rights, wanted::Message{body})) << body_name(body);
    } else if (opens_transaction(body)) {
      EXPECT_EQ(check_right(rights, wanted::Message{body}).has_value(),
                std::holds_alternative<body::ccr>(body))
          << body_name(body);
    }
  }
}

// The same by the whole way of a message: a body that did not go through check_right() would be
// answered otherwise.
TEST_F(WithRequesters, EveryBodyGoesThroughTheRights) {
  auto elsewhere = secret("elsewhere");
  elsewhere.channels.names = {"other"};
  const auto send = by_secret(elsewhere);
  const Credential key;
  const auto message = request_for({}, key);
  const std::vector<PKIBody> opening = {
      body::ir{{message}},  body::cr{{message}},
      body::kur{{message}}, body::krr{{message}},
      body::ccr{{message}}, body::p10cr{certification_request(key, "CN=dev1")},
      body::genm{}};
  for (const auto& body : opening) {
    EXPECT_THAT(ca.ask(send(body, {})), Refuses("error", PKIFailureInfo::notAuthorized))
        << body_name(body);
  }
  // These are all that there are but a batch, which has a right of its own, and rr, which no secret
  // protects and which every certificate has a right to.
  for (const auto& body : all_bodies()) {
    const bool other =
        std::holds_alternative<body::nested>(body) || std::holds_alternative<body::rr>(body);
    const bool opens = direction_of(body) == MessageDirection::request && opens_transaction(body);
    EXPECT_EQ(
        opens && !other,
        std::ranges::any_of(opening, [&](const auto& one) { return one.index() == body.index(); }))
        << body_name(body);
  }
}

TEST(ProfileRights, ProfilesWithPowerAreForNobodyUnlessItIsSaid) {
  const auto who = [](const std::function<void(ProfileSettings&)>& edit) {
    ProfileSettings settings;
    settings.name = "p";
    settings.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
    edit(settings);
    return must(Profile::create(settings)).who();
  };
  EXPECT_EQ(who([](auto&) {}), anybody());
  EXPECT_THAT(who([](auto& one) {
                one.ca = true;
                one.key_usage = {5, 6};
              }),
              IsEmpty());
  for (const auto* purpose : {"1.3.6.1.5.5.7.3.27", "1.3.6.1.5.5.7.3.28", "1.3.6.1.5.5.7.3.32",
                              "1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.3.8", "2.5.29.37.0"}) {
    EXPECT_THAT(who([&](auto& one) { one.extended_key_usage = {purpose}; }), IsEmpty()) << purpose;
  }
  const auto by_rule = [&](ExtensionRule::Kind kind, const char* oid, const char* der) {
    return who([&](auto& one) {
      one.extensions.fields = {{oid, oid, {.kind = kind, .der_hex = der}}};
    });
  };
  // cmcRA as a fixed and as a default value; cRLSign.
  const auto* cmc_ra = "300a06082b0601050507031c";
  EXPECT_THAT(by_rule(ExtensionRule::Kind::fixed, "2.5.29.37", cmc_ra), IsEmpty());
  EXPECT_THAT(by_rule(ExtensionRule::Kind::default_, "2.5.29.37", cmc_ra), IsEmpty());
  EXPECT_THAT(by_rule(ExtensionRule::Kind::fixed, "2.5.29.15", "03020102"), IsEmpty());
  EXPECT_EQ(who([](auto& one) {
              one.ca = true;
              one.key_usage = {5};
              one.who = RequesterKinds{RequesterKind::ca};
            }),
            (RequesterKinds{RequesterKind::ca}));
}

TEST(SecretStore, OwnerIsNamedByTheReference) {
  EXPECT_EQ(subject_of_reference("device1").value(), "CN=device1");
  EXPECT_EQ(must(SubjectPattern::parse(subject_of_reference("a,b=c").value()))
                .name()
                .first(oid::id_at_commonName),
            "a,b=c");
  for (const auto reference : {std::string_view("dev*"), std::string_view("a\0b", 3),
                               std::string_view("\xff"), std::string_view(" a")}) {
    EXPECT_FALSE(subject_of_reference(reference)) << printable(reference);
  }
}

}  // namespace
}  // namespace cmpost
