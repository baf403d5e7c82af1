// regToken and authenticator travel in clear (RFC 4211 6.1, 6.2; R-108): what they are good for.
#include "cmp/info_values.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

constexpr std::string_view kMaidenName = "mother's maiden name";

struct TokenTest : ::testing::Test {
  explicit TokenTest(const std::string& settings = "") : ca(settings) {
    ProfileSettings two;
    two.name = "two";
    two.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
    two.key_usage = {};
    two.max_requests = 2;
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(two)));
  }
  void add(
      SecretPurpose purpose, const std::function<void(Secret&)>& edit = [](Secret&) {}) {
    Secret secret;
    secret.purpose = purpose;
    secret.reference = "dev1";
    secret.value = to_bytes(kMaidenName);
    secret.max_uses = 1;
    edit(secret);
    ca.add(secret);
  }
  void add_mac(std::string_view reference, std::string_view value) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(value);
    ca.add(secret);
  }
  static Attribute token(std::string_view text, const Oid& type = oid::id_regCtrl_regToken) {
    der::Writer writer;
    writer.utf8_string(text);
    return {type, std::move(writer).take()};
  }
  static CertReqMsg asking(const Controls& controls, std::string_view subject = "CN=dev1",
                           std::int64_t certReqId = 0) {
    const Credential device;
    CertReqMsg message;
    message.certReq.certReqId = certReqId;
    message.certReq.certTemplate.subject = name(subject);
    message.certReq.certTemplate.publicKey = spki_of(device.key.public_key());
    message.certReq.controls = controls;
    message.certReq.der = encode(message.certReq);
    POPOSigningKey popo;
    popo.algorithmIdentifier = device.signer.algorithm();
    popo.signature = must(device.signer.sign(message.certReq.der));
    message.popo = std::move(popo);
    return message;
  }
  PKIMessage enrol(const CertReqMsg& message) { return ca.talk(with_mac(ca, body::ir{{message}})); }
  static MessageOptions named(const std::vector<std::string>& profiles) {
    MessageOptions options;
    options.edit = [profiles](PKIHeader& header) {
      header.generalInfo.push_back({oid::id_it_certProfile, encode_utf8_strings(profiles)});
    };
    return options;
  }
  Bytes stored_request(const Bytes& tid) {
    auto* const rows = must(ca.reader->connection().statement(
        "SELECT request FROM message WHERE tx = ? ORDER BY id LIMIT 1"));
    rows->bind(1, ca.transaction(tid).id);
    EXPECT_TRUE(must(rows->step()));
    auto request = to_bytes(rows->blob(0));
    rows->reset();
    return request;
  }
  static bool contains(ByteView octets, std::string_view text) {
    return text_of(octets).find(text) != std::string_view::npos;
  }
  Office ca;
};

const auto kWrongToken = Refuses("ip", PKIFailureInfo::notAuthorized);

TEST_F(TokenTest, ProtectsNoMessage) {
  add(SecretPurpose::regToken);
  add(SecretPurpose::authenticator);
  for (const auto* reference : {"dev1", "regToken/dev1", "authenticator/dev1"}) {
    EXPECT_THAT(ca.talk(with_mac(ca, ir(Credential()), {}, kMaidenName, reference)),
                Refuses("error", PKIFailureInfo::badMessageCheck))
        << reference;
  }
}

TEST_F(TokenTest, IsNoOtherToken) {
  add(SecretPurpose::authenticator);
  EXPECT_THAT(enrol(asking({token(kMaidenName)})), kWrongToken);
  EXPECT_THAT(enrol(asking({token(CaUnderTest::kSecret)})), kWrongToken) << "the MAC secret";
}

TEST_F(TokenTest, MacSecretIsNotCalledLikeAToken) {
  Secret secret;
  secret.reference = "regToken/dev1";
  secret.value = to_bytes(kMaidenName);
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    EXPECT_FALSE(SecretStore(writer.connection(), ca.sealing_key).add(secret, ca.random));
    return {};
  }));
}

TEST_F(TokenTest, IsUsedUpByOneRequestOfAMessage) {
  add(SecretPurpose::regToken);
  const auto ip = ca.talk(with_mac(
      ca, body::ir{{asking({token(kMaidenName)}), asking({token(kMaidenName)}, "CN=dev1", 1)}}));
  const auto& responses = cert_response(ip.body)->response;
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0].status.status, PKIStatus::accepted);
  EXPECT_EQ(responses[1].status.status, PKIStatus::rejection);
  EXPECT_EQ(ca.certificates(), 1);
  EXPECT_THAT(enrol(asking({token(kMaidenName)})), kWrongToken);
}

TEST_F(TokenTest, IsThereOnce) {
  add(SecretPurpose::regToken);
  EXPECT_THAT(enrol(asking({token("a guess"), token(kMaidenName)})),
              Refuses("ip", PKIFailureInfo::badDataFormat));
}

TEST_F(TokenTest, IsForItsSubjectUntilItExpires) {
  add(SecretPurpose::regToken, [](Secret& secret) { secret.subject = "CN=dev1,O=Grid"; });
  EXPECT_THAT(enrol(asking({token(kMaidenName)}, "CN=dev2")), kWrongToken);
  EXPECT_THAT(enrol(asking({token(kMaidenName)})), kWrongToken);
  add(SecretPurpose::authenticator, [&](Secret& secret) { secret.expires = ca.clock.now(); });
  EXPECT_THAT(enrol(asking({token(kMaidenName, oid::id_regCtrl_authenticator)})), kWrongToken);
}

TEST_F(TokenTest, IsForItsProfilesAndChannels) {
  add(SecretPurpose::regToken, [](Secret& secret) { secret.profiles = {"device"}; });
  EXPECT_THAT(enrol(asking({token(kMaidenName)})), kWrongToken) << "the default is another profile";
  add(SecretPurpose::authenticator, [](Secret& secret) { secret.channels = {.names = {"mail"}}; });
  EXPECT_THAT(enrol(asking({token(kMaidenName, oid::id_regCtrl_authenticator)})), kWrongToken);
}

// kur without a certProfile keeps that of the certificate, and not the channel's default.
TEST_F(TokenTest, ForAProfileIsGoodForARenewalThatKeepsThatProfile) {
  const auto device = enrolled(ca);
  auto& profiles = ca.channels.at("drop").profiles;
  profiles.insert(profiles.begin(), profiles.back());
  ASSERT_NE(profiles.front().name(), "two");
  add(SecretPurpose::regToken, [](Secret& secret) { secret.profiles = {"two"}; });
  EXPECT_EQ(
      status_in(ca.talk(signed_by(ca, device, body::kur{{asking({token(kMaidenName)})}}))).status,
      PKIStatus::accepted);
}

TEST_F(TokenTest, OfAnotherProfileIsNoneForARenewal) {
  const auto device = enrolled(ca);
  auto& profiles = ca.channels.at("drop").profiles;
  profiles.insert(profiles.begin(), profiles.back());
  add(SecretPurpose::regToken,
      [&](Secret& secret) { secret.profiles = {profiles.front().name()}; });
  EXPECT_THAT(ca.talk(signed_by(ca, device, body::kur{{asking({token(kMaidenName)})}})),
              Refuses("kup", PKIFailureInfo::notAuthorized));
}

TEST_F(TokenTest, UnderAProfileThatThereIsNotItIsNoGuess) {
  add(SecretPurpose::regToken, [](Secret& secret) { secret.profiles = {"two"}; });
  const auto answer =
      ca.talk(with_mac(ca, body::ir{{asking({token(kMaidenName)})}}, named({"no"})));
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_EQ(rows_of(ca, "secret_failure"), 0);
}

TEST_F(TokenTest, OfEachProfileAMessageAsksForNoMoreThanThatAllows) {
  const auto three = [&] {
    return body::ir{{asking({}), asking({}, "CN=dev1", 1), asking({}, "CN=dev1", 2)}};
  };
  EXPECT_THAT(ca.talk(with_mac(ca, three(), named({"two"}))),
              Refuses("ip", PKIFailureInfo::badRequest));
  EXPECT_EQ(status_in(ca.talk(with_mac(ca, three(), named({"two", "two", "device"})))).status,
            PKIStatus::accepted);
}

TEST_F(TokenTest, WhoGuessesIsNotBelievedAndTheOthersAre) {
  add(SecretPurpose::regToken);
  add_mac("two", "the secret of another");
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(enrol(asking({token("guess " + std::to_string(i))})), kWrongToken);
  }
  EXPECT_THAT(enrol(asking({token(kMaidenName)})), kWrongToken);
  EXPECT_EQ(status_in(enrol(asking({}))).status, PKIStatus::accepted) << "its MAC is right";
  const auto by_another = ca.talk(
      with_mac(ca, body::ir{{asking({token(kMaidenName)})}}, {}, "the secret of another", "two"));
  EXPECT_EQ(status_in(by_another).status, PKIStatus::accepted);
}

TEST_F(TokenTest, OneMessageIsOneGuess) {
  add(SecretPurpose::regToken);
  const auto ip = ca.talk(with_mac(
      ca, body::ir{{asking({token("a guess")}), asking({token(kMaidenName)}, "CN=dev1", 1)}}));
  for (const auto& response : cert_response(ip.body)->response) {
    EXPECT_EQ(response.status.status, PKIStatus::rejection);
  }
}

TEST_F(TokenTest, DoesNotLieInTheLedger) {
  add(SecretPurpose::regToken);
  const auto request = with_mac(ca, body::ir{{asking({token(kMaidenName)})}});
  EXPECT_TRUE(contains(request, kMaidenName));
  const auto first = ca.post(request);
  const auto tid = *Office::only(first).header.transactionID;
  EXPECT_FALSE(contains(stored_request(tid), kMaidenName));
  EXPECT_EQ(ca.post(request), first) << "the same message again";
  for (const auto& record : must(ca.reader->audit(0, 100))) {
    EXPECT_EQ(record.detail.find(kMaidenName), std::string::npos);
  }
  const auto plain = enrol(asking({}));
  EXPECT_TRUE(decode(stored_request(*plain.header.transactionID), {}).has_value());
}

struct WaitingToken : TokenTest {
  WaitingToken() : TokenTest("approve = \"one\"\nwaiting = \"always\"\n") {}
};

TEST_F(WaitingToken, SealedRequestIsGoneOnWith) {
  add(SecretPurpose::regToken);
  const auto told = enrol(asking({token(kMaidenName)}));
  ASSERT_EQ(status_in(told).status, PKIStatus::waiting);
  const auto tid = *told.header.transactionID;
  EXPECT_FALSE(contains(stored_request(tid), kMaidenName));
  ca.open();
  EXPECT_EQ(ca.say(tid, true), Decided::done);
  ca.work();
  const auto ip = ca.talk(with_mac(ca, poll_req(0), following(told)));
  EXPECT_EQ(status_in(ip).status, PKIStatus::accepted);
}

// The names of tokens were what told them from MAC secrets.
TEST(TokenMigration, TokensOfOlderLedgersAreTokens) {
  CaUnderTest ca;
  const TemporaryDirectory place;
  const std::vector<Migration> old(kProcessorMigrations.begin(), kProcessorMigrations.begin() + 3);
  {
    const auto ledger =
        must(Ledger::open("sqlite:old.db", place.path(), ca.clock, {{"processor", old}}));
    must(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      for (const std::string reference : {"regToken/dev1", "dev1"}) {
        ASSIGN_OR_RETURN(auto* const insert,
                         writer.connection().statement(
                             "INSERT INTO secret (reference, sealed, subject, max_uses, added) "
                             "VALUES (?, ?, '', 1, 0)"));
        const auto sealed =
            must(ca.sealing_key.seal(view_of(reference), "secret/" + reference, ca.random));
        insert->bind(1, std::string_view(reference));
        insert->bind(2, ByteView(sealed));
        TRY(insert->execute());
      }
      return {};
    }));
  }
  const auto ledger = must(
      Ledger::open("sqlite:old.db", place.path(), ca.clock, {{"processor", kProcessorMigrations}}));
  const auto reader = must(ledger->reader());
  SecretStore secrets(reader->connection(), ca.sealing_key);
  EXPECT_FALSE(must(secrets.find("regToken/dev1")).has_value());
  EXPECT_EQ(text_of(must(secrets.find("dev1", SecretPurpose::regToken))->value), "regToken/dev1");
  EXPECT_EQ(text_of(must(secrets.find("dev1"))->value), "dev1");
}

}  // namespace
}  // namespace cmpost
