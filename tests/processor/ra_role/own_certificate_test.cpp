// What an RA asks for itself, and what it believes of the answer.
#include "processor/ra_role/own_request.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RaOwnCertificate : public Ra {
 protected:
  OwnRequest made(const std::string& body) {
    const auto all = ra().services();
    TokenLog tokens;
    const Services services{all.identity, *ra().reader, all.sealing_key, all.random, tokens};
    return must(make_own_request(body, "", ra().channels.at("vault"), ra().clock.now(), services));
  }
  bool store(OwnRequest request) {
    bool stored = false;
    must(ra().ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(stored, store_own_request(std::move(request), "test", writer));
      return {};
    }));
    return stored;
  }
  // Has left.
  void begin(const std::string& body = "ir") {
    EXPECT_TRUE(store(made(body)));
    EXPECT_THAT(ra().tick(), IsEmpty());
    ASSERT_THAT(ra().up, SizeIs(1));
    ra().tick();
  }
  // With a certificate of another PKI that is for nothing, so that every other one is as good.
  void be_no_ra() {
    auto& own = ra().own;
    ca().vendor.certify(own, "CN=RA", ca().clock.now(), ca().random);
    ra().identity->certificate = *own.certificate;
    ra().identity->chain = {{to_bytes(own.certificate->der())}};
  }
  OwnRenewal newest() {
    return must(OwnRenewalTable(ra().reader->connection()).newest()).value_or(OwnRenewal{});
  }
};

TEST_F(RaOwnCertificate, KeyIsDurableBeforeTheRequestLeaves) {
  start();
  begin();
  const auto up = read(ra().up.front());
  const auto& wanted = std::get<body::ir>(up.body).requests.front().certReq.certTemplate;
  EXPECT_EQ(wanted.subject->text(), "CN=RA");
  const auto key = must(unseal_own_key(newest().key, ra().sealing_key));
  EXPECT_EQ(wanted.publicKey->der, to_bytes(key.public_key().spki()));
  EXPECT_EQ(newest().state, RenewalState::asked);
}

TEST_F(RaOwnCertificate, OneIsUnderWayAtATime) {
  start();
  begin();
  EXPECT_FALSE(store(made("ir")));
  EXPECT_FALSE(store(made("cr")));
}

// Its messages would not be believed any more.
TEST_F(RaOwnCertificate, CertificateThatIsForNoRaIsRefusedInCertConf) {
  start();
  begin();
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_EQ(newest().state, RenewalState::refused);
  EXPECT_THAT(newest().reason, HasSubstr("id-kp-cmcRA"));
  EXPECT_THAT(newest().key, IsEmpty());
  ASSERT_THAT(ra().up, SizeIs(1));
  const auto conf = read(ra().up.front());
  const auto& status = std::get<body::certConf>(conf.body).statuses.front();
  EXPECT_EQ(status.statusInfo->status, PKIStatus::rejection);
  ra().carry();
  EXPECT_THAT(ra().held(), IsEmpty()) << "pkiconf says nothing";
  ASSERT_THAT(ca().issued(), SizeIs(1));
  EXPECT_EQ(ca().issued().front().state, CertificateState::revoked);
}

TEST_F(RaOwnCertificate, RefusalOfTheCaIsKept) {
  start();
  begin("kur");
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_EQ(newest().state, RenewalState::refused);
  EXPECT_THAT(newest().reason, HasSubstr("refused by the CA"));
  EXPECT_TRUE(store(made("ir")));
}

TEST_F(RaOwnCertificate, ForgedAnswerChangesNothing) {
  start();
  begin();
  auto answer = ra().above_answers().at(0);
  auto forged = answer;
  forged[forged.size() / 2] ^= 1;
  EXPECT_THAT(ra().hear(forged), IsEmpty());
  EXPECT_THAT(ra().held(), SizeIs(1));
  EXPECT_EQ(newest().state, RenewalState::asked);
  ra().hear(answer);
  EXPECT_NE(newest().state, RenewalState::asked);
}

TEST_F(RaOwnCertificate, SecondAnswerIsHeldAndTheSameAgainIsNot) {
  start();
  begin();
  const auto answer = ra().above_answers().at(0);
  ra().hear(answer);
  ra().hear(answer);
  EXPECT_THAT(ra().held(), IsEmpty());
  const auto again = read(answer);
  const auto& identity = ca().authority->identity;
  ra().hear(
      must(protect_with_signature(again.header, body::error{}, identity.signer, identity.chain)));
  EXPECT_THAT(ra().held(), SizeIs(1));
}

TEST_F(RaOwnCertificate, NoAnswerInTimeEndsIt) {
  start("upstream_within = \"2d\"\n");
  begin();
  ra().clock.advance(3 * 24h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_EQ(newest().state, RenewalState::unanswered);
  ra().tick();
  EXPECT_THAT(ra().held(), IsEmpty());
  EXPECT_EQ(must(OwnRenewalTable(ra().reader->connection()).failures()), 1);
  EXPECT_TRUE(store(made("ir")));
}

// A third of what is left of the present one, so that there is time to ask again.
TEST_F(RaOwnCertificate, AnswerIsAwaitedForAPartOfWhatIsLeft) {
  start("upstream_within = \"300d\"\n");
  begin();
  ra().clock.advance(24h * 100);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_EQ(newest().state, RenewalState::asked);
  ra().clock.advance(24h * 30);
  ra().tick();
  EXPECT_EQ(newest().state, RenewalState::unanswered);
}

// The CA counts the new one as ours by then, and perhaps no other.
TEST_F(RaOwnCertificate, CertConfIsSentAgainWhereItsAnswerIsLost) {
  start("upstream_within = \"2d\"\n", "", "", "trusted_subject = \"any\"\n");
  be_no_ra();
  begin();
  ra().carry();
  ASSERT_EQ(newest().state, RenewalState::confirming) << newest().reason;
  ASSERT_THAT(ra().up, SizeIs(1));
  const auto first = ra().up.at(0);
  EXPECT_THAT(ra().above_answers(), SizeIs(1)) << "which is lost";
  ra().tick();
  ra().clock.advance(24h * 3);
  ra().tick();
  ra().tick();
  EXPECT_EQ(newest().state, RenewalState::confirming);
  EXPECT_FALSE(newest().key.empty());
  ASSERT_THAT(ra().up, SizeIs(1));
  EXPECT_EQ(ra().up.at(0), first);
  ra().carry();
  EXPECT_EQ(newest().state, RenewalState::granted);
  EXPECT_THAT(ra().held(), IsEmpty());
}

// Nobody would believe an answer; what comes waits for the next certificate.
TEST_F(RaOwnCertificate, OnceItHasEndedOnlyWhatBringsTheNextOneIsWorkedOn) {
  start("upstream_within = \"600d\"\n");
  begin("ir");
  ra().clock.advance(24h * 366);
  EXPECT_TRUE(ra().ra_role->is_over(ra().clock.now()));
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(1)) << "its own request alone";
  EXPECT_THAT(must(ra().spool->requests().list({.state = JobState::deferred})), SizeIs(1));
}

// the CA goes on with the certificate that has asked.
TEST_F(RaOwnCertificate, TransactionGoesOnUnderTheCertificateThatItBeganWith) {
  start();
  const auto answer = ra().through(with_mac(ra(), ir(key_), explicitly()));
  const auto former = std::make_shared<const Identity>(*ra().identity);
  Credential next;
  ca().ra_root.certify(next, "CN=RA", ca().clock.now(), ca().random);
  ra().identity.emplace(Identity{
      .certificate = *next.certificate,
      .signer = next.signer,
      .key_identifier = next.key.public_key().key_identifier(),
      .chain = {{to_bytes(next.certificate->der())}, {to_bytes(ca().ra_root.certificate.der())}}});
  const auto conf = [&] {
    return with_mac(ra(), cert_conf(certificate_in(answer)), following(answer));
  };
  EXPECT_TRUE(must(OwnRenewalTable(ra().reader->connection()).is_needed(former->key_identifier)));
  ra().identity->former.push_back(former);
  EXPECT_EQ(body_name(ra().through(conf()).body), "pkiconf");
  EXPECT_FALSE(must(OwnRenewalTable(ra().reader->connection()).is_needed(former->key_identifier)));
  // What begins is under the present one.
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(Credential()))), IsEmpty());
  EXPECT_THAT(verify_signature_protection(read(ra().up.at(0)), next.key.public_key()), IsOk());
}

}  // namespace
}  // namespace cmpost
