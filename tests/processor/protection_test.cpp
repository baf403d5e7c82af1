// Protection by MACs of a shared secret, and signers that are revoked.
#include "crypto/x509/revocation_list.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

constexpr const char* kAllMethods =
    "protection = [\"rsa\", \"rsa-pss\", \"ecdsa\", \"ed25519\", \"ed448\", \"pbm\", \"pbmac1\", "
    "\"hmac\", \"kmac\", \"gmac\", \"dh\", \"kem\"]\n";
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

TEST(MacProtection, ARegisteredKeyOfAnotherLengthIsAWrongOne) {
  CaUnderTest ca(kAllMethods);
  add_key(ca, "long", std::string(kKey) + "more");
  const auto gmac = bare(oid::id_aes256_GMAC, "300e040c000102030405060708090a0b");
  EXPECT_THAT(ca.ask(with_parameters(ca, gmac, view_of(kKey), "long")),
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

}  // namespace
}  // namespace cmpost
