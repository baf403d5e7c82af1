// Every way to protect a message, and what is refused.
#include "cmp/kem_ciphertext_info.h"
#include "crypto/x509/revocation_list.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

constexpr const char* kAllMethods =
    "protection = [\"rsa\", \"rsa-pss\", \"ecdsa\", \"ed25519\", \"ed448\", \"pbm\", \"pbmac1\", "
    "\"hmac\", \"kmac\", \"gmac\", \"dh\", \"kem\"]\n";
constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";  // 32 octets

void add_key(CaUnderTest& ca, std::string_view reference, std::string_view value) {
  Secret secret;
  secret.reference = reference;
  secret.value = to_bytes(value);
  ca.add(secret);
}

Bytes with_parameters(CaUnderTest& ca, const MacParameters& parameters, ByteView secret,
                      std::string_view reference = "dev1") {
  auto header = first_header(ca, name("CN=dev1"), to_bytes(reference), {});
  return must(protect_with_mac(std::move(header), ir(Credential()), parameters, secret, {}));
}

MacParameters bare(const Oid& oid, std::string_view parameters = {}) {
  AlgorithmIdentifier algorithm{oid, {}};
  if (!parameters.empty()) algorithm.parameters = *from_hex(parameters);
  return must(mac_parameters(algorithm, {}));
}

TEST(MacProtection, Pbmac1IsAnsweredWithPbmac1AndAFreshSalt) {
  CaUnderTest ca;
  const auto request =
      with_parameters(ca, make_pbmac1_parameter(ca.random, 1000), view_of(CaUnderTest::kSecret));
  const auto answer = ca.ask(request);
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::pbmac1);
  EXPECT_TRUE(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}).has_value());
  EXPECT_NE(answer.header.protectionAlg, decode(request)->header.protectionAlg);
}

TEST(MacProtection, Pbmac1WithAnotherSecretIsABadMessageCheck) {
  CaUnderTest ca;
  EXPECT_THAT(ca.ask(with_parameters(ca, make_pbmac1_parameter(ca.random, 1000), view_of("x"))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(MacProtection, BareMacsWorkWithARegisteredKeyWhereTheyAreAllowed) {
  CaUnderTest ca(kAllMethods);
  add_key(ca, "key", kKey);
  const std::vector<MacParameters> all = {
      bare(oid::id_hmacWithSHA1),
      bare(oid::id_hmacWithSHA256),
      bare(oid::id_hmacWithSHA512),
      bare(oid::id_hmacWithSHA3_256),
      bare(oid::id_KMACWithSHAKE128),
      bare(oid::id_KMACWithSHAKE256),
      bare(oid::id_aes256_GMAC, "300e040c000102030405060708090a0b")};
  for (const auto& parameters : all) {
    SCOPED_TRACE(to_algorithm(parameters).algorithm.name());
    const auto answer = ca.ask(with_parameters(ca, parameters, view_of(kKey), "key"));
    EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
    EXPECT_TRUE(verify_mac_protection(answer, view_of(kKey), {}).has_value());
    EXPECT_EQ(answer.header.protectionAlg->algorithm, to_algorithm(parameters).algorithm);
    auto wrong = decode(with_parameters(ca, parameters, view_of(kKey), "key"));
    wrong->protection->bits[0] ^= 1;
    EXPECT_THAT(ca.ask(encode(*wrong)), Refuses("error", PKIFailureInfo::badMessageCheck));
  }
}

TEST(MacProtection, GmacAnswerHasANonceOfItsOwn) {
  CaUnderTest ca(kAllMethods);
  add_key(ca, "key", kKey);
  const auto gmac = bare(oid::id_aes256_GMAC, "300e040c000102030405060708090a0b");
  const auto answer = ca.ask(with_parameters(ca, gmac, view_of(kKey), "key"));
  EXPECT_NE(answer.header.protectionAlg, to_algorithm(gmac));
  EXPECT_TRUE(verify_mac_protection(answer, view_of(kKey), {}).has_value());
}

TEST(MacProtection, BareMacUnderAShortSecretIsRefused) {
  CaUnderTest ca(kAllMethods);
  add_key(ca, "short", "fifteen octets!");
  EXPECT_THAT(ca.ask(with_parameters(ca, bare(oid::id_hmacWithSHA256), view_of("fifteen octets!"),
                                     "short")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(MacProtection, MethodsThatTheChannelDoesNotNameAreBadAlg) {
  CaUnderTest usual;
  add_key(usual, "key", kKey);
  EXPECT_THAT(usual.ask(with_parameters(usual, bare(oid::id_hmacWithSHA256), view_of(kKey), "key")),
              Refuses("error", PKIFailureInfo::badAlg));
  CaUnderTest signatures("protection = [\"ecdsa\"]\n");
  EXPECT_THAT(signatures.ask(with_mac(signatures, ir(Credential()))),
              Refuses("error", PKIFailureInfo::badAlg));
  CaUnderTest macs("protection = [\"pbm\"]\n");
  EXPECT_THAT(macs.ask(signed_by(macs, enrolled(macs), ir(Credential()))),
              Refuses("error", PKIFailureInfo::badAlg));
}

TEST(MacProtection, IterationsOfPbmac1BeyondTheLimitAreRefusedBeforeTheyAreDone) {
  CaUnderTest ca;
  auto parameter = make_pbmac1_parameter(ca.random, 1000);
  parameter.kdf.iterationCount = 1'000'000'000;
  auto header = first_header(ca, name("CN=dev1"), to_bytes(std::string_view("dev1")), {});
  header.protectionAlg = to_algorithm(parameter);
  const auto part = encode_protected_part(header, ir(Credential()));
  EXPECT_THAT(ca.ask(encode(part, Protection{Bytes(32), 0}, {})),
              Refuses("error", PKIFailureInfo::badAlg));
}

TEST(MacProtection, AnotherKindOfMacDoesNotGoOnWithTheTransaction) {
  CaUnderTest ca("confirm = \"wait\"\n");
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  auto header =
      first_header(ca, name("CN=dev1"), to_bytes(std::string_view("dev1")), following(answer));
  const auto other = must(protect_with_mac(header, cert_conf(certificate_in(answer)),
                                           make_pbmac1_parameter(ca.random, 1000),
                                           view_of(CaUnderTest::kSecret), {}));
  EXPECT_THAT(ca.ask(other), Refuses("error", PKIFailureInfo::badMessageCheck));
  const auto same = ca.ask(with_mac(ca, cert_conf(certificate_in(answer)), following(answer)));
  EXPECT_EQ(body_name(same.body), "pkiconf");
}

//

TEST(SecretLock, StopsWhoGuessesAndNobodyElse) {
  CaUnderTest ca("mac = { lock_after = 3 }\n");
  const auto arrives_from = [&](const char* peer, std::string_view secret) {
    auto lease = ca.arrival(with_mac(ca, ir(Credential()), {}, secret));
    lease.job.envelope.reply.address = peer;
    const auto decision = must(respond(lease, *ca.reader, ca.services()));
    EXPECT_TRUE(ca.commit(decision));
    return *decode(std::get<Decision::Reply>(decision.what).job.payload);
  };
  for (int i = 0; i < 3; ++i) arrives_from("stranger@a.example", "guess");
  EXPECT_THAT(arrives_from("stranger@a.example", CaUnderTest::kSecret),
              Refuses("error", PKIFailureInfo::badMessageCheck))
      << "the right secret, found too late";
  EXPECT_EQ(status_in(arrives_from("dev1@b.example", CaUnderTest::kSecret)).status,
            PKIStatus::accepted);
  ca.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(status_in(arrives_from("stranger@a.example", CaUnderTest::kSecret)).status,
            PKIStatus::accepted);
}

TEST(SecretLock, ManyStrangersTogetherAreStoppedUntilAnOperatorUnlocks) {
  CaUnderTest ca("mac = { lock_after = 3, lock_after_all = 4 }\n");
  for (int i = 0; i < 6; ++i) {
    auto lease = ca.arrival(with_mac(ca, ir(Credential()), {}, "guess"));
    lease.job.envelope.reply.address = std::to_string(i);
    EXPECT_TRUE(ca.commit(must(respond(lease, *ca.reader, ca.services()))));
  }
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  must(ca.ledger->write([](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(const auto forgotten, SecretLock(writer.connection()).unlock("dev1"));
    EXPECT_EQ(forgotten, 4) << "what comes after the limit is not counted";
    return {};
  }));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, SameWrongMessageAgainCountsOnce) {
  CaUnderTest ca("mac = { lock_after = 2 }\n");
  const auto wrong = with_mac(ca, ir(Credential()), {}, "guess");
  for (int i = 0; i < 5; ++i) ca.ask(wrong);
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, WhereAllShareOnePeerAFewWrongMacsLockNobodyOut) {
  CaUnderTest ca("mac = { lock_after = 3 }\n");
  for (int i = 0; i < 20; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess"));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, SecretThatIsNoPasswordIsAlwaysBelieved) {
  CaUnderTest ca("mac = { lock_after = 3, lock_after_all = 4 }\n");
  Secret key;
  key.reference = "key";
  key.value = to_bytes(kKey);
  key.is_key = true;
  key.channels.any = true;
  ca.add(key);
  for (int i = 0; i < 10; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess", "key"));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential()), {}, kKey, "key"))).status,
            PKIStatus::accepted);
  EXPECT_EQ(must(SecretLock(ca.reader->connection()).failures("key", Time::min())), 4)
      << "what an operator sees is bounded";
}

TEST(SecretLock, WhatSomebodyTypedMayBeAPasswordHoweverLong) {
  constexpr std::string_view kPhrase = "four score and seven years ago our fathers";
  CaUnderTest ca("mac = { lock_after_all = 4 }\n");
  add_key(ca, "phrase", kPhrase);
  for (int i = 0; i < 5; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess", "phrase"));
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()), {}, kPhrase, "phrase")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(SecretLock, WhereNothingLocksFailuresAreStillBounded) {
  CaUnderTest ca;
  MacSettings never;
  never.lock_after = never.lock_after_all = 0;
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    SecretLock lock(writer.connection());
    for (std::uint8_t i = 0; i < 250; ++i) {
      for (std::uint8_t j = 0; j < 4; ++j) {
        SecretFailure failure{"dev1", "drop", "", {}, ca.clock.now()};
        failure.message = {i, j};
        TRY(lock.count(failure, Time::min()));
      }
    }
    ASSIGN_OR_RETURN(const auto state, lock.state("dev1", "drop", "", never, ca.clock.now()));
    EXPECT_EQ(state, SecretLock::State::full);
    return {};
  }));
}

// What strangers send leaves little behind.

std::int64_t rows_of(CaUnderTest& ca, const std::string& table) {
  auto* const rows = must(ca.reader->connection().statement("SELECT count(*) FROM " + table));
  EXPECT_TRUE(must(rows->step()));
  const auto count = rows->integer(0);
  rows->reset();
  return count;
}

TEST(Strangers, AuditRecordsOfAnHourAreBoundedAndTheRestIsCounted) {
  CaUnderTest ca;
  const auto before = rows_of(ca, "audit");
  const auto send = [&](int count) {
    Effects effects;
    effects.audit.push_back({"message.answered", "{}", "drop"});
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      for (int i = 0; i < count; ++i) TRY(apply(effects, writer, ca.clock.now()));
      return {};
    }));
  };
  send(1005);
  EXPECT_EQ(rows_of(ca, "audit") - before, StrangerCount::kRecordedAnHour);
  ca.clock.advance(std::chrono::hours(1));
  send(1);
  const auto all = must(audit_records(ca.reader->connection(), before + 1000, 10));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].event, "message.not_recorded");
  EXPECT_THAT(all[0].detail, ::testing::HasSubstr("\"count\":\"5\""));
}

TEST(Strangers, OnlyWhatNobodyProvesToHaveSentIsOfAStranger) {
  CaUnderTest ca;
  const auto wrong = ca.decide(with_mac(ca, ir(Credential()), {}, "guess"));
  EXPECT_EQ(wrong.effects.audit.back().stranger_on, "drop");
  const auto right = ca.decide(with_mac(ca, ir(Credential())));
  EXPECT_EQ(right.effects.audit.back().stranger_on, "");
}

//

Bytes crl_of(const OtherRoot& root, const Certificate& revoked, Time now) {
  TBSCertList list;
  list.issuer = root.certificate.subject();
  list.thisUpdate = now;
  list.nextUpdate = now + std::chrono::hours(24);
  list.revokedCertificates.push_back({to_bytes(revoked.serial_number()), now, {}, {}});
  list.authorityKeyIdentifier = root.credential.key.public_key().key_identifier();
  return must(sign_crl(list, root.credential.signer));
}

TEST(SignerRevocation, VendorsCrlIsHeeded) {
  CaUnderTest ca;
  Credential good, bad;
  ca.vendor.certify(good, "CN=serial 1", ca.clock.now(), ca.random);
  ca.vendor.certify(bad, "CN=serial 2", ca.clock.now(), ca.random);
  must(write_file(ca.directory / "vendor.crl", crl_of(ca.vendor, *bad.certificate, ca.clock.now()),
                  0644, IfExists::fail));
  ca.configure("crls = [\"vendor.crl\"]\n");
  EXPECT_THAT(ca.ask(signed_by(ca, bad, ir(Credential(), "CN=serial 2"))),
              Refuses("error", PKIFailureInfo::certRevoked));
  EXPECT_EQ(status_in(ca.ask(signed_by(ca, good, ir(Credential(), "CN=serial 1")))).status,
            PKIStatus::accepted);
}

TEST(SignerRevocation, ChangedCrlIsReadAndAForeignOneIsWorthNothing) {
  CaUnderTest ca;
  Credential device;
  ca.vendor.certify(device, "CN=serial 1", ca.clock.now(), ca.random);
  OtherRoot impostor("CN=Vendor", ca.clock.now(), ca.random);
  const auto write = [&](const OtherRoot& by) {
    must(write_file(ca.directory / "vendor.crl", crl_of(by, *device.certificate, ca.clock.now()),
                    0644, IfExists::replace));
  };
  const auto ask = [&] { return ca.ask(signed_by(ca, device, ir(Credential(), "CN=serial 1"))); };
  write(impostor);
  ca.configure("crls = [\"vendor.crl\"]\n");
  EXPECT_EQ(status_in(ask()).status, PKIStatus::accepted);
  write(ca.vendor);
  ca.clock.advance(std::chrono::minutes(2));
  EXPECT_THAT(ask(), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST(SignerRevocation, DeltaCrlIsNotTakenForACompleteOne) {
  TBSCertList list;
  list.issuer = name("CN=Vendor");
  list.crlNumber = 2;
  list.baseCRLNumber = 1;
  EXPECT_THAT(RevocationList::from_der(must(sign_crl(list, Credential().signer))),
              Fails(::testing::HasSubstr("delta CRL")));
}

//

struct DhTest : ::testing::TestWithParam<const char*> {
  DhTest()
      : own(GetParam(), ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca),
        peer(GetParam(), ca.vendor, "CN=serial 1", KeyUsageBit::keyAgreement, ca) {
    ca.authority->protocol_keys.push_back(own.protocol_key());
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
  void give_the_ca_a_kem_key() { ca.authority->protocol_keys.push_back(own.protocol_key()); }
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
