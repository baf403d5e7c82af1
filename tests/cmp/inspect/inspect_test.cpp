#include "cmp/inspect/inspect.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cmp/info_values.h"
#include "tests/cmp/samples.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Inspect, ARecordedRequestReadsLikeASentence) {
  const auto message = decode(golden_file("pbm-sha256-hmac-sha1.1-ir.der")).value();
  EXPECT_THAT(inspect_text(message),
              AllOf(HasSubstr("pvno: 2"), HasSubstr("type: ir"), HasSubstr("iterationCount: 500"),
                    HasSubstr("subject: CN=dev1"), HasSubstr("senderKID: 64657631"),
                    HasSubstr("recipient: dirName:CN=Vector CA")));
}

TEST(Inspect, JsonHasTheSameFactsAndAllOctets) {
  const auto message = decode(golden_file("sig-rsa2048.1-ir.der")).value();
  const auto json = nlohmann::json::parse(inspect_json(message));
  EXPECT_EQ(json["header"]["pvno"], 2);
  EXPECT_EQ(json["body"]["type"], "ir");
  EXPECT_EQ(json["body"]["requests"][0]["certTemplate"]["subject"], "CN=dev1");
  EXPECT_EQ(json["protection"], to_hex(message.protection->bits));
  EXPECT_EQ(json["extraCerts"][0]["subject"], "CN=signer rsa2048");
}

TEST(Inspect, LongOctetsAreCutInTextOnly) {
  const auto message = decode(golden_file("sig-rsa2048.1-ir.der")).value();
  const auto hex = to_hex(message.protection->bits);
  EXPECT_THAT(inspect_text(message), AllOf(HasSubstr("protection: " + hex.substr(0, 64) + "..."),
                                           Not(HasSubstr(hex.substr(0, 65)))));
}

TEST(Inspect, EveryBodyHasWords) {
  auto bodies = sample_bodies();
  const auto newer = sample_v3_bodies();
  bodies.insert(bodies.end(), newer.begin(), newer.end());
  for (const auto& body : bodies) {
    const auto message = sample_message(body);
    EXPECT_THAT(inspect_text(message), HasSubstr("type: " + std::string(body_name(body))));
    const auto json = nlohmann::json::parse(inspect_json(message));
    EXPECT_EQ(json["body"]["type"], body_name(body));
  }
}

TEST(Inspect, ChallengesAndTheirAnswersAreReadInWords) {
  const Challenge old{sample_algorithm(), {1}, {2, 3}, std::nullopt};
  auto message = sample_message(body::popdecc{{old, {std::nullopt, {4}, {5}, std::nullopt}}});
  auto json = nlohmann::json::parse(inspect_json(message));
  const auto& challenges = json["body"]["challenges"];
  ASSERT_EQ(challenges.size(), 2U);
  EXPECT_TRUE(challenges[0].contains("owf"));
  EXPECT_EQ(challenges[0]["witness"], "01");
  EXPECT_EQ(challenges[0]["challenge"], "0203");
  EXPECT_FALSE(challenges[1].contains("owf")) << "that of the one before";

  message = sample_message(body::popdecr{{{7}, {1, 0}}});
  json = nlohmann::json::parse(inspect_json(message));
  EXPECT_EQ(json["body"]["integers"], nlohmann::json({"07", "0100"}));
}

TEST(Inspect, StatusAndFailuresAreNamed) {
  const auto message = sample_message(body::error{{sample_status(), 7, {"because"}}});
  const auto json = nlohmann::json::parse(inspect_json(message));
  const auto& status = json["body"]["pKIStatusInfo"];
  EXPECT_EQ(status["status"], "rejection");
  EXPECT_EQ(status["failInfo"], nlohmann::json({"badRequest", "duplicateCertReq"}));
  EXPECT_EQ(json["body"]["errorDetails"][0], "because");
}

TEST(Inspect, WhatAStrangerWroteIsMadePrintable) {
  auto message = sample_message(body::pkiconf{});
  message.header.freeText = {"\x1b[31mred\n  sender: dirName:CN=boss"};
  const auto text = inspect_text(message);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n  sender: dirName:CN=boss"))));
  EXPECT_THAT(inspect_json(message), Not(HasSubstr("\x1b")));
}

TEST(Inspect, InnerMessagesAreNamedOneLevelDeep) {
  Bytes inner = sample_inner();
  const auto message = sample_message(body::nested{{inner, hex("3000")}});
  const auto json = nlohmann::json::parse(inspect_json(message));
  EXPECT_EQ(json["body"]["messages"][0]["body"], "rr");
  EXPECT_EQ(json["body"]["messages"][0]["header"]["pvno"], 2);
  EXPECT_TRUE(json["body"]["messages"][1].contains("unreadable"));
}

// What inspect says about one item of a genp.
nlohmann::json words_for(const Oid& type, Bytes value) {
  const auto message = sample_message(body::genp{{{type, std::move(value)}}});
  return nlohmann::json::parse(inspect_json(message))["body"]["items"][0]["infoValue"];
}

Bytes sequence_of(std::initializer_list<Bytes> elements) {
  return encode_elements(std::vector<Bytes>(elements));
}

TEST(Inspect, EveryInfoTypeIsReadInWords) {
  const auto certificate = decode(golden_file("sig-rsa2048.1-ir.der"))->extraCerts[0];
  const AlgorithmIdentifier curve{oid::id_ecPublicKey, hex("06082a8648ce3d030107")};
  EXPECT_EQ(words_for(oid::id_it_caProtEncCert, certificate.der)["subject"], "CN=signer rsa2048");
  EXPECT_EQ(words_for(oid::id_it_rootCaCert, certificate.der)["subject"], "CN=signer rsa2048");
  EXPECT_EQ(words_for(oid::id_it_caCerts, sequence_of({certificate.der}))[0]["subject"],
            "CN=signer rsa2048");
  for (const auto* type : {&oid::id_it_signKeyPairTypes, &oid::id_it_encKeyPairTypes}) {
    EXPECT_EQ(words_for(*type, encode(std::vector{curve}))[0]["algorithm"], "id-ecPublicKey");
  }
  for (const auto* type : {&oid::id_it_preferredSymmAlg, &oid::id_it_keyPairParamRep}) {
    EXPECT_EQ(words_for(*type, encode(curve))["parameters"], "secp256r1");
  }
  EXPECT_EQ(words_for(oid::id_it_unsupportedOIDs, encode(std::vector{Oid("1.2.3")}))[0], "1.2.3");
  EXPECT_EQ(words_for(oid::id_it_suppLangTags, encode_utf8_strings({"de"}))[0], "de");
  EXPECT_EQ(words_for(oid::id_it_certProfile, encode_utf8_strings({"tls"}))[0], "tls");
  const auto update = words_for(oid::id_it_rootCaKeyUpdate,
                                encode(RootCaKeyUpdateContent{certificate, certificate, {}}));
  EXPECT_EQ(update["newWithOld"]["subject"], "CN=signer rsa2048");
  const CRLStatus status{{CRLSource::Kind::dpn, {GeneralName::from_text("URI:http://a/b").value()}},
                         sample_time()};
  const auto list = words_for(oid::id_it_crlStatusList, encode(std::vector{status}));
  EXPECT_EQ(list[0]["dpn"][0], "URI:http://a/b");
  EXPECT_EQ(list[0]["thisUpdate"], to_iso8601(sample_time()));
  CertReqTemplateContent content;
  content.certTemplate.subject = Name();
  content.keySpec = {rsa_length_control(3072), algorithm_control(curve)};
  const auto wanted = words_for(oid::id_it_certReqTemplate, encode(content));
  EXPECT_EQ(wanted["keySpec"][0]["value"], 3072);
  EXPECT_EQ(wanted["keySpec"][1]["value"]["parameters"], "secp256r1");
}

TEST(Inspect, ValuesThatAreNotWhatTheirTypeSaysAreGivenAsOctets) {
  const Bytes nonsense = hex("30030c0141");
  for (const auto* type : {&oid::id_it_caProtEncCert, &oid::id_it_crls, &oid::id_it_currentCRL,
                           &oid::id_it_rootCaKeyUpdate, &oid::id_it_certReqTemplate,
                           &oid::id_it_KemCiphertextInfo, &oid::id_it_revPassphrase}) {
    const auto words = words_for(*type, nonsense);
    EXPECT_TRUE(words == to_hex(nonsense) || words.contains("unreadable") ||
                words[0].contains("unreadable"))
        << type->name() << ": " << words;
  }
}

TEST(Inspect, ControlsAreReadInWordsAndTokensAreNotShown) {
  CertReqMsg request;
  request.certReq.controls = Controls{{oid::id_regCtrl_regToken, hex("0c06736563726574")},
                                      {oid::id_regCtrl_pkiPublicationInfo, hex("3003020101")},
                                      {oid::id_regCtrl_pkiArchiveOptions, hex("8201ff")},
                                      {oid::id_regCtrl_rsaKeyLen, hex("02020c00")}};
  request.certReq.der = encode(request.certReq);
  const auto message = sample_message(body::cr{{request}});
  const auto json = nlohmann::json::parse(inspect_json(message));
  const auto& controls = json["body"]["requests"][0]["controls"];
  EXPECT_EQ(controls[0]["value"], "a text of 6 octets, not shown");
  EXPECT_EQ(controls[1]["value"]["action"], "pleasePublish");
  EXPECT_EQ(controls[2]["value"]["archiveRemGenPrivKey"], true);
  EXPECT_EQ(controls[3]["value"], 3072);
}

TEST(Inspect, EncryptedKeysNameRecipientsAndAlgorithms) {
  // EnvelopedData with one password recipient and AES-256-CBC.
  const Bytes enveloped =
      hex("a03c02010031"
          "04a302"
          "0500"
          "303106092a864886f70d010701"
          "301d060960864801650304012a0410000102030405060708090a0b0c0d0e0f"
          "8005aabbccddee");
  const auto words = words_for(oid::id_it_revPassphrase, enveloped);
  EXPECT_EQ(words["envelopedData"]["recipients"][0], "pwri") << words;
  EXPECT_EQ(words["envelopedData"]["contentType"], "id-data") << words;
}

TEST(Inspect, ExtensionsAreReadInWords) {
  CertReqMsg request;
  request.certReq.certTemplate.extensions =
      Extensions{{oid::id_ce_keyUsage, true, hex("030205a0")},
                 {oid::id_ce_basicConstraints, true, hex("30060101ff020101")},
                 {oid::id_ce_extKeyUsage, false, hex("300a06082b06010505070302")}};
  request.certReq.der = encode(request.certReq);
  const auto json = nlohmann::json::parse(inspect_json(sample_message(body::cr{{request}})));
  const auto& extensions = json["body"]["requests"][0]["certTemplate"]["extensions"];
  EXPECT_EQ(extensions[0]["extnValue"], nlohmann::json({"digitalSignature", "keyEncipherment"}));
  EXPECT_EQ(extensions[1]["extnValue"]["pathLenConstraint"], 1);
  EXPECT_EQ(extensions[2]["extnValue"][0], "id-kp-clientAuth");
}

}  // namespace
}  // namespace cmpost
