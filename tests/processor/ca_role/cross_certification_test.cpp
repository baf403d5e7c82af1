// Cross certificates for other CAs.
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

struct CrossTest : ::testing::Test {
  CrossTest() {
    signer.certificate = certified_by(ca.other_ca, signer.key.public_key(), "CN=Other CMP",
                                      {KeyUsageBit::digitalSignature}, ca);
    ProfileSettings cross;
    cross.name = "cross";
    cross.ca = true;
    cross.who = {RequesterKind::ca};
    cross.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}};
    cross.key_usage = {5, 6};
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(cross)));
  }
  void complete(CertTemplate& wanted) {
    const auto now = std::chrono::floor<std::chrono::seconds>(ca.clock.now());
    wanted.version = 2;
    wanted.signingAlg = ca.authority->issuer.signature_algorithm();
    wanted.issuer = name("CN=Test CA");
    wanted.validity = OptionalValidity{now, now + std::chrono::hours(24 * 30)};
  }
  // A request that is right but for `edit`.
  CertReqMsg cross(
      const std::function<void(CertTemplate&)>& edit = [](CertTemplate&) {},
      std::string_view subject = "CN=Other CA") {
    return cert_request(ca.other_ca.credential, subject, {.edit = [&](CertTemplate& wanted) {
                          complete(wanted);
                          edit(wanted);
                        }});
  }
  PKIMessage send(CertReqMessages messages) {
    return ca.talk(signed_by(ca, signer, body::ccr{std::move(messages)}, pvno3()));
  }
  Office ca{"waiting = \"always\"\n"};
  Credential signer;
};

TEST_F(CrossTest, CertificateIsMadeWhenSomebodyHasAgreed) {
  const auto told = send({cross()});
  ASSERT_EQ(body_name(told.body), "ccp");
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(ca.certificates(), 0);
  ca.open();
  EXPECT_EQ(ca.say(*told.header.transactionID, true), Decided::done);
  ca.work();
  const auto ccp = ca.talk(signed_by(ca, signer, poll_req(0), pvno3(following(told))));
  ASSERT_EQ(body_name(ccp.body), "ccp");
  const auto certificate = certificate_in(ccp);
  EXPECT_EQ(certificate.subject(), name("CN=Other CA"));
  EXPECT_TRUE(equal(certificate.spki(), ca.other_ca.credential.key.public_key().spki()));
  EXPECT_TRUE(certificate.allows(KeyUsageBit::keyCertSign));
  EXPECT_FALSE(cert_response(ccp.body)->caPubs);
}

TEST_F(CrossTest, WantedVersion1IsGrantedWithMods) {
  const auto told = send({cross([](CertTemplate& wanted) { wanted.version = 0; })});
  ca.say(*told.header.transactionID, true);
  ca.work();
  const auto ccp = ca.talk(signed_by(ca, signer, poll_req(0), pvno3(following(told))));
  EXPECT_EQ(status_in(ccp).status, PKIStatus::grantedWithMods);
}

TEST_F(CrossTest, EachMissingOrWrongFieldHasItsBit) {
  struct Fault {
    const char* what;
    PKIFailureInfo bit;
    std::function<void(CertTemplate&)> edit;
  };
  using enum PKIFailureInfo;
  const auto now = ca.clock.now();
  const std::vector<Fault> faults = {
      {"no version", badCertTemplate, [](auto& wanted) { wanted.version.reset(); }},
      {"v2", badCertTemplate, [](auto& wanted) { wanted.version = 1; }},
      {"a serialNumber", badCertTemplate, [](auto& wanted) { wanted.serialNumber = Bytes{1}; }},
      {"no signingAlg", badCertTemplate, [](auto& wanted) { wanted.signingAlg.reset(); }},
      {"another signingAlg", badAlg,
       [](auto& wanted) {
         wanted.signingAlg = AlgorithmIdentifier{oid::id_Ed448, {}};
       }},
      {"no subject", badCertTemplate, [](auto& wanted) { wanted.subject.reset(); }},
      {"NULL-DN", badCertTemplate, [](auto& wanted) { wanted.subject = Name(); }},
      {"no issuer", badCertTemplate, [](auto& wanted) { wanted.issuer.reset(); }},
      {"another issuer", wrongAuthority, [](auto& wanted) { wanted.issuer = name("CN=No CA"); }},
      {"no validity", badCertTemplate, [](auto& wanted) { wanted.validity.reset(); }},
      {"no notBefore", badCertTemplate, [](auto& wanted) { wanted.validity->notBefore.reset(); }},
      {"no notAfter", badCertTemplate, [](auto& wanted) { wanted.validity->notAfter.reset(); }},
      {"backwards", badCertTemplate,
       [=](auto& wanted) { wanted.validity->notAfter = now - std::chrono::hours(24); }},
      {"no publicKey", badCertTemplate, [](auto& wanted) { wanted.publicKey.reset(); }},
      {"a key that cannot sign", badCertTemplate,
       [](auto& wanted) { wanted.publicKey = spki_of(test_key("x25519").public_key()); }},
  };
  for (const auto& fault : faults) {
    EXPECT_THAT(send({cross(fault.edit)}), Refuses("ccp", fault.bit)) << fault.what;
  }
  EXPECT_EQ(ca.certificates(), 0);
}

TEST_F(CrossTest, ProofIsASignature) {
  auto none = cross();
  none.popo.reset();
  EXPECT_THAT(send({none}), Refuses("ccp", PKIFailureInfo::badPOP));
  auto verified = cross();
  verified.popo = RaVerified{};
  EXPECT_THAT(send({verified}), Refuses("ccp", PKIFailureInfo::badPOP));
  auto wrong = cross();
  std::get<POPOSigningKey>(*wrong.popo).signature[8] ^= 1;
  EXPECT_THAT(send({wrong}), Refuses("ccp", PKIFailureInfo::badPOP));
}

TEST_F(CrossTest, PrivateKeyInARequestIsABadRequest) {
  auto sent = cross();
  sent.popo = KeyEncipherment{{POPOPrivKey::EncryptedKey{*from_hex("a40430020500")}}};
  EXPECT_THAT(send({sent}), Refuses("ccp", PKIFailureInfo::badRequest));
  auto archived = cross();
  archived.certReq.controls = Controls{{oid::id_regCtrl_pkiArchiveOptions, *from_hex("8201ff")}};
  EXPECT_THAT(send({archived}), Refuses("ccp", PKIFailureInfo::badRequest));
}

TEST_F(CrossTest, OneRequestInAMessage) {
  EXPECT_THAT(send({cross(), cross()}), Refuses("ccp", PKIFailureInfo::badRequest));
}

TEST_F(CrossTest, OnlyCasOfTheChannelAskAndForTheirOwnName) {
  EXPECT_THAT(send({cross([](CertTemplate&) {}, "CN=A third CA")}),
              Refuses("ccp", PKIFailureInfo::notAuthorized));
  Credential device;
  ca.vendor.certify(device, "CN=Other CA", ca.clock.now(), ca.random);
  EXPECT_THAT(ca.talk(signed_by(ca, device, body::ccr{{cross()}})),
              Refuses("ccp", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.talk(with_mac(ca, body::ccr{{cross()}})),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
}

TEST_F(CrossTest, WhoSpeaksForACaHasACertificateForThatAndSpeaksForNoOther) {
  const auto asks_below = [&](const std::vector<Oid>& purposes) {
    ca.other_ca.purposes = purposes;
    signer.certificate = certified_by(ca.other_ca, signer.key.public_key(), "CN=Other CMP",
                                      {KeyUsageBit::digitalSignature}, ca);
    return send({cross()});
  };
  EXPECT_EQ(body_name(asks_below({}).body), "error");
  EXPECT_EQ(body_name(asks_below({oid::id_kp_serverAuth}).body), "error");
  EXPECT_EQ(body_name(asks_below({oid::id_kp_cmcCA}).body), "ccp");
  // A subordinate CA is named itself, and asks in the name of the one above it.
  ca.other_ca.purposes = {};
  signer.certificate = certified_by(ca.other_ca, signer.key.public_key(), "CN=Sub CA",
                                    {KeyUsageBit::digitalSignature, KeyUsageBit::keyCertSign}, ca,
                                    {basic_constraints_extension(true, std::nullopt)});
  const auto both = ca.other_ca.certificate.to_pem() + signer.certificate->to_pem();
  must(write_file(ca.directory / "ca.pem", view_of(both), 0644, IfExists::replace));
  auto profiles = ca.channels.at("drop").profiles;
  ca.configure("waiting = \"always\"\n");
  ca.channels.at("drop").profiles = std::move(profiles);
  EXPECT_THAT(send({cross()}), Refuses("ccp", PKIFailureInfo::notAuthorized));
}

TEST_F(CrossTest, ACaIsNobodyElseHere) {
  EXPECT_THAT(ca.talk(signed_by(ca, signer, ir(Credential(), "CN=Other CMP"))),
              Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST_F(CrossTest, ProfileMustMakeCas) {
  auto& profiles = ca.channels.at("drop").profiles;
  profiles.erase(profiles.begin());
  EXPECT_THAT(send({cross()}), Refuses("ccp", PKIFailureInfo::notAuthorized));
}

}  // namespace
}  // namespace cmpost
