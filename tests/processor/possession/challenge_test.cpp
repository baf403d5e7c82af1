// Possession proven by challenge and response.
#include "processor/possession/challenge.h"

#include "crypto/envelope/key_management.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using Later = POPOPrivKey::SubsequentMessage;

// The INTEGER and the sender of a Rand.
struct Opened {
  Bytes integer;
  GeneralName sender;
};
Opened read_rand(ByteView rand) {
  der::Reader reader(rand);
  auto at = reader.enter(der::kSequence).value();
  Opened opened;
  opened.integer = at.big_integer().value();
  opened.sender = read_general_name(at).value();
  return opened;
}

Bytes enveloped(const Challenge& challenge) {
  der::Reader reader(challenge.encryptedRand.value());
  return to_bytes(reader.expect(der::context_constructed(0)).value().content);
}
Opened solve(const Challenge& challenge, const PrivateKey& key) {
  return read_rand(must(open_envelope(enveloped(challenge), key)).content);
}

const std::vector<Challenge>& challenges_in(const PKIMessage& answer) {
  static const std::vector<Challenge> kNone;
  const auto* body = std::get_if<body::popdecc>(&answer.body);
  if (body == nullptr) ADD_FAILURE() << body_name(answer.body) << " instead of popdecc";
  return body == nullptr ? kNone : body->challenges;
}

CertReqMsg asking(const PrivateKey& key, std::int64_t certReqId = 0) {
  return request_for(
      key.public_key(), "CN=dev1", [](const CertRequest&) { return later(Later::challengeResp); },
      [&](CertRequest& wanted) { wanted.certReqId = certReqId; });
}

// What is in it, of whatever size.
Bytes decrypt_pkcs1(const PrivateKey& key, ByteView encrypted) {
  for (std::size_t size = 1; size < encrypted.size(); ++size) {
    const auto found = must(recover_key(key, {oid::rsaEncryption, {}}, encrypted, size));
    if (found.right) return found.key;
  }
  ADD_FAILURE() << "not PKCS#1";
  return {};
}

struct ChallengeTest : ::testing::Test {
  explicit ChallengeTest(const std::string& settings = "") : ca(settings) { offer(); }
  void offer() {
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                {KeyRule::Kind::rsa, "", 2048, 4096},
                {KeyRule::Kind::ed25519, "", 0, 0},
                {KeyRule::Kind::x25519, "", 0, 0},
                {KeyRule::Kind::x448, "", 0, 0}};
    any.key_usage = {};
    any.max_requests = 3;
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(any)));
  }
  Bytes popdecr(const PKIMessage& popdecc, std::vector<Bytes> integers) {
    return with_mac(ca, body::popdecr{std::move(integers)}, pvno3(following(popdecc)));
  }
  Office ca;
};

struct ChallengeFor : ChallengeTest, ::testing::WithParamInterface<const char*> {};

TEST_P(ChallengeFor, CertificateIsMadeOnceTheIntegerHasComeBack) {
  const auto key = test_key(GetParam());
  const auto request = with_mac(ca, body::ir{{asking(key)}}, pvno3());
  const auto popdecc = ca.talk(request);
  ASSERT_EQ(challenges_in(popdecc).size(), 1U);
  const auto& challenge = challenges_in(popdecc)[0];
  EXPECT_TRUE(challenge.challenge.empty());
  EXPECT_EQ(challenge.owf->algorithm, oid_of(Digest::sha256));
  EXPECT_EQ(popdecc.header.pvno, kCmp2021);
  EXPECT_EQ(ca.certificates(), 0);

  const auto opened = solve(challenge, key);
  EXPECT_EQ(opened.sender, popdecc.header.sender);
  ca.open();  // a restart between the two messages
  const auto answer = popdecr(popdecc, {opened.integer});
  const auto ip = ca.talk(answer);
  EXPECT_TRUE(equal(certificate_in(ip).spki(), key.public_key().spki()));
  EXPECT_EQ(ip.header.recipNonce, decode(answer)->header.senderNonce);
  EXPECT_NE(find(ip.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  EXPECT_EQ(ca.transaction(*ip.header.transactionID).state, TransactionState::closed);
  EXPECT_EQ(ca.post(answer).at(0), ca.post(answer).at(0)) << "the same octets, the same answer";
  EXPECT_EQ(ca.certificates(), 1);
}
INSTANTIATE_TEST_SUITE_P(Possession, ChallengeFor,
                         ::testing::Values("rsa:2048", "ec:P-256", "x25519", "x448"));

TEST_F(ChallengeTest, RidHasNoIssuerAndTheCertReqIdAsSerialNumber) {
  const auto key = test_key("rsa:2048");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto sealed = enveloped(challenges_in(popdecc).at(0));
  der::Reader reader(sealed);
  auto at = reader.enter(der::kSequence).value();
  EXPECT_TRUE(at.integer().has_value());
  auto recipients = at.enter(der::kSet).value();
  auto ktri = recipients.enter(der::kSequence).value();
  EXPECT_EQ(ktri.integer().value(), 0);
  auto rid = ktri.enter(der::kSequence).value();
  EXPECT_TRUE(Name::read(rid).value().is_null_dn());
  EXPECT_EQ(rid.integer().value(), 0);
}

TEST_F(ChallengeTest, WrongIntegerIsABadPopAndTheOnlyTry) {
  const auto key = test_key("x25519");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  const auto ip = ca.talk(popdecr(popdecc, {Bytes{1}}));
  EXPECT_THAT(ip, Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_THAT(ca.talk(popdecr(ip, {integer})), Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_EQ(ca.certificates(), 0);
}

TEST_F(ChallengeTest, TooFewOrTooManyIntegersProveNothing) {
  for (const std::size_t count : {0U, 2U}) {
    const auto key = test_key("x25519");
    const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
    const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
    EXPECT_THAT(ca.talk(popdecr(popdecc, std::vector<Bytes>(count, integer))),
                Refuses("ip", PKIFailureInfo::badPOP));
  }
}

TEST_F(ChallengeTest, EveryKeyHasItsOwnChallengeInTheOrderOfTheRequests) {
  const auto one = test_key("x25519"), other = test_key("ec:P-256");
  const Credential signs;
  const auto popdecc = ca.talk(with_mac(
      ca,
      body::ir{{asking(one), cert_request(signs, "CN=dev1", {.certReqId = 1}), asking(other, 2)}},
      pvno3()));
  ASSERT_EQ(challenges_in(popdecc).size(), 2U);
  EXPECT_FALSE(challenges_in(popdecc)[1].owf) << "that of the first";
  EXPECT_EQ(ca.certificates(), 0) << "nothing before the proof";
  const auto first = solve(challenges_in(popdecc)[0], one).integer;
  const auto ip = ca.talk(popdecr(popdecc, {first, Bytes{5}}));
  const auto& response = cert_response(ip.body)->response;
  ASSERT_EQ(response.size(), 3U);
  EXPECT_EQ(response[0].status.status, PKIStatus::accepted);
  EXPECT_EQ(response[1].status.status, PKIStatus::accepted);
  EXPECT_TRUE(response[2].status.has(PKIFailureInfo::badPOP)) << "wrong for this one alone";
  EXPECT_EQ(ca.certificates(), 2);
}

TEST_F(ChallengeTest, WhatCannotBeGrantedIsNotChallenged) {
  const auto key = test_key("x25519");
  auto wrong = request_for(key.public_key(), "CN=somebody else",
                           [](const CertRequest&) { return later(Later::challengeResp); });
  EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{wrong}}, pvno3())),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  const Credential signs("ed25519");
  EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{asking(signs.key)}}, pvno3())),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(ChallengeTest, OldRequestersWithRsaKeysGetTheRawChallenge) {
  const auto key = test_key("rsa:2048");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}));
  EXPECT_EQ(popdecc.header.pvno, kCmp2000);
  ASSERT_EQ(challenges_in(popdecc).size(), 1U);
  const auto& challenge = challenges_in(popdecc)[0];
  EXPECT_FALSE(challenge.encryptedRand);
  const auto opened = read_rand(decrypt_pkcs1(key, challenge.challenge));
  EXPECT_EQ(opened.sender, popdecc.header.sender);
  const auto ip = ca.talk(with_mac(ca, body::popdecr{{opened.integer}}, following(popdecc)));
  certificate_in(ip);
  const auto elliptic = test_key("ec:P-256");
  EXPECT_THAT(ca.talk(with_mac(ca, body::ir{{asking(elliptic)}})),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(ChallengeTest, ParkedRequestDoesNotLiveForEver) {
  const auto key = test_key("x25519");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  const auto tid = *popdecc.header.transactionID;
  ca.timers();
  EXPECT_EQ(ca.transaction(tid).state, TransactionState::challenged);
  ca.clock.advance(std::chrono::hours(24 * 31));
  ca.open();
  ca.timers();
  EXPECT_EQ(ca.transaction(tid).state, TransactionState::closed);
  EXPECT_THAT(ca.talk(popdecr(popdecc, {integer})), Refuses("error", PKIFailureInfo::badRequest));
}

TEST_F(ChallengeTest, OtherMessagesDoNotGoOnWithAParkedRequest) {
  const auto key = test_key("x25519");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  EXPECT_THAT(ca.talk(with_mac(ca, poll_req(0), pvno3(following(popdecc)))),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_THAT(ca.talk(with_mac(ca, body::certConf{}, pvno3(following(popdecc)))),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_THAT(ca.talk(with_mac(ca, body::popdecr{{integer}}, pvno3(following(popdecc)), "guessed")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  certificate_in(ca.talk(popdecr(popdecc, {integer})));
}

TEST_F(ChallengeTest, RenewalKeepsOthersOutWhileItsKeyIsProven) {
  const auto device = enrolled(ca);
  const auto key = test_key("x25519");
  const auto kur = [&] { return PKIBody(body::kur{{asking(key)}}); };
  const auto popdecc = ca.talk(signed_by(ca, device, kur(), pvno3()));
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  EXPECT_THAT(ca.talk(signed_by(ca, device, kur(), pvno3())),
              Refuses("kup", PKIFailureInfo::badRequest));
  const auto kup =
      ca.talk(signed_by(ca, device, body::popdecr{{integer}}, pvno3(following(popdecc))));
  certificate_in(kup);
  EXPECT_EQ(body_name(kup.body), "kup");
  EXPECT_EQ(ca.record(*device.certificate)->state, CertificateState::updated);
}

struct ChallengeThenApproval : ChallengeTest {
  ChallengeThenApproval() : ChallengeTest("approve = \"one\"\nwaiting = \"always\"\n") {}
};

TEST_F(ChallengeThenApproval, ProofComesFirstAndThenPeopleAreAsked) {
  const auto key = test_key("x25519");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto tid = *popdecc.header.transactionID;
  EXPECT_EQ(ca.say(tid, true), Decided::nothing_waits);
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  const auto ip = ca.talk(popdecr(popdecc, {integer}));
  EXPECT_EQ(status_in(ip).status, PKIStatus::waiting);
  ca.open();
  EXPECT_EQ(ca.say(tid, true), Decided::done);
  ca.work();
  certificate_in(ca.talk(with_mac(ca, poll_req(0), pvno3(following(ip)))));
}

struct ChallengeInSilence : ChallengeTest {
  ChallengeInSilence() : ChallengeTest("approve = \"one\"\n") {}
};

TEST_F(ChallengeInSilence, FinalResponseThatIsPushedAnswersPopdecr) {
  const auto key = test_key("x25519");
  const auto popdecc = ca.talk(with_mac(ca, body::ir{{asking(key)}}, pvno3()));
  const auto integer = solve(challenges_in(popdecc).at(0), key).integer;
  const auto response = popdecr(popdecc, {integer});
  EXPECT_TRUE(ca.post(response).empty());
  ca.say(*popdecc.header.transactionID, true);
  const auto final = Office::only(ca.work_and_send());
  certificate_in(final);
  EXPECT_EQ(final.header.recipNonce, decode(response)->header.senderNonce);
}

TEST(ChallengeMet, IntegersAreComparedInOrder) {
  const auto key = test_key("x25519");
  const std::vector<ChallengedKey> keys = {{0, key.public_key()}, {4, key.public_key()}};
  const auto witness = [](std::int64_t number) {
    der::Writer writer;
    writer.integer(number);
    Challenge challenge;
    challenge.witness = hash(Digest::sha256, writer.bytes());
    return challenge;
  };
  const body::popdecc given{{witness(7), witness(8)}};
  EXPECT_EQ(challenges_met(keys, given, {{Bytes{7}, Bytes{8}}}), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(challenges_met(keys, given, {{Bytes{8}, Bytes{7}}}), std::vector<std::int64_t>{});
  EXPECT_EQ(challenges_met(keys, given, {{Bytes{1}, Bytes{8}}}), std::vector<std::int64_t>{4});
}

}  // namespace
}  // namespace cmpost
