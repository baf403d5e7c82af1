#include "cmp/info_values.h"
#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

GeneralInfo question(const Oid& type, std::optional<Bytes> value = std::nullopt) {
  return {InfoTypeAndValue{type, std::move(value)}};
}

PKIBody genm(GeneralInfo items) { return body::genm{std::move(items)}; }

// The items of the genp that `items` get.
GeneralInfo told(CaUnderTest& ca, GeneralInfo items, const MessageOptions& options = {}) {
  const auto answer = ca.ask(with_mac(ca, genm(std::move(items)), options));
  const auto* genp = std::get_if<body::genp>(&answer.body);
  if (genp == nullptr) {
    ADD_FAILURE() << body_name(answer.body) << " instead of genp";
    return {};
  }
  return genp->items;
}

Bytes value_of(const GeneralInfo& items, const Oid& type) {
  const auto* item = find(items, type);
  if (item == nullptr || !item->infoValue) {
    ADD_FAILURE() << type.name() << " has no value";
    return {};
  }
  return *item->infoValue;
}

bool is_absent(const GeneralInfo& items, const Oid& type) {
  const auto* item = find(items, type);
  return item != nullptr && !item->infoValue;
}

Bytes oid_value(const Oid& id) {
  der::Writer writer;
  writer.object_identifier(id);
  return std::move(writer).take();
}

MessageOptions for_profile(std::vector<std::string> names) {
  return {.edit = [names](PKIHeader& header) {
    header.generalInfo.push_back({oid::id_it_certProfile, encode_utf8_strings(names)});
  }};
}

// Changes the key of the CA under test, whose clock stands still: `times` changes in a row.
void roll_over(CaUnderTest& ca, int times) {
  Certificate root = ca.authority->issuer.certificate();
  std::optional<PrivateKey> key;
  Credential first;
  const auto old = must(make_root(first.key, root.subject(), ca.clock.now() - std::chrono::hours(9),
                                  ca.clock.now() + std::chrono::hours(9), ca.random));
  root = old;
  key = first.key;
  for (int i = 0; i < times; ++i) {
    const Credential next;
    const auto rollover = must(make_rollover(root, *key,
                                             {next.key, ca.clock.now() + std::chrono::seconds(i),
                                              root.not_after() + std::chrono::hours(24)},
                                             ca.random));
    ca.authority->rollovers.push_back(rollover);
    root = rollover.newWithNew;
    key = next.key;
  }
}

TEST(Genm, CaCertsHaveTheIssuingCertificate) {
  CaUnderTest ca;
  const auto items = told(ca, question(oid::id_it_caCerts));
  const auto certificates = read_ca_certificates(value_of(items, oid::id_it_caCerts)).value();
  ASSERT_THAT(certificates, SizeIs(1));
  EXPECT_TRUE(equal(certificates[0].der, ca.authority->issuer.certificate().der()));
}

TEST(Genm, CaCertsLeaveOutTheRootAboveAnIssuingCa) {
  CaUnderTest ca;
  ca.authority->ca_chain.push_back({to_bytes(ca.vendor.certificate.der())});
  const auto items = told(ca, question(oid::id_it_caCerts));
  EXPECT_THAT(read_ca_certificates(value_of(items, oid::id_it_caCerts)).value(), SizeIs(1));
}

TEST(Genm, KeyTypesMirrorTheProfiles) {
  CaUnderTest ca;
  const auto items =
      told(ca, {{oid::id_it_signKeyPairTypes, {}}, {oid::id_it_encKeyPairTypes, {}}});
  const auto types = read_algorithms(value_of(items, oid::id_it_signKeyPairTypes)).value();
  // Three curves, RSA, Ed25519, Ed448: one entry per curve (RFC 9810 5.3.19.2).
  EXPECT_THAT(types, SizeIs(6));
  EXPECT_EQ(std::ranges::count(types, oid::id_ecPublicKey, &AlgorithmIdentifier::algorithm), 3);
  EXPECT_TRUE(is_absent(items, oid::id_it_encKeyPairTypes))
      << "no profile is for encryption, so there is no such type";
}

// The only profile of the channel.
void use_profile(CaUnderTest& ca, ProfileSettings settings) {
  settings.name = "only";
  ca.channels.at("drop").profiles = {must(Profile::create(settings))};
}

KeyRule ec_key() { return {KeyRule::Kind::ec, "P-256", 0, 0}; }
KeyRule ed_key() { return {KeyRule::Kind::ed25519, "", 0, 0}; }

TEST(Genm, EncryptionKeysAreThoseOfProfilesForEncryption) {
  CaUnderTest ca;
  ProfileSettings settings;
  settings.keys = {{KeyRule::Kind::rsa, "", 2048, 2048}, ec_key(), ed_key()};
  settings.key_usage = {2};
  use_profile(ca, settings);
  const auto items = told(ca, question(oid::id_it_encKeyPairTypes));
  const auto types = read_algorithms(value_of(items, oid::id_it_encKeyPairTypes)).value();
  ASSERT_THAT(types, SizeIs(1));
  EXPECT_EQ(types[0].algorithm, oid::rsaEncryption);
}

TEST(Genm, PreferredSymmetricAlgorithmIsAes256Cbc) {
  CaUnderTest ca;
  const auto items = told(ca, question(oid::id_it_preferredSymmAlg));
  EXPECT_EQ(read_algorithm_value(value_of(items, oid::id_it_preferredSymmAlg))->algorithm.dotted(),
            "2.16.840.1.101.3.4.1.42");
}

TEST(Genm, KeyPairParametersAreTheFirstCurveOrAbsent) {
  CaUnderTest ca;
  const auto ec = told(ca, question(oid::id_it_keyPairParamReq, oid_value(oid::id_ecPublicKey)));
  const auto algorithm = read_algorithm_value(value_of(ec, oid::id_it_keyPairParamRep)).value();
  EXPECT_EQ(algorithm.algorithm, oid::id_ecPublicKey);
  EXPECT_EQ(algorithm.parameters, oid_value(oid::secp256r1));
  const auto unknown = told(ca, question(oid::id_it_keyPairParamReq, oid_value(oid::id_X25519)));
  EXPECT_TRUE(is_absent(unknown, oid::id_it_keyPairParamRep));
}

TEST(Genm, LanguageIsTheFirstThatBothSpeak) {
  CaUnderTest ca("information = { languages = [\"de\", \"en\"] }\n");
  const auto items =
      told(ca, question(oid::id_it_suppLangTags, encode_utf8_strings({"fr", "EN-gb", "de"})));
  EXPECT_THAT(read_utf8_strings(value_of(items, oid::id_it_suppLangTags)).value(),
              ElementsAre("EN-gb"));
}

TEST(Genm, NoCommonLanguageAndNoLanguageAtAllAreErrors) {
  CaUnderTest ca;
  for (const auto& value : {encode_utf8_strings({"fr", "e"}), encode_utf8_strings({})}) {
    EXPECT_THAT(ca.ask(with_mac(ca, genm(question(oid::id_it_suppLangTags, value)))),
                Refuses("error", PKIFailureInfo::badRequest));
  }
}

TEST(Genm, CurrentCrlIsTheNewestOrAbsent) {
  CaUnderTest ca;
  EXPECT_TRUE(is_absent(told(ca, question(oid::id_it_currentCRL)), oid::id_it_currentCRL));
  const auto crl = must(issue_crl(*ca.ledger, ca.authority->issuer, {}, ca.clock));
  EXPECT_EQ(value_of(told(ca, question(oid::id_it_currentCRL)), oid::id_it_currentCRL), crl.der);
}

TEST(Genm, CrlComesWhenItIsNewerThanTheOneAtHand) {
  CaUnderTest ca;
  const auto crl = must(issue_crl(*ca.ledger, ca.authority->issuer, {}, ca.clock));
  const CRLSource own{CRLSource::Kind::issuer, {GeneralName::of(name("CN=Test CA"))}};
  const auto asked = [&](const CRLSource& source, std::optional<Time> have) {
    return told(ca,
                question(oid::id_it_crlStatusList, encode(std::vector<CRLStatus>{{source, have}})));
  };
  const auto second = std::chrono::seconds(1);
  EXPECT_TRUE(is_absent(asked(own, crl.thisUpdate + second), oid::id_it_crls));
  EXPECT_TRUE(is_absent(asked(own, crl.thisUpdate), oid::id_it_crls));
  for (const auto have : {std::optional(crl.thisUpdate - second), std::optional<Time>()}) {
    EXPECT_THAT(read_crls(value_of(asked(own, have), oid::id_it_crls)).value(),
                ElementsAre(crl.der));
  }
  const CRLSource other{CRLSource::Kind::issuer, {GeneralName::of(name("CN=Other CA"))}};
  EXPECT_TRUE(is_absent(asked(other, std::nullopt), oid::id_it_crls));
}

TEST(Genm, DistributionPointIsLookedUpAmongTheAddressesOfTheProfiles) {
  CaUnderTest ca;
  ProfileSettings profile;
  profile.keys = {ed_key()};
  profile.crl_urls = {"http://a/b.crl"};
  use_profile(ca, profile);
  must(issue_crl(*ca.ledger, ca.authority->issuer, {}, ca.clock));
  const auto asked = [&](std::string_view url) {
    const CRLSource source{CRLSource::Kind::dpn, {must(GeneralName::from_text(url))}};
    return told(ca,
                question(oid::id_it_crlStatusList, encode(std::vector<CRLStatus>{{source, {}}})));
  };
  EXPECT_FALSE(is_absent(asked("URI:http://a/b.crl"), oid::id_it_crls));
  EXPECT_TRUE(is_absent(asked("URI:http://a/c.crl"), oid::id_it_crls));
}

TEST(Genm, TemplateHasTheFieldsOfTheProfileAndNoKey) {
  CaUnderTest ca;
  ProfileSettings settings;
  settings.keys = {ec_key(), {KeyRule::Kind::rsa, "", 3072, 4096}};
  settings.extended_key_usage = {"1.3.6.1.5.5.7.3.2"};
  settings.subject.fields = {{"2.5.4.10", "O", {FieldRule::Kind::fixed, "Grid"}},
                             {"2.5.4.3", "CN", {FieldRule::Kind::require, ""}},
                             {"2.5.4.7", "L", {FieldRule::Kind::deny, ""}}};
  settings.extensions.fields = {
      {"2.5.29.17", "subjectAltName", {.kind = ExtensionRule::Kind::require, .der_hex = {}}}};
  use_profile(ca, settings);
  const auto items = told(ca, question(oid::id_it_certReqTemplate), for_profile({"only"}));
  const auto content = read_cert_req_template(value_of(items, oid::id_it_certReqTemplate)).value();
  const auto& wanted = content.certTemplate;
  EXPECT_FALSE(wanted.publicKey || wanted.serialNumber || wanted.signingAlg || wanted.subjectUID);
  const auto attributes = wanted.subject->attributes();
  ASSERT_THAT(attributes, SizeIs(2));
  EXPECT_EQ(attributes[0].value, "Grid");
  EXPECT_EQ(attributes[1].type, oid::id_at_commonName);
  EXPECT_EQ(attributes[1].value, "");
  ASSERT_THAT(*wanted.extensions, SizeIs(3));
  EXPECT_TRUE(find(*wanted.extensions, oid::id_ce_subjectAltName)->extnValue.empty());
  EXPECT_THAT(content.keySpec,
              ElementsAre(algorithm_control({oid::id_ecPublicKey, oid_value(oid::secp256r1)}),
                          rsa_length_control(3072), rsa_length_control(4096)));
}

TEST(Genm, TemplateOfAnUnknownProfileIsRefused) {
  CaUnderTest ca;
  EXPECT_THAT(
      ca.ask(with_mac(ca, genm(question(oid::id_it_certReqTemplate)), for_profile({"none"}))),
      Refuses("error", PKIFailureInfo::badCertTemplate));
}

TEST(Genm, EachItemMayNameAProfileOfItsOwn) {
  CaUnderTest ca;
  const GeneralInfo twice = {{oid::id_it_certReqTemplate, {}}, {oid::id_it_certReqTemplate, {}}};
  const auto items = told(ca, twice, for_profile({"device", "fresh"}));
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_THAT(
      ca.ask(with_mac(ca, genm({twice[0], twice[0], twice[0]}), for_profile({"device", "fresh"}))),
      Refuses("error", PKIFailureInfo::badRequest));
}

TEST(Genm, WhatIsNotKnownIsListedBesideTheAnswers) {
  CaUnderTest ca;
  const Oid stranger("1.2.3.4");
  const auto items = told(ca, {{stranger, {}},
                               {oid::id_it_preferredSymmAlg, {}},
                               {oid::id_it_implicitConfirm, Bytes{der::kNull, 0}},
                               {oid::id_it_confirmWaitTime, {}},
                               {oid::id_it_origPKIMessage, {}}});
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].infoType, oid::id_it_preferredSymmAlg);
  EXPECT_THAT(read_oids(value_of(items, oid::id_it_unsupportedOIDs)).value(),
              ElementsAre(stranger, oid::id_it_implicitConfirm, oid::id_it_confirmWaitTime,
                          oid::id_it_origPKIMessage));
}

TEST(Genm, ValueWhereNoneBelongsIsABadRequest) {
  CaUnderTest ca;
  for (const auto* type :
       {&oid::id_it_caProtEncCert, &oid::id_it_signKeyPairTypes, &oid::id_it_encKeyPairTypes,
        &oid::id_it_preferredSymmAlg, &oid::id_it_currentCRL, &oid::id_it_caCerts,
        &oid::id_it_certReqTemplate}) {
    EXPECT_THAT(ca.ask(with_mac(ca, genm(question(*type, Bytes{der::kNull, 0})))),
                Refuses("error", PKIFailureInfo::badRequest))
        << type->name();
  }
}

TEST(Genm, MissingAndMalformedValuesAreRefused) {
  CaUnderTest ca;
  for (const auto* type : {&oid::id_it_keyPairParamReq, &oid::id_it_crlStatusList}) {
    EXPECT_THAT(ca.ask(with_mac(ca, genm(question(*type)))),
                Refuses("error", PKIFailureInfo::badRequest));
    EXPECT_THAT(ca.ask(with_mac(ca, genm(question(*type, Bytes{der::kNull, 0})))),
                Refuses("error", PKIFailureInfo::badDataFormat));
  }
}

TEST(Genm, EmptyOneGetsEverythingThatIsPublished) {
  CaUnderTest ca;
  must(issue_crl(*ca.ledger, ca.authority->issuer, {}, ca.clock));
  roll_over(ca, 1);
  std::vector<Oid> types;
  for (const auto& item : told(ca, {})) types.push_back(item.infoType);
  EXPECT_THAT(types, ElementsAre(oid::id_it_caProtEncCert, oid::id_it_signKeyPairTypes,
                                 oid::id_it_encKeyPairTypes, oid::id_it_preferredSymmAlg,
                                 oid::id_it_currentCRL, oid::id_it_rootCaKeyUpdate));
}

TEST(Genm, RootUpdateFollowsTheRootThatIsHeld) {
  CaUnderTest ca;
  EXPECT_TRUE(is_absent(told(ca, question(oid::id_it_rootCaCert)), oid::id_it_rootCaKeyUpdate));
  roll_over(ca, 2);
  for (const auto& rollover : ca.authority->rollovers) {
    const auto items =
        told(ca, question(oid::id_it_rootCaCert, to_bytes(rollover.oldWithOld.der())));
    const auto update =
        read_root_ca_key_update(value_of(items, oid::id_it_rootCaKeyUpdate)).value();
    EXPECT_TRUE(equal(update.newWithNew.der, rollover.newWithNew.der()));
    EXPECT_TRUE(equal(update.newWithOld->der, rollover.newWithOld.der()));
    EXPECT_TRUE(equal(update.oldWithNew->der, rollover.oldWithNew.der()));
  }
  const auto& newest = ca.authority->rollovers.back().newWithNew;
  EXPECT_TRUE(is_absent(told(ca, question(oid::id_it_rootCaCert, to_bytes(newest.der()))),
                        oid::id_it_rootCaKeyUpdate));
  EXPECT_THAT(ca.ask(with_mac(ca, genm(question(oid::id_it_rootCaCert)))),
              Refuses("error", PKIFailureInfo::badRequest))
      << "two changes: which root is meant?";
}

TEST(Genm, CaKeyUpdateInfoIsForOldClientsWhereTheChannelSaysSo) {
  for (const bool allowed : {false, true}) {
    CaUnderTest ca(allowed ? "information = { caKeyUpdateInfo = true }\n" : "");
    roll_over(ca, 1);
    const auto items = told(ca, question(oid::id_it_caKeyUpdateInfo));
    EXPECT_EQ(find(items, oid::id_it_caKeyUpdateInfo) != nullptr, allowed);
    const auto v3 = told(ca, question(oid::id_it_caKeyUpdateInfo),
                         {.edit = [](PKIHeader& header) { header.pvno = kCmp2021; }});
    EXPECT_EQ(find(v3, oid::id_it_caKeyUpdateInfo), nullptr);
  }
}

TEST(Genm, ProtectionIsAsTheChannelSays) {
  CaUnderTest signed_only("information = { requests = \"signed\" }\n");
  EXPECT_THAT(signed_only.ask(with_mac(signed_only, genm(question(oid::id_it_caCerts)))),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
  const auto device = enrolled(signed_only);
  const auto answer =
      signed_only.ask(signed_by(signed_only, device, genm(question(oid::id_it_caCerts))));
  EXPECT_EQ(body_name(answer.body), "genp");
  CaUnderTest off("information = { requests = \"off\" }\n");
  EXPECT_THAT(off.ask(with_mac(off, genm(question(oid::id_it_caCerts)))),
              Refuses("error", PKIFailureInfo::badRequest));
}

TEST(Genm, StrictChannelTakesExactlyOneItem) {
  CaUnderTest ca("strict = true\n");
  EXPECT_EQ(told(ca, question(oid::id_it_caCerts)).size(), 1);
  for (const auto& items :
       {GeneralInfo(), GeneralInfo{{oid::id_it_caCerts, {}}, {oid::id_it_currentCRL, {}}}}) {
    EXPECT_THAT(ca.ask(with_mac(ca, genm(items))), Refuses("error", PKIFailureInfo::badRequest));
  }
}

TEST(Genm, SecretWithOneUseIsNotUsedUpByAQuestion) {
  CaUnderTest ca;
  Secret once;
  once.reference = "once";
  once.value = to_bytes(std::string_view("another secret"));
  once.subject = "CN=dev*";
  once.max_uses = 1;
  ca.add(once);
  const auto ask = [&](const PKIBody& body) {
    return ca.ask(with_mac(ca, body, {}, "another secret", "once"));
  };
  EXPECT_EQ(body_name(ask(genm(question(oid::id_it_caCerts))).body), "genp");
  EXPECT_EQ(status_in(ask(ir(Credential()))).status, PKIStatus::accepted);
}

}  // namespace
}  // namespace cmpost
