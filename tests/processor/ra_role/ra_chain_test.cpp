// Certificates that go along with what a CA above has issued: the chain, and anchors.
#include "crypto/x509/certificate_builder.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RaChain : public Ra {
 protected:
  void start_below(const std::string& of_drop = "") {
    start("", "", of_drop);
    auto& root = ca().other_ca;
    root.purposes.clear();
    root.extensions = {basic_constraints_extension(true, {}),
                       key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})};
    sub_.emplace("CN=Sub CA", ca().clock.now(), ca().random);
    root.certify(sub_->credential, "CN=Sub CA", ca().clock.now(), ca().random);
    sub_->certificate = *sub_->credential.certificate;
    root.certify(stranger_, "CN=Another CA", ca().clock.now(), ca().random);
  }
  static CMPCertificate der_of(const Certificate& certificate) {
    return {to_bytes(certificate.der())};
  }
  static std::vector<Bytes> octets(const std::vector<CMPCertificate>& certificates) {
    std::vector<Bytes> all;
    for (const auto& one : certificates) all.push_back(one.der);
    return all;
  }
  Bytes sub() const { return to_bytes(sub_->certificate.der()); }
  // The answer of the CA to what has gone up, as if the CA below it had issued.
  PKIMessage issued_below() {
    auto answer = read(ra().above_answers().at(0));
    sub_->certify(key_, "CN=dev1", ca().clock.now(), ca().random);
    auto& response = const_cast<CertRepMessage*>(cert_response(answer.body))->response.front();
    response.certifiedKeyPair->certOrEncCert.choice = der_of(*key_.certificate);
    return answer;
  }
  Bytes resigned(const PKIMessage& answer, const std::vector<CMPCertificate>& more = {}) {
    const auto& identity = ca().authority->identity;
    auto certificates = identity.chain;
    certificates.insert(certificates.end(), more.begin(), more.end());
    return must(protect_with_signature(answer.header, answer.body, identity.signer, certificates));
  }
  std::vector<CMPCertificate> all_of_them() {
    const auto issuer = der_of(sub_->certificate);
    return {der_of(*stranger_.certificate), issuer, issuer, der_of(ca().other_ca.certificate),
            der_of(*key_.certificate)};
  }
  // That comes down to who has asked for it with `anchors` in it.
  std::optional<std::vector<CMPCertificate>> anchors_after(const PKIBody& body,
                                                           std::vector<CMPCertificate> anchors) {
    EXPECT_THAT(ra().ask_all(with_mac(ra(), body)), IsEmpty());
    auto answer = read(ra().above_answers().at(0));
    const_cast<CertRepMessage*>(cert_response(answer.body))->caPubs = std::move(anchors);
    const auto down = RaOffice::only(ra().hear(resigned(answer)));
    return cert_response(down.body)->caPubs;
  }

  std::optional<OtherRoot> sub_;
  Credential stranger_;
};

// RFC 9483 3.3: "the chain of the newly issued certificate".
TEST_F(RaChain, ComesDownUnderOurOwnProtection) {
  start_below();
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  const auto answer = issued_below();
  const auto down = RaOffice::only(ra().hear(resigned(answer, all_of_them())));
  EXPECT_EQ(certificate_in(down), *key_.certificate);
  EXPECT_THAT(octets(down.extraCerts), ElementsAre(sub()));
}

TEST_F(RaChain, StandsBehindOurOwnWhereWeSign) {
  start_below();
  Credential device;
  ra().vendor.certify(device, "CN=dev1", ra().clock.now(), ra().random);
  EXPECT_THAT(ra().ask_all(signed_by(ra(), device, ir(key_, "CN=dev1"))), IsEmpty());
  const auto answer = issued_below();
  const auto down = RaOffice::only(ra().hear(resigned(answer, all_of_them())));
  auto wanted = octets(ra().identity->chain);
  wanted.push_back(sub());
  EXPECT_EQ(octets(down.extraCerts), wanted);
}

TEST_F(RaChain, IsKeptForAPoll) {
  start_below("waiting = \"always\"\n");
  const auto interim = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_))));
  const auto answer = issued_below();
  EXPECT_THAT(ra().hear(resigned(answer, all_of_them())), IsEmpty());
  const auto down = RaOffice::only(ra().ask_all(with_mac(ra(), poll_req(0), following(interim))));
  EXPECT_THAT(octets(down.extraCerts), ElementsAre(sub()));
}

// RFC 9483 4.1.1, 4.1.2.
TEST_F(RaChain, OnlyIpHasAnchorsAndOnlyThoseThatAreKnownHere) {
  start_below();
  const auto known = der_of(ca().authority->issuer.certificate());
  const auto unknown = der_of(ca().other_ca.certificate);
  const auto of_ip = anchors_after(ir(key_), {unknown, known});
  ASSERT_TRUE(of_ip);
  EXPECT_THAT(octets(*of_ip), ElementsAre(known.der));
  Credential more;
  EXPECT_FALSE(anchors_after(body::cr{{cert_request(more, "CN=dev1")}}, {unknown, known}));
  Credential csr;
  EXPECT_FALSE(anchors_after(body::p10cr{certification_request(csr, "CN=dev1")}, {unknown, known}));
}

}  // namespace
}  // namespace cmpost
