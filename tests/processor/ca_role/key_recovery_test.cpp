// krr: archived keys for who has lost them.
#include "processor/credentials/holder_identity.h"
#include "processor/credentials/key_archive.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

struct RecoveryTest : ::testing::Test {
  explicit RecoveryTest(const std::string& settings = "recovery = true\nwaiting = \"always\"\n")
      : ca(settings), device(enrolled(ca)) {
    ca.authority->key_generator = key_generator_of(ca);
    const auto sealed = must(seal_for_archive(lost, device.certificate->serial_number(),
                                              ca.clock.now(), ca.sealing_key, ca.random));
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      return KeyArchive(writer.connection()).add(sealed);
    }));
  }
  enum class Keys { wanted, unwanted };
  CertReqMsg asking(Keys keys, const std::function<void(CertRequest&)>& edit = {}) const {
    CertReqMsg message;
    if (keys == Keys::wanted) {
      message.certReq.controls =
          Controls{{oid::id_regCtrl_protocolEncrKey, to_bytes(protocol_key.public_key().spki())}};
    }
    if (edit) edit(message.certReq);
    message.certReq.der = encode(message.certReq);
    return message;
  }
  Bytes krr(const CertReqMsg& message, const MessageOptions& options = pvno3()) {
    return signed_by(ca, device, body::krr{{message}}, options);
  }
  PKIMessage poll(const PKIMessage& last) {
    return ca.talk(signed_by(ca, device, poll_req(0), pvno3(following(last))));
  }
  // After two people have agreed.
  PKIMessage recovered(const CertReqMsg& message, const MessageOptions& options = pvno3()) {
    const auto told = ca.talk(krr(message, options));
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    ca.say(*told.header.transactionID, true, "alice");
    ca.say(*told.header.transactionID, true, "bob");
    ca.work();
    return poll(told);
  }
  static const KeyRecRepContent& content(const PKIMessage& answer) {
    static const KeyRecRepContent kNone;
    const auto* krp = std::get_if<body::krp>(&answer.body);
    if (krp == nullptr) ADD_FAILURE() << body_name(answer.body) << " instead of krp";
    return krp == nullptr ? kNone : krp->content;
  }
  std::vector<std::string> recoveries() {
    std::vector<std::string> found;
    for (const auto& record : must(ca.reader->audit(0, 100))) {
      if (record.event == "key.recovered") found.push_back(record.detail);
    }
    return found;
  }
  Office ca;
  Credential device;
  PrivateKey lost = test_key("x25519");
  PrivateKey protocol_key = test_key("x25519");
};

// No machine stands in for one of them, with its protection around the request neither.
TEST_F(RecoveryTest, TwoPeopleMustAgreeWhateverARegistrationAuthoritySays) {
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  const auto request = krr(asking(Keys::wanted));
  const auto header = decode(request)->header;
  const auto told = ca.talk(signed_by(ca, ra, body::nested{{request}}, {.edit = [&](auto& outer) {
                                        outer.transactionID = header.transactionID;
                                        outer.senderNonce = header.senderNonce;
                                      }}));
  ASSERT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(ca.say(*told.header.transactionID, true, "alice"), Decided::one_more);
  EXPECT_TRUE(recoveries().empty());
}

TEST_F(RecoveryTest, TwoPeopleMustAgreeAlsoOverARestart) {
  const auto told = ca.talk(krr(asking(Keys::wanted)));
  ASSERT_EQ(body_name(told.body), "krp");
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_FALSE(content(told).caCerts || content(told).keyPairHist || content(told).newSigCert);
  const auto tid = *told.header.transactionID;
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::one_more);
  EXPECT_TRUE(ca.work_and_send().empty());
  EXPECT_EQ(body_name(poll(told).body), "pollRep");
  ca.open();
  EXPECT_EQ(ca.say(tid, true, "alice"), Decided::said_before);
  EXPECT_TRUE(recoveries().empty());
  EXPECT_EQ(ca.say(tid, true, "bob"), Decided::done);
  ca.work();
  const auto krp = poll(told);
  ASSERT_TRUE(content(krp).keyPairHist);
  ASSERT_EQ(content(krp).keyPairHist->size(), 1U);
  const auto& pair = content(krp).keyPairHist->front();
  EXPECT_TRUE(
      equal(std::get<CMPCertificate>(pair.certOrEncCert.choice).der, device.certificate->der()));
  const auto key = delivered_key(must(open_envelope(enveloped_in(*pair.privateKey), protocol_key)));
  EXPECT_TRUE(equal(key.public_key().spki(), lost.public_key().spki()));
  EXPECT_EQ(content(krp).caCerts->size(), ca.authority->ca_chain.size());
  EXPECT_THAT(recoveries(), ::testing::ElementsAre(::testing::HasSubstr("CN=dev1")));
}

TEST_F(RecoveryTest, WithoutProtocolEncrKeyNoPrivateKeyLeaves) {
  const auto krp = recovered(asking(Keys::unwanted));
  EXPECT_EQ(status_in(krp).status, PKIStatus::accepted);
  EXPECT_FALSE(content(krp).keyPairHist);
  EXPECT_TRUE(content(krp).caCerts);
  EXPECT_TRUE(recoveries().empty());
}

TEST_F(RecoveryTest, NewSignatureKeyGetsItsCertificate) {
  const Credential fresh;
  auto wanted = cert_request(fresh, "CN=dev1");
  const auto krp = recovered(wanted);
  ASSERT_TRUE(content(krp).newSigCert);
  const auto certificate = must(Certificate::from_der(content(krp).newSigCert->der));
  EXPECT_TRUE(equal(certificate.spki(), fresh.key.public_key().spki()));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST_F(RecoveryTest, OnePersonIsEnoughToRefuse) {
  const auto told = ca.talk(krr(asking(Keys::wanted)));
  EXPECT_EQ(ca.say(*told.header.transactionID, false, "alice"), Decided::done);
  ca.work();
  EXPECT_THAT(poll(told), Refuses("krp", PKIFailureInfo::notAuthorized));
}

TEST_F(RecoveryTest, OthersKeysAreNotTheirs) {
  const auto other = [](CertRequest& wanted) { wanted.certTemplate.subject = name("CN=dev2"); };
  EXPECT_THAT(ca.talk(krr(asking(Keys::wanted, other))),
              Refuses("krp", PKIFailureInfo::notAuthorized));
}

TEST_F(RecoveryTest, WhoGetsAReferenceLaterDoesNotGetTheKeysOfWhoHadIt) {
  const auto enrol_by_group = [&](std::string_view value) {
    Secret group;
    group.reference = "group";
    group.value = to_bytes(value);
    group.subject = "CN=*";
    ca.add(group);
    Credential one;
    one.certificate =
        certificate_in(ca.talk(with_mac(ca, ir(one, "CN=dev9"), pvno3(), value, "group")));
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(SecretStore(writer.connection(), ca.sealing_key).remove("group"));
      return {};
    }));
    return one;
  };
  const auto former = enrol_by_group("the secret of the first");
  const auto latter = enrol_by_group("the secret of the second");
  const auto holder = [&](const Credential& one) {
    return holder_of(*ca.record(*one.certificate), one.certificate->subject());
  };
  EXPECT_NE(holder(former), holder(latter));
}

TEST_F(RecoveryTest, IsSignedAndOfTheNewVersion) {
  const PKIBody body = body::krr{{asking(Keys::wanted)}};
  EXPECT_THAT(ca.talk(with_mac(ca, body, pvno3())),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  EXPECT_THAT(ca.talk(krr(asking(Keys::wanted), {})), Refuses("krp", PKIFailureInfo::badRequest));
}

struct RecoveryWhereSilenceIsAcceptance : RecoveryTest {
  RecoveryWhereSilenceIsAcceptance()
      : RecoveryTest("recovery = true\nwaiting = \"always\"\nunconfirmed = \"keep\"\n") {}
};

TEST_F(RecoveryWhereSilenceIsAcceptance, TheNewCertificateCountsAtOnceAndCanBeConfirmed) {
  const Credential fresh;
  auto options = pvno3();
  options.implicit_confirm = false;
  const auto krp = recovered(cert_request(fresh, "CN=dev1"), options);
  ASSERT_TRUE(content(krp).newSigCert);
  const auto certificate = must(Certificate::from_der(content(krp).newSigCert->der));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
  const auto confirmed =
      ca.talk(signed_by(ca, device, cert_conf(certificate), pvno3(following(krp))));
  EXPECT_EQ(body_name(confirmed.body), "pkiconf");
}

struct NoRecovery : RecoveryTest {
  NoRecovery() : RecoveryTest("") {}
};

TEST_F(NoRecovery, IsABadRequestWhereItIsOff) {
  EXPECT_THAT(ca.talk(krr(asking(Keys::wanted))), Refuses("error", PKIFailureInfo::badRequest));
}

}  // namespace
}  // namespace cmpost
