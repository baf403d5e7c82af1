// Keys that cannot sign: how their possession is proven, and keys that the CA makes.
#include "processor/timers.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

using Later = POPOPrivKey::SubsequentMessage;

// A CA whose profile issues for keys of all kinds.
struct AnyKey : ::testing::Test {
  explicit AnyKey(const std::string& settings = "") : ca(settings) {
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                {KeyRule::Kind::rsa, "", 2048, 4096},
                {KeyRule::Kind::ed25519, "", 0, 0},
                {KeyRule::Kind::x25519, "", 0, 0},
                {KeyRule::Kind::x448, "", 0, 0}};
    any.key_usage = {};
    offer(any);
  }
  // The profile for who names none.
  void offer(const ProfileSettings& profile) {
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(profile)));
  }
  PKIMessage enrol(CertReqMsg message, const MessageOptions& options = pvno3()) {
    return ca.ask(with_mac(ca, body::ir{{std::move(message)}}, options));
  }
  CaUnderTest ca;
};

struct EncrCert : AnyKey, ::testing::WithParamInterface<const char*> {};

TEST_P(EncrCert, CertificateIsForTheHolderOfTheKeyAloneAndCountsOnceConfirmed) {
  const auto key = test_key(GetParam());
  const auto answer = enrol(request_for(key.public_key(), "CN=dev1",
                                        [](const CertRequest&) { return later(Later::encrCert); }));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(find(answer.header.generalInfo, oid::id_it_implicitConfirm), nullptr)
      << "asked for, and not granted (R-102)";
  const auto& encrypted = std::get<EncryptedKey>(key_pair_in(answer).certOrEncCert.choice);
  const auto opened = must(open_envelope(enveloped_in(encrypted), key));
  const auto certificate = must(Certificate::from_der(opened.content));
  EXPECT_TRUE(equal(certificate.spki(), key.public_key().spki()));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  const auto end = ca.ask(with_mac(ca, cert_conf(certificate), pvno3(following(answer))));
  EXPECT_EQ(body_name(end.body), "pkiconf");
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST_P(EncrCert, WrongHashWithdrawsTheCertificate) {
  const auto key = test_key(GetParam());
  const auto answer = enrol(request_for(key.public_key(), "CN=dev1",
                                        [](const CertRequest&) { return later(Later::encrCert); }));
  CertStatus guess;
  guess.certHash = Bytes(32);
  const auto end = ca.ask(with_mac(ca, body::certConf{{guess}}, pvno3(following(answer))));
  EXPECT_THAT(end, Refuses("error", PKIFailureInfo::badCertId));
}

TEST_P(EncrCert, SilenceThatIsAcceptanceElsewhereProvesNothing) {
  auto& settings = ca.channels.at("drop").settings;
  settings.unconfirmed = UnconfirmedRule::keep;
  settings.confirm_within = std::chrono::hours(1);
  const auto key = test_key(GetParam());
  const auto answer = enrol(request_for(key.public_key(), "CN=dev1",
                                        [](const CertRequest&) { return later(Later::encrCert); }));
  const auto& encrypted = std::get<EncryptedKey>(key_pair_in(answer).certOrEncCert.choice);
  const auto opened = must(open_envelope(enveloped_in(encrypted), key));
  const auto certificate = must(Certificate::from_der(opened.content));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::unconfirmed);
  must(run_timers(*ca.spool, *ca.ledger, ca.services()));
  ca.clock.advance(std::chrono::hours(2));
  must(run_timers(*ca.spool, *ca.ledger, ca.services()));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::revoked);
}
INSTANTIATE_TEST_SUITE_P(PossessionBy, EncrCert,
                         ::testing::Values("rsa:2048", "ec:P-256", "x25519", "x448"));

struct ProofByKey : AnyKey {};

TEST_F(ProofByKey, CertificateForAKeyThatOnlySignsIsNotEncrypted) {
  const Credential signs("ed25519");
  EXPECT_THAT(enrol(request_for(signs.key.public_key(), "CN=dev1",
                                [](const CertRequest&) { return later(Later::encrCert); })),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(ProofByKey, RsaKeyHasNoPlaceInTheChoiceKeyAgreement) {
  const auto key = test_key("rsa:2048");
  EXPECT_THAT(enrol(request_for(key.public_key(), "CN=dev1",
                                [](const CertRequest&) { return later(Later::encrCert, true); })),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(ProofByKey, EncryptedValueIsASwitchForOldRequesters) {
  const auto key = test_key("rsa:2048");
  const auto message = request_for(key.public_key(), "CN=dev1",
                                   [](const CertRequest&) { return later(Later::encrCert); });
  EXPECT_THAT(enrol(message, {}), Refuses("ip", PKIFailureInfo::badPOP));
  ca.configure("encrypted_value = true\n");
  const auto answer = enrol(message, {});
  EXPECT_EQ(answer.header.pvno, kCmp2000);
  const auto& encrypted = std::get<EncryptedKey>(key_pair_in(answer).certOrEncCert.choice);
  EXPECT_EQ(encrypted.kind, EncryptedKey::Kind::encryptedValue);
}

TEST_F(ProofByKey, DeprecatedProofsAreRefused) {
  const auto key = must(PrivateKey::generate("x25519"));
  const auto with = [&](const auto& choice) {
    return enrol(request_for(key.public_key(), "CN=dev1",
                             [&](const CertRequest&) { return KeyAgreement{{choice}}; }));
  };
  EXPECT_THAT(with(POPOPrivKey::ThisMessage{{Bytes(8), 0}}), Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_THAT(with(POPOPrivKey::DhMAC{{Bytes(8), 0}}), Refuses("ip", PKIFailureInfo::badPOP));
}

//
struct AgreeMac : AnyKey, ::testing::WithParamInterface<const char*> {};

TEST_P(AgreeMac, IsVerifiedWithOurKeyOfTheSameKind) {
  const AgreedParty own(GetParam(), ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca);
  ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  const auto key = test_key(GetParam());
  const auto asking = [&](std::uint8_t flip) {
    return request_for(key.public_key(), "CN=dev1", [&](const CertRequest& wanted) {
      const MacParameters dh = make_dhbm_parameter();
      auto mac = must(compute_mac(dh, must(agree(key, own.key.public_key())), Bytes(), wanted.der));
      mac[0] ^= flip;
      return KeyAgreement{{PKMACValue{to_algorithm(dh), mac, 0}}};
    });
  };
  EXPECT_EQ(status_in(enrol(asking(0))).status, PKIStatus::accepted);
  EXPECT_THAT(enrol(asking(1)), Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_THAT(enrol(asking(0), {}), Refuses("ip", PKIFailureInfo::badPOP)) << "pvno 2";
}
INSTANTIATE_TEST_SUITE_P(PossessionBy, AgreeMac, ::testing::Values("ec:P-256", "x25519", "x448"));

//
struct GivenKey : AnyKey {
  GivenKey() : AnyKey("archive = true\n") {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  CertReqMsg giving(const PrivateKey& wanted, const PrivateKey& given,
                    std::string_view owner = "CN=dev1") {
    return request_for(wanted.public_key(), "CN=dev1", [&](const CertRequest&) {
      const auto with_id = must(encode(EncKeyWithID{given, GeneralName::of(name(owner))}));
      auto sealed = must(envelop(with_id, oid::id_ct_encKeyWithID,
                                 must(recipient_of(own.certificate)), ca.random));
      sealed[0] = der::context_constructed(4);
      return KeyEncipherment{{POPOPrivKey::EncryptedKey{sealed}}};
    });
  }
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  PrivateKey key = must(PrivateKey::generate("x25519"));
};

TEST_F(GivenKey, ProvesPossessionAndIsKeptSealed) {
  const auto certificate = certificate_in(enrol(giving(key, key)));
  const auto kept =
      must(KeyArchive(ca.reader->connection()).find(certificate.serial_number(), ca.sealing_key));
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(equal(kept->public_key().spki(), key.public_key().spki()));
  const auto other_key = SealingKey::generate(ca.random);
  EXPECT_FALSE(
      KeyArchive(ca.reader->connection()).find(certificate.serial_number(), other_key).has_value());
}

TEST_F(GivenKey, OfAnotherPairOrForSomebodyElseIsABadPop) {
  EXPECT_THAT(enrol(giving(key, must(PrivateKey::generate("x25519")))),
              Refuses("ip", PKIFailureInfo::badPOP));
  EXPECT_THAT(enrol(giving(key, key, "CN=somebody")), Refuses("ip", PKIFailureInfo::badPOP));
}

TEST_F(GivenKey, IsABadRequestWhereNothingIsArchived) {
  ca.configure("");
  EXPECT_THAT(enrol(giving(key, key)), Refuses("ip", PKIFailureInfo::badRequest));
}

//
struct RequestControls : AnyKey {
  PKIMessage enrol_with(const Oid& type, const Bytes& value) {
    const Credential device;
    CertReqMsg message;
    message.certReq.certTemplate.subject = name("CN=dev1");
    message.certReq.certTemplate.publicKey = spki_of(device.key.public_key());
    message.certReq.controls = Controls{{type, value}};
    message.certReq.der = encode(message.certReq);
    POPOSigningKey popo;
    popo.algorithmIdentifier = device.signer.algorithm();
    popo.signature = must(device.signer.sign(message.certReq.der));
    message.popo = std::move(popo);
    return enrol(std::move(message));
  }
  static Bytes utf8(std::string_view text) {
    der::Writer writer;
    writer.utf8_string(text);
    return std::move(writer).take();
  }
  void add_token(SecretPurpose purpose, std::optional<std::int64_t> uses) {
    Secret secret;
    secret.purpose = purpose;
    secret.reference = "dev1";
    secret.value = to_bytes(std::string_view("mother's maiden name"));
    secret.max_uses = uses;
    ca.add(secret);
  }
};

TEST_F(RequestControls, RegTokenIsGoodOnce) {
  add_token(SecretPurpose::regToken, 1);
  EXPECT_THAT(enrol_with(oid::id_regCtrl_regToken, utf8("guess")),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_EQ(status_in(enrol_with(oid::id_regCtrl_regToken, utf8("mother's maiden name"))).status,
            PKIStatus::accepted);
  EXPECT_THAT(enrol_with(oid::id_regCtrl_regToken, utf8("mother's maiden name")),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RequestControls, AuthenticatorIsGoodForLong) {
  add_token(SecretPurpose::authenticator, {});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        status_in(enrol_with(oid::id_regCtrl_authenticator, utf8("mother's maiden name"))).status,
        PKIStatus::accepted);
  }
  EXPECT_THAT(enrol_with(oid::id_regCtrl_authenticator, utf8("guess")),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(RequestControls, ContradictionsAreRefused) {
  const auto hex = [](std::string_view digits) { return *from_hex(digits); };
  EXPECT_EQ(status_in(enrol_with(oid::id_regCtrl_pkiPublicationInfo, hex("3003020100"))).status,
            PKIStatus::accepted);
  EXPECT_THAT(enrol_with(oid::id_regCtrl_pkiPublicationInfo, hex("300a02010030053003020100")),
              Refuses("ip", PKIFailureInfo::badRequest));
  EXPECT_THAT(enrol_with(oid::id_regCtrl_pkiPublicationInfo, hex("0500")),
              Refuses("ip", PKIFailureInfo::badDataFormat));
  EXPECT_THAT(enrol_with(oid::id_regCtrl_protocolEncrKey, hex("3000")),
              Refuses("ip", PKIFailureInfo::badDataFormat));
  EXPECT_THAT(enrol_with(oid::id_regCtrl_pkiArchiveOptions, hex("8201ff")),
              Refuses("ip", PKIFailureInfo::badRequest));
  EXPECT_THAT(enrol_with(oid::id_regCtrl_altCertTemplate, hex("3000")),
              Refuses("ip", PKIFailureInfo::badRequest));
}

//
struct KeyGeneration : AnyKey {
  static constexpr std::string_view kLong = "a shared secret of some length";
  PKIMessage enrol(const CertReqMsg& message, const MessageOptions& options = pvno3()) {
    return ca.ask(with_mac(ca, body::ir{{message}}, options, kLong, "long"));
  }
  KeyGeneration() {
    Secret secret;
    secret.reference = "long";
    secret.value = to_bytes(kLong);
    ca.add(secret);
    ca.authority->key_generator = key_generator_of(ca);
    ProfileSettings made;
    made.name = "made";
    made.generate = "ec:P-256";
    made.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}, {KeyRule::Kind::rsa, "", 2048, 4096}};
    offer(made);
  }
  static CertReqMsg asking(std::optional<SubjectPublicKeyInfo> wish = {}) {
    CertReqMsg message;
    message.certReq.certTemplate.subject = name("CN=dev1");
    message.certReq.certTemplate.publicKey = std::move(wish);
    message.certReq.der = encode(message.certReq);
    return message;
  }
  static SubjectPublicKeyInfo rsa_wish() {
    const auto der = *from_hex("3012300d06092a864886f70d0101010500030100");
    der::Reader reader(der);
    return read_spki(reader).value();
  }
};

TEST_F(KeyGeneration, KeyComesUnderTheSharedSecret) {
  const auto answer = enrol(asking());
  const auto certificate = certificate_in(answer);
  const auto sealed = enveloped_in(*key_pair_in(answer).privateKey);
  const auto key = delivered_key(must(open_envelope(sealed, view_of(kLong))));
  EXPECT_TRUE(equal(certificate.spki(), key.public_key().spki()));
}

TEST_F(KeyGeneration, WishForAKindOfKeyIsHeeded) {
  const auto answer = enrol(asking(rsa_wish()));
  EXPECT_EQ(must(certificate_in(answer).public_key()).description(), "rsa:3072");
}

TEST_F(KeyGeneration, KeyComesEncryptedToTheCertificateOfTheRequester) {
  for (const auto& [algorithm, usage] : {std::pair{"rsa:2048", KeyUsageBit::keyEncipherment},
                                         std::pair{"ec:P-256", KeyUsageBit::keyAgreement}}) {
    Credential device(algorithm);
    device.certificate = certified_by(ca.vendor, device.key.public_key(), "CN=serial 1",
                                      {KeyUsageBit::digitalSignature, usage}, ca);
    auto message = asking();
    message.certReq.certTemplate.subject = name("CN=serial 1");
    const auto answer = ca.ask(signed_by(ca, device, body::ir{{message}}, pvno3()));
    const auto sealed = enveloped_in(*key_pair_in(answer).privateKey);
    const auto key = delivered_key(must(open_envelope(sealed, device.key, *device.certificate)));
    EXPECT_TRUE(equal(certificate_in(answer).spki(), key.public_key().spki()));
  }
}

TEST_F(KeyGeneration, CertificateThatIsNotForEncryptionIsNotAuthorized) {
  Credential device("rsa:2048");
  device.certificate = certified_by(ca.vendor, device.key.public_key(), "CN=serial 1",
                                    {KeyUsageBit::digitalSignature}, ca);
  EXPECT_THAT(ca.ask(signed_by(ca, device, body::ir{{asking()}}, pvno3())),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(KeyGeneration, ShortSecretDoesNotProtectAKey) {
  Secret weak;
  weak.reference = "weak";
  weak.value = to_bytes(std::string_view("1234567890"));
  ca.add(weak);
  EXPECT_THAT(ca.ask(with_mac(ca, body::ir{{asking()}}, pvno3(), "1234567890", "weak")),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(KeyGeneration, LongSecretThatIsSimpleDoesNotProtectAKeyEither) {
  for (const std::string_view simple : {"0123456789012345678", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    Secret weak;
    weak.reference = simple.substr(0, 3);
    weak.value = to_bytes(simple);
    ca.add(weak);
    EXPECT_THAT(ca.ask(with_mac(ca, body::ir{{asking()}}, pvno3(), simple, weak.reference)),
                Refuses("ip", PKIFailureInfo::notAuthorized));
  }
}

TEST_F(KeyGeneration, ByMailKeysLeaveToRegisteredAddressesOnly) {
  auto& channel = ca.channels.at("drop").settings;
  channel.transport = MailSettings{};
  channel.mail()->registered = {{"*@site.example", "Answers@site.example"}};
  Bytes request;  // the first
  const auto answer_to = [&](const std::string& address) {
    const auto der = with_mac(ca, body::ir{{asking()}}, pvno3(), kLong, "long");
    if (request.empty()) request = der;
    auto lease = ca.arrival(der);
    lease.job.envelope.reply.address = address;
    const auto decision = must(respond(lease, *ca.reader, ca.services()));
    EXPECT_TRUE(ca.commit(decision));
    return *decode(std::get<Decision::Reply>(decision.what).job.payload);
  };
  EXPECT_EQ(status_in(answer_to("answers@site.example")).status, PKIStatus::accepted);
  EXPECT_THAT(answer_to("device@site.example"), Refuses("ip", PKIFailureInfo::notAuthorized));
  // The same octets from elsewhere get the stored answer, but for a private key in it.
  auto again = ca.arrival(request);
  again.job.envelope.reply.address = "device@site.example";
  const auto decision = must(respond(again, *ca.reader, ca.services()));
  EXPECT_THAT(*decode(std::get<Decision::Reply>(decision.what).job.payload),
              Refuses("error", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(answer_to(""), Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST(GuessingBits, TellPasswordsFromKeys) {
  EXPECT_EQ(guessing_bits({}), 0);
  EXPECT_EQ(guessing_bits(view_of("aaaaaaaa")), 0);
  EXPECT_LT(guessing_bits(view_of("correct horse")), 112);
  EXPECT_GT(guessing_bits(view_of("0f1e2d3c4b5a69788796a5b4c3d2e1f0")), 128);
  EXPECT_GE(guessing_bits(*from_hex("000102030405060708090a0b0c0d0eff")), 128);
}

TEST_F(KeyGeneration, NeedsTheNewVersionAProfileAndNoProof) {
  EXPECT_THAT(enrol(asking(), {}), Refuses("ip", PKIFailureInfo::badRequest));
  auto with_proof = asking();
  with_proof.popo = later(Later::encrCert);
  EXPECT_THAT(enrol(with_proof), Refuses("ip", PKIFailureInfo::badPOP));
  ca.configure("");
  EXPECT_THAT(enrol(asking()), Refuses("ip", PKIFailureInfo::badCertTemplate));
  ca.authority->key_generator.reset();
  EXPECT_THAT(enrol(asking()), Refuses("ip", PKIFailureInfo::badCertTemplate));
}

TEST_F(KeyGeneration, NoCopyOfTheKeyStaysHere) {
  const auto certificate = certificate_in(enrol(asking()));
  EXPECT_FALSE(
      must(KeyArchive(ca.reader->connection()).find(certificate.serial_number(), ca.sealing_key))
          .has_value());
}

}  // namespace
}  // namespace cmpost
