#include "cmp/info_values.h"
#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

TEST(Enrolment, SharedSecretGetsACertificateThatTheCaSigned) {
  CaUnderTest ca;
  const Credential device;
  const auto answer = ca.ask(with_mac(ca, ir(device)));
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(status_in(answer).failInfo, std::nullopt);
  EXPECT_EQ(certificate.subject(), name("CN=dev1"));
  EXPECT_TRUE(equal(certificate.spki(), device.key.public_key().spki()));
  EXPECT_TRUE(must(issued_by(certificate, ca.authority->issuer.certificate())));
  EXPECT_EQ(ca.record(certificate)->state, CertificateState::valid);
}

TEST(Enrolment, AnswerToAMacIsProtectedWithTheSameSecretAndAFreshSalt) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential()));
  const auto answer = ca.ask(request);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::password_based_mac);
  EXPECT_TRUE(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}).has_value());
  EXPECT_NE(answer.header.protectionAlg, decode(request)->header.protectionAlg);
}

TEST(Enrolment, AnswerCopiesWhatBelongsToTheTransaction) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential()));
  const auto answer = ca.ask(request);
  const auto asked = decode(request)->header;
  EXPECT_EQ(answer.header.transactionID, asked.transactionID);
  EXPECT_EQ(answer.header.recipNonce, asked.senderNonce);
  EXPECT_EQ(answer.header.recipient, asked.sender);
  EXPECT_EQ(answer.header.pvno, asked.pvno);
  EXPECT_THAT(*answer.header.senderNonce, SizeIs(16));
  EXPECT_NE(answer.header.senderNonce, asked.senderNonce);
}

TEST(Enrolment, ImplicitConfirmIsGrantedWhenAskedAndTheTransactionIsOver) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  EXPECT_NE(find(answer.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  EXPECT_EQ(find(answer.header.generalInfo, oid::id_it_confirmWaitTime), nullptr);
  const auto late = ca.ask(with_mac(ca, cert_conf(certificate_in(answer)), following(answer)));
  EXPECT_THAT(late, Refuses("error", PKIFailureInfo::badRequest));
}

TEST(Enrolment, ImplicitConfirmIsNotGrantedWhereTheChannelWaits) {
  CaUnderTest ca("confirm = \"wait\"\n");
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  EXPECT_EQ(find(answer.header.generalInfo, oid::id_it_implicitConfirm), nullptr);
  EXPECT_NE(find(answer.header.generalInfo, oid::id_it_confirmWaitTime), nullptr);
  EXPECT_EQ(ca.record(certificate_in(answer))->state, CertificateState::unconfirmed);
}

TEST(Enrolment, CaPubsAreOnlyInAnIpForAHolderOfASecret) {
  CaUnderTest ca;
  const auto ip = ca.ask(with_mac(ca, ir(Credential())));
  EXPECT_TRUE(cert_response(ip.body)->caPubs.has_value());
  const auto device = enrolled(ca);
  const auto cp = ca.ask(signed_by(ca, device, body::cr{{cert_request(Credential(), "CN=dev1")}}));
  EXPECT_FALSE(cert_response(cp.body)->caPubs.has_value());
}

TEST(Enrolment, SignedRequestGetsASignedAnswerWithItsChain) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  const auto answer =
      ca.ask(signed_by(ca, device, body::cr{{cert_request(Credential(), "CN=dev1")}}));
  EXPECT_EQ(body_name(answer.body), "cp");
  EXPECT_TRUE(
      verify_signature_protection(answer, ca.authority->identity.signer.public_key()).has_value());
  ASSERT_THAT(answer.extraCerts, SizeIs(1)) << "who issued it is a root";
  EXPECT_TRUE(equal(answer.extraCerts[0].der, ca.authority->identity.certificate.der()));
}

TEST(Enrolment, VendorCertificateMayAskForItsOwnSubjectOnly) {
  CaUnderTest ca;
  Credential vendor_device;
  ca.vendor.certify(vendor_device, "CN=serial 7", ca.clock.now(), ca.random);
  const auto good = ca.ask(signed_by(ca, vendor_device, ir(Credential(), "CN=serial 7")));
  EXPECT_EQ(status_in(good).status, PKIStatus::accepted);
  const auto bad = ca.ask(signed_by(ca, vendor_device, ir(Credential(), "CN=somebody")));
  EXPECT_THAT(bad, Refuses("ip", PKIFailureInfo::notAuthorized));
  const auto cr =
      ca.ask(signed_by(ca, vendor_device, body::cr{{cert_request(Credential(), "CN=serial 7")}}));
  EXPECT_THAT(cr, Refuses("cp", PKIFailureInfo::notAuthorized));
}

TEST(Enrolment, SecretMayAskForTheSubjectsItsPatternCoversOnly) {
  CaUnderTest ca;
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential(), "CN=dev77")))).status,
            PKIStatus::accepted);
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=server"))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1,OU=admins"))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST(Enrolment, SeveralRequestsInOneMessageHaveTheirOwnStatus) {
  CaUnderTest ca;
  body::ir message;
  message.requests.push_back(cert_request(Credential(), "CN=dev1"));
  message.requests.push_back(cert_request(Credential(), "CN=other", {.certReqId = 1}));
  message.requests.push_back(cert_request(Credential(), "CN=dev2", {.certReqId = 2}));
  const auto answer = ca.ask(with_mac(ca, message));
  const auto& responses = cert_response(answer.body)->response;
  ASSERT_THAT(responses, SizeIs(3));
  EXPECT_EQ(responses[0].status.status, PKIStatus::accepted);
  EXPECT_EQ(responses[1].status.status, PKIStatus::rejection);
  EXPECT_TRUE(responses[1].status.has(PKIFailureInfo::notAuthorized));
  EXPECT_EQ(responses[2].status.status, PKIStatus::accepted);
  EXPECT_EQ(responses[2].certReqId, 2);
  EXPECT_EQ(ca.certificates(), 2);
}

TEST(Enrolment, MisnumberedRequestsAreRefusedTogether) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", {.certReqId = 1})));
  EXPECT_THAT(answer, Refuses("ip", PKIFailureInfo::badRequest));
  EXPECT_EQ(cert_response(answer.body)->response[0].certReqId, 1);
}

TEST(Enrolment, StrictChannelTakesOneRequestAMessage) {
  CaUnderTest ca("strict = true\n");
  body::ir message;
  message.requests.push_back(cert_request(Credential(), "CN=dev1"));
  message.requests.push_back(cert_request(Credential(), "CN=dev2", {.certReqId = 1}));
  EXPECT_THAT(ca.ask(with_mac(ca, message)), Refuses("ip", PKIFailureInfo::badRequest));
  EXPECT_EQ(ca.certificates(), 0);
}

TEST(Enrolment, P10crIsAnsweredWithCertReqIdMinusOne) {
  CaUnderTest ca;
  const Credential device;
  const auto answer = ca.ask(with_mac(ca, body::p10cr{certification_request(device, "CN=dev1")}));
  EXPECT_EQ(body_name(answer.body), "cp");
  EXPECT_EQ(cert_response(answer.body)->response[0].certReqId, -1);
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
}

// One request, and nobody knows which of the names it means.
TEST(Enrolment, P10crNamesOneProfile) {
  CaUnderTest ca;
  const auto ask = [&](const std::vector<std::string>& profiles) {
    const MessageOptions options{.edit = [&](PKIHeader& header) {
      header.generalInfo.push_back({oid::id_it_certProfile, encode_utf8_strings(profiles)});
    }};
    return ca.ask(
        with_mac(ca, body::p10cr{certification_request(Credential(), "CN=dev1")}, options));
  };
  EXPECT_THAT(ask({"device", "fresh"}), Refuses("cp", PKIFailureInfo::badRequest));
  EXPECT_EQ(status_in(ask({"fresh"})).status, PKIStatus::accepted);
}

TEST(Enrolment, ReusedKeyIsRefusedWhereTheProfileForbidsIt) {
  CaUnderTest ca;
  const Credential device;
  const MessageOptions fresh{
      .implicit_confirm = true, .edit = [](PKIHeader& header) {
        der::Writer value;
        value.constructed(der::kSequence, [&] { value.utf8_string("fresh"); });
        header.generalInfo.push_back({oid::id_it_certProfile, value.bytes()});
      }};
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(device), fresh))).status, PKIStatus::accepted);
  EXPECT_THAT(ca.ask(with_mac(ca, ir(device), fresh)),
              Refuses("ip", PKIFailureInfo::duplicateCertReq));
  EXPECT_THAT(ca.ask(with_mac(ca, ir(device, "CN=dev2"), fresh)),
              Refuses("ip", PKIFailureInfo::badCertTemplate));
}

TEST(Enrolment, UnknownProfileIsABadTemplate) {
  CaUnderTest ca;
  const MessageOptions odd{.implicit_confirm = true, .edit = [](PKIHeader& header) {
                             der::Writer value;
                             value.constructed(der::kSequence, [&] { value.utf8_string("none"); });
                             header.generalInfo.push_back({oid::id_it_certProfile, value.bytes()});
                           }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()), odd)),
              Refuses("ip", PKIFailureInfo::badCertTemplate));
}

struct TemplateFault {
  const char* what;
  std::function<void(CertTemplate&)> edit;
  PKIFailureInfo bit;
};

TEST(Enrolment, FaultsOfTheTemplateAreNamed) {
  const std::vector<TemplateFault> faults = {
      {"version", [](CertTemplate& t) { t.version = 1; }, PKIFailureInfo::badCertTemplate},
      {"serialNumber", [](CertTemplate& t) { t.serialNumber = Bytes{1}; },
       PKIFailureInfo::badCertTemplate},
      {"issuer", [](CertTemplate& t) { t.issuer = name("CN=Another"); },
       PKIFailureInfo::wrongAuthority},
      {"no key", [](CertTemplate& t) { t.publicKey.reset(); }, PKIFailureInfo::badCertTemplate},
      {"a CA",
       [](CertTemplate& t) { t.extensions = {basic_constraints_extension(true, std::nullopt)}; },
       PKIFailureInfo::notAuthorized},
  };
  CaUnderTest ca;
  for (const auto& fault : faults) {
    SCOPED_TRACE(fault.what);
    const auto answer = ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", {.edit = fault.edit})));
    EXPECT_THAT(answer, Refuses("ip", fault.bit));
  }
  EXPECT_EQ(ca.certificates(), 0);
}

TEST(ProofOfPossession, WrongSignatureIsABadPop) {
  CaUnderTest ca;
  const RequestOptions flipped{.edit_signed = [](CertReqMsg& message) {
    std::get<POPOSigningKey>(*message.popo).signature.back() ^= 1;
  }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", flipped))),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST(ProofOfPossession, SignatureOfAnotherKeyIsABadPop) {
  CaUnderTest ca;
  const Credential other;
  const RequestOptions swapped{.edit_signed = [&](CertReqMsg& message) {
    std::get<POPOSigningKey>(*message.popo).signature =
        must(other.signer.sign(message.certReq.der));
  }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", swapped))),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST(ProofOfPossession, MissingIsABadPop) {
  CaUnderTest ca;
  const RequestOptions missing{.edit_signed = [](CertReqMsg& m) { m.popo.reset(); }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", missing))),
              Refuses("ip", PKIFailureInfo::badPOP));
}

TEST(ProofOfPossession, OnlyAnRaMaySayRaVerified) {
  CaUnderTest ca;
  const RequestOptions vouched{.edit_signed = [](CertReqMsg& m) { m.popo = RaVerified{}; }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", vouched))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  const auto answer = ca.ask(signed_by(ca, ra, ir(Credential(), "CN=anybody", vouched)));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST(ProofOfPossession, PoposkInputIsForTemplatesWithoutSubject) {
  CaUnderTest ca;
  const RequestOptions superfluous{.edit_signed = [](CertReqMsg& m) {
    auto& popo = std::get<POPOSigningKey>(*m.popo);
    POPOSigningKeyInput input;
    input.authInfo = GeneralName::of(name("CN=dev1"));
    input.publicKey = *m.certReq.certTemplate.publicKey;
    popo.poposkInput = input;
  }};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", superfluous))),
              Refuses("ip", PKIFailureInfo::badPOP));
}

}  // namespace
}  // namespace cmpost
