// Requests that Bouncy Castle made, the whole way through the CA.
#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::SizeIs;

const std::string kRecorded = std::string(CMPOST_TEST_DATA) + "/cmp/bouncycastle-1.72/";

// A CA that knows the requesters of the recording, at its time.
class BouncyCastleClient : public ::testing::Test {
 protected:
  BouncyCastleClient() {
    const auto recorded_root = must(read_file(kRecorded + "ca.pem", 1U << 16));
    must(write_file(ca_.directory / "vendor.pem", recorded_root, 0644, IfExists::replace));
    ca_.configure("");
    ca_.clock.set(*decode(recorded("pbm-one.ir"))->header.messageTime);
    Secret secret;
    secret.reference = "bouncy";
    secret.value = to_bytes(std::string_view("insecure"));
    secret.subject = "CN=dev*";
    ca_.add(secret);
  }
  static Bytes recorded(const std::string& name) {
    return must(read_file(kRecorded + name + ".der", 1U << 20));
  }

  CaUnderTest ca_;
};

TEST_F(BouncyCastleClient, GetsACertificateForASecret) {
  const auto request = recorded("pbm-one.ir");
  const auto answer = ca_.ask(request);
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  EXPECT_TRUE(verify_mac_protection(answer, view_of("insecure"), {}).has_value());
}

TEST_F(BouncyCastleClient, GetsTwoCertificatesForTwoRequests) {
  const auto answer = ca_.ask(recorded("pbm-two.ir"));
  const auto* response = cert_response(answer.body);
  ASSERT_NE(response, nullptr);
  ASSERT_THAT(response->response, SizeIs(2));
  for (const auto& one : response->response) EXPECT_EQ(one.status.status, PKIStatus::accepted);
  EXPECT_EQ(ca_.certificates(), 2);
}

TEST_F(BouncyCastleClient, GetsACertificateForAPkcs10Request) {
  const auto answer = ca_.ask(recorded("pbm-p10cr"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST_F(BouncyCastleClient, GetsACertificateForItsVendorsSignature) {
  const auto answer = ca_.ask(recorded("sig-ecdsa.ir"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  EXPECT_EQ(protection_kind(answer), ProtectionKind::signature);
}

// Bouncy Castle 1.72 names PBES2 where RFC 8018 A.5 has the key derivation function.
TEST_F(BouncyCastleClient, IsToldThatItsPbmac1NamesNoKeyDerivation) {
  EXPECT_THAT(ca_.ask(recorded("pbmac1-one.ir")), Refuses("error", PKIFailureInfo::badAlg));
}

TEST_F(BouncyCastleClient, GetsAnEncryptedCertificateWhereTheChannelHasThemForOldRequesters) {
  ca_.configure("encrypted_value = true\n");
  const auto answer = ca_.ask(recorded("pbm-encr-cert.ir"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
  const auto& pair = cert_response(answer.body)->response.at(0).certifiedKeyPair;
  ASSERT_TRUE(pair.has_value());
  EXPECT_TRUE(std::holds_alternative<EncryptedKey>(pair->certOrEncCert.choice));
}

TEST_F(BouncyCastleClient, CannotSayItselfThatAnRaHasVerifiedIt) {
  EXPECT_THAT(ca_.ask(recorded("pbm-ra-verified.ir")),
              Refuses("ip", PKIFailureInfo::notAuthorized));
}

TEST_F(BouncyCastleClient, CannotRevokeWhatIsNotOurs) {
  EXPECT_THAT(ca_.ask(recorded("sig-rr")), Refuses("rp", PKIFailureInfo::badCertId));
}

}  // namespace
}  // namespace cmpost
