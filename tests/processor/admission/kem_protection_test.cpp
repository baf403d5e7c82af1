// Protection under keys that two key pairs agree on: DHBasedMac and KemBasedMac.
#include "processor/admission/kem_protection.h"

#include "cmp/kem_ciphertext_info.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

struct DhTest : ::testing::TestWithParam<const char*> {
  DhTest()
      : own(GetParam(), ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca),
        peer(GetParam(), ca.vendor, "CN=serial 1", KeyUsageBit::keyAgreement, ca) {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  Bytes request(const AgreedParty& sender) {
    auto header = first_header(ca, sender.certificate.subject(),
                               *sender.certificate.subject_key_identifier(), {});
    return must(protect_with_mac(
        std::move(header), ir(Credential(), "CN=serial 1"), make_dhbm_parameter(),
        must(agree(sender.key, own.key.public_key())), {{to_bytes(sender.certificate.der())}}));
  }
  CaUnderTest ca;
  AgreedParty own, peer;
};

TEST_P(DhTest, RequestIsVerifiedAndTheAnswerIsMacedWithTheSameKey) {
  const auto answer = ca.ask(request(peer));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::dh_based_mac);
  EXPECT_TRUE(
      verify_mac_protection(answer, must(agree(peer.key, own.key.public_key())), {}).has_value());
  EXPECT_EQ(answer.header.sender, GeneralName::of(own.certificate.subject()));
}

TEST_P(DhTest, ForgedMacAndUntrustedCertificateAreRefused) {
  auto forged = decode(request(peer));
  forged->protection->bits[0] ^= 1;
  EXPECT_THAT(ca.ask(encode(*forged)), Refuses("error", PKIFailureInfo::badMessageCheck));
  const OtherRoot stranger("CN=Stranger", ca.clock.now(), ca.random);
  const AgreedParty unknown(GetParam(), stranger, "CN=serial 1", KeyUsageBit::keyAgreement, ca);
  EXPECT_THAT(ca.ask(request(unknown)), Refuses("error", PKIFailureInfo::signerNotTrusted));
}
INSTANTIATE_TEST_SUITE_P(DhProtection, DhTest, ::testing::Values("ec:P-256", "x25519", "x448"));

TEST(DhProtectionWithoutKey, IsBadAlg) {
  CaUnderTest ca;
  const AgreedParty peer("x25519", ca.vendor, "CN=serial 1", KeyUsageBit::keyAgreement, ca);
  auto header =
      first_header(ca, peer.certificate.subject(), *peer.certificate.subject_key_identifier(), {});
  EXPECT_THAT(
      ca.ask(must(protect_with_mac(std::move(header), ir(Credential()), make_dhbm_parameter(),
                                   Bytes(32), {{to_bytes(peer.certificate.der())}}))),
      Refuses("error", PKIFailureInfo::badAlg));
}

struct KemTest : ::testing::Test {
  PKIHeader header(const MessageOptions& options = {}) {
    return first_header(ca, peer.certificate.subject(), *peer.certificate.subject_key_identifier(),
                        options);
  }
  std::vector<CMPCertificate> chain() const { return {{to_bytes(peer.certificate.der())}}; }
  Bytes asking(const MessageOptions& options = {}) {
    auto first = header(options);
    first.generalInfo.clear();
    return leave_unprotected(std::move(first), body::genm{{{oid::id_it_KemCiphertextInfo, {}}}},
                             chain());
  }
  static KemCiphertextInfo ciphertext_in(const PKIMessage& answer) {
    return read_kem_ciphertext_info(*std::get<body::genp>(answer.body).items.at(0).infoValue)
        .value();
  }
  Bytes secret_in(const PKIMessage& answer) const {
    const auto info = ciphertext_in(answer);
    return must(decapsulate(peer.key, info.kem, info.ct));
  }
  static MessageOptions same_tid(const PKIMessage& answer) {
    return {.edit = [answer](PKIHeader& header) {
      header.transactionID = answer.header.transactionID;
      header.recipNonce = answer.header.senderNonce;
    }};
  }
  Bytes request(const Bytes& secret, const PKIBody& body, const MessageOptions& options) {
    return must(protect_with_mac(header(options), body, make_kem_parameter(), secret, chain()));
  }
  // Our own KEM key, for the answers.
  void give_the_ca_a_kem_key() {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  // A request under the shared secret `dev1` that brings `ciphertext`.
  Bytes bringing(const Encapsulated& made, const std::optional<Bytes>& tid = {}) {
    return with_mac(
        ca, ir(Credential()), {.edit = [&](PKIHeader& h) {
          h.generalInfo.push_back(
              {oid::id_it_KemCiphertextInfo, encode(KemCiphertextInfo{made.kem, made.ciphertext})});
          if (tid) h.transactionID = *tid;
        }});
  }

  CaUnderTest ca;
  AgreedParty peer{"rsa:2048", ca.vendor, "CN=serial 1", KeyUsageBit::keyEncipherment, ca};
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA KEM", KeyUsageBit::keyEncipherment, ca};
};

TEST_F(KemTest, RequesterWithAKemKeyGetsACiphertextAndThenACertificate) {
  ca.configure("confirm = \"wait\"\n");
  const auto given = ca.ask(asking());
  EXPECT_EQ(protection_kind(given), ProtectionKind::none);
  const auto secret = secret_in(given);
  const auto answer = ca.ask(request(secret, ir(Credential(), "CN=serial 1"), same_tid(given)));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::signature);
  const auto end = ca.ask(request(secret, cert_conf(certificate_in(answer)), following(answer)));
  EXPECT_EQ(body_name(end.body), "pkiconf");
}

TEST_F(KemTest, SameGenmAgainGivesTheSameCiphertext) {
  const auto genm = asking();
  const auto first = ca.ask(genm);
  ca.open();  // as after a restart
  EXPECT_EQ(ciphertext_in(ca.ask(genm)).ct, ciphertext_in(first).ct);
  EXPECT_NE(ciphertext_in(ca.ask(asking())).ct, ciphertext_in(first).ct);
}

TEST_F(KemTest, GenmOfAStrangerLeavesNothingBehindAndPushesNobodyOut) {
  const auto given = ca.ask(asking());
  for (int i = 0; i < 20; ++i) ca.ask(asking());  // anybody may, with a certificate that is public
  EXPECT_EQ(rows_of(ca, "kem_secret"), 0);
  EXPECT_EQ(rows_of(ca, "tx"), 0);
  const auto answer =
      ca.ask(request(secret_in(given), ir(Credential(), "CN=serial 1"), same_tid(given)));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST_F(KemTest, CiphertextOfAnEarlierVersionStillCounts) {
  const auto made = must(encapsulate(peer.key.public_key()));
  const auto tid = ca.random.bytes(16);
  KemSecret kept;
  kept.transactionID = tid;
  kept.ciphertext = sha256(made.ciphertext);
  kept.credential = "kem:" + to_hex(peer.certificate.fingerprint());
  kept.sealed = must(ca.sealing_key.seal(made.shared_secret, kem_secret_context(tid), ca.random));
  kept.at = ca.clock.now();
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(KemSecrets(writer.connection()).add(kept, Time::min()));
    return {};
  }));
  const MessageOptions in_it{.edit = [&](PKIHeader& header) { header.transactionID = tid; }};
  EXPECT_EQ(
      status_in(ca.ask(request(made.shared_secret, ir(Credential(), "CN=serial 1"), in_it))).status,
      PKIStatus::accepted);
}

TEST_F(KemTest, SecretIsOfNoUseInAnotherTransaction) {
  const auto given = ca.ask(asking());
  const auto other = request(secret_in(given), ir(Credential(), "CN=serial 1"), {});
  EXPECT_THAT(ca.ask(other), Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST_F(KemTest, WrongMacAndUntrustedKeyAreRefused) {
  const auto given = ca.ask(asking());
  EXPECT_THAT(ca.ask(request(Bytes(32), ir(Credential(), "CN=serial 1"), same_tid(given))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  const OtherRoot stranger("CN=Stranger", ca.clock.now(), ca.random);
  peer = AgreedParty("rsa:2048", stranger, "CN=x", KeyUsageBit::keyEncipherment, ca);
  EXPECT_THAT(ca.ask(asking()), Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST_F(KemTest, OurKemKeyMacsTheAnswersOfTheWholeTransaction) {
  ca.configure("confirm = \"wait\"\n");
  give_the_ca_a_kem_key();
  const auto made = must(encapsulate(own.key.public_key()));
  const auto answer = ca.ask(bringing(made));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::kem_based_mac);
  EXPECT_TRUE(verify_mac_protection(answer, made.shared_secret, {}).has_value());
  const auto end = ca.ask(with_mac(ca, cert_conf(certificate_in(answer)), following(answer)));
  EXPECT_EQ(body_name(end.body), "pkiconf");
  EXPECT_TRUE(verify_mac_protection(end, made.shared_secret, {}).has_value());
}

TEST_F(KemTest, CiphertextIsNotTakenForASecondTransaction) {
  give_the_ca_a_kem_key();
  const auto made = must(encapsulate(own.key.public_key()));
  ca.ask(bringing(made));
  EXPECT_THAT(ca.ask(bringing(made)), Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST_F(KemTest, CiphertextThatCannotBeOpenedIsABadMessageCheck) {
  give_the_ca_a_kem_key();
  auto made = must(encapsulate(own.key.public_key()));
  made.ciphertext.pop_back();
  EXPECT_THAT(ca.ask(bringing(made)), Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST_F(KemTest, ChannelThatAnswersByKemAloneShowsItsKeyToWhoDoesNotKnowIt) {
  ca.configure("answer = \"kem\"\n");
  give_the_ca_a_kem_key();
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::wrongIntegrity));
  EXPECT_EQ(protection_kind(answer), ProtectionKind::none);
  ASSERT_FALSE(answer.extraCerts.empty());
  EXPECT_TRUE(equal(answer.extraCerts[0].der, own.certificate.der()));
  EXPECT_EQ(ca.certificates(), 0);
  const auto made = must(encapsulate(own.key.public_key()));
  EXPECT_EQ(status_in(ca.ask(bringing(made))).status, PKIStatus::accepted);
}

}  // namespace
}  // namespace cmpost
