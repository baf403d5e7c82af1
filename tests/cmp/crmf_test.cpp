#include "cmp/crmf.h"

#include <gmock/gmock.h>

#include "cmp/pki_message.h"
#include "crypto/keys/signature.h"
#include "samples.h"

namespace cmpost {
namespace {

CertReqMsg golden_request(const std::string& file) {
  const auto message = decode(golden_file(file));
  EXPECT_TRUE(message.has_value()) << message.error().text();
  return cert_requests(message->body)->front();
}

// Decodes an ir of this one request; its re-encoding is checked on the way.
CertReqMsg round_trip(const CertReqMsg& request) {
  PKIMessage message;
  message.body = body::ir{{request}};
  const Bytes der = encode(message);
  const auto decoded = decode(der);
  EXPECT_TRUE(decoded.has_value()) << decoded.error().text();
  EXPECT_EQ(encode_again(*decoded), der);
  return cert_requests(decoded->body)->front();
}

CertReqMsg request_with(CertTemplate certTemplate) {
  CertReqMsg request;
  request.certReq.certTemplate = std::move(certTemplate);
  return request;
}

TEST(Crmf, TheFieldsOfARecordedRequestAreRead) {
  const auto request = golden_request("days.1-ir.der");
  EXPECT_EQ(request.certReq.certReqId, 0);
  const auto& t = request.certReq.certTemplate;
  EXPECT_EQ(t.subject->text(), "CN=dev1");
  ASSERT_TRUE(t.validity && t.validity->notBefore && t.validity->notAfter);
  EXPECT_EQ(*t.validity->notAfter - *t.validity->notBefore, std::chrono::days(400));
  ASSERT_TRUE(t.publicKey);
  EXPECT_EQ(t.publicKey->algorithm.algorithm, oid::id_ecPublicKey);
  EXPECT_EQ(t.publicKey->der[0], der::kSequence);
}

TEST(Crmf, TheSignatureOfARecordedProofFitsTheOctetsOfTheRequest) {
  for (const auto* file : {"days.1-ir.der", "newkey-rsa2048.1-cr.der", "newkey-p384.1-cr.der"}) {
    const auto request = golden_request(file);
    const auto& proof = std::get<POPOSigningKey>(*request.popo);
    const auto key = PublicKey::from_spki(*request.certReq.certTemplate.publicKey).value();
    EXPECT_EQ(verify(key, proof.algorithmIdentifier, request.certReq.der, proof.signature).value(),
              Verdict::good)
        << file;
    EXPECT_EQ(encode(request.certReq), request.certReq.der);
  }
}

TEST(Crmf, TheProofsOfTheRecordedClientAreTold) {
  EXPECT_FALSE(golden_request("popo-none.1-ir.der").popo);
  const auto verified = golden_request("popo-raverified.1-ir.der");
  EXPECT_TRUE(std::holds_alternative<RaVerified>(*verified.popo));
  const auto later = golden_request("popo-keyenc.1-ir.der");
  const auto& choice = std::get<KeyEncipherment>(*later.popo).key.choice;
  EXPECT_EQ(std::get<POPOPrivKey::SubsequentMessage>(choice),
            POPOPrivKey::SubsequentMessage::encrCert);
}

TEST(Crmf, AKeyUpdateNamesTheOldCertificate) {
  const auto request = golden_request("kur-p256.1-kur.der");
  const auto* control = find(*request.certReq.controls, oid::id_regCtrl_oldCertID);
  ASSERT_NE(control, nullptr);
  const auto id = read_cert_id(control->value);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->issuer.directory_name(), golden_signer("ca").subject());
  der::Writer again;
  write(again, *id);
  EXPECT_EQ(again.bytes(), control->value);
  EXPECT_FALSE(read_cert_id(Bytes()).has_value());
  Bytes longer = control->value;
  longer.push_back(0);
  EXPECT_FALSE(read_cert_id(longer).has_value());
  EXPECT_EQ(find(*request.certReq.controls, oid::id_regCtrl_regToken), nullptr);
}

TEST(Crmf, ASigningKeyInputIsKeptWithTheTagThatIsSigned) {
  CertReqMsg request = request_with({});
  request.popo = sample_signature(false);
  const auto again = round_trip(request);
  const auto& input = *std::get<POPOSigningKey>(*again.popo).poposkInput;
  EXPECT_EQ(input.der[0], der::kSequence);
  EXPECT_EQ(encode(input), input.der);
  EXPECT_EQ(std::get<GeneralName>(input.authInfo), sample_general_name());
}

TEST(Crmf, EveryFieldOfATemplateComesBack) {
  const auto t = round_trip(request_with(sample_template())).certReq.certTemplate;
  const auto expected = sample_template();
  EXPECT_EQ(t.version, expected.version);
  EXPECT_EQ(t.serialNumber, expected.serialNumber);
  EXPECT_EQ(t.signingAlg, expected.signingAlg);
  EXPECT_EQ(t.issuer, expected.issuer);
  EXPECT_EQ(t.validity, expected.validity);
  EXPECT_EQ(t.subject, expected.subject);
  EXPECT_EQ(t.publicKey->der, expected.publicKey->der);
  EXPECT_EQ(t.issuerUID, expected.issuerUID);
  EXPECT_EQ(t.subjectUID, expected.subjectUID);
  EXPECT_EQ(t.extensions, expected.extensions);
  EXPECT_EQ(encode(read_cert_template(encode(expected)).value()), encode(expected));
}

TEST(Crmf, NullAndAbsentParametersStayApart) {
  CertTemplate t;
  t.signingAlg = AlgorithmIdentifier{oid::sha256WithRSAEncryption, std::nullopt};
  EXPECT_EQ(round_trip(request_with(t)).certReq.certTemplate.signingAlg, t.signingAlg);
  t.signingAlg->parameters = hex("0500");
  EXPECT_EQ(round_trip(request_with(t)).certReq.certTemplate.signingAlg, t.signingAlg);
}

TEST(Crmf, OddStringTypesInNamesAreKept) {
  // CN as TeletexString, UniversalString and BMPString, one RDN with two values.
  const auto attribute = [](der::Writer& w, der::Tag tag, ByteView value) {
    w.constructed(der::kSequence, [&] {
      w.object_identifier(oid::id_at_commonName);
      w.primitive(tag, value);
    });
  };
  der::Writer name;
  name.constructed(der::kSequence, [&] {
    name.constructed(der::kSet, [&] { attribute(name, 0x14, hex("64e478")); });
    name.constructed(der::kSet, [&] {
      attribute(name, 0x1c, hex("00000041"));
      attribute(name, 0x1e, hex("00410042"));
    });
    name.constructed(der::kSet, [&] { attribute(name, der::kPrintableString, hex("5f")); });
  });
  der::Reader reader(name.bytes());
  const auto odd = Name::read(reader);
  ASSERT_TRUE(odd.has_value());
  CertTemplate t;
  t.subject = *odd;
  EXPECT_EQ(round_trip(request_with(t)).certReq.certTemplate.subject, *odd);
}

TEST(Crmf, APublicationInfoIsRead) {
  const auto info = read_publication_info(hex("300d02010130083006020102860161"));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->action, PKIPublicationInfo::Action::please);
  ASSERT_EQ(info->pubInfos.size(), 1U);
  EXPECT_EQ(info->pubInfos[0].pubMethod, 2);
  EXPECT_EQ(info->pubInfos[0].pubLocation->text(), "URI:a");
  EXPECT_TRUE(read_publication_info(hex("3003020100")).has_value());
  EXPECT_FALSE(read_publication_info(hex("30030201")).has_value());
}

}  // namespace
}  // namespace cmpost
