#include "carrier/bundles/bundle_signature.h"

#include "crypto/envelope/cms.h"
#include "tests/support/bundle_people.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::string_view kManifest = "cmpost-batch 2\n...";

class BundleSignature : public ::testing::Test {
 protected:
  Result<Certificate> verify(const BundlePeer& peer, const BundlePerson& signer,
                             std::vector<Certificate> more = {}) {
    auto packed = signer.signer();
    packed.chain.insert(packed.chain.end(), more.begin(), more.end());
    const auto signature = sign_bundle(kManifest, packed).value();
    return peer.verify(view_of(kManifest), signature, clock_.now());
  }
  FakeClock clock_;
};

TEST_F(BundleSignature, MayBeOfAnyKindOfKey) {
  for (const auto* algorithm :
       {"rsa:2048", "ec:P-256", "ec:P-384", "ec:P-521", "ed25519", "ed448"}) {
    const auto person = make_bundle_person("gateway", algorithm);
    const BundlePeer peer("gateway", {person.certificate}, {});
    const auto signer = verify(peer, person);
    ASSERT_THAT(signer, IsOk()) << algorithm;
    EXPECT_EQ(*signer, person.certificate);
  }
}

TEST_F(BundleSignature, IsOverEveryOctet) {
  const auto person = make_bundle_person("gateway", "ec:P-256");
  const BundlePeer peer("gateway", {person.certificate}, {});
  const auto signature = sign_bundle(kManifest, person.signer()).value();
  const auto changed = peer.verify(view_of("cmpost-batch 2\n..,"), signature, clock_.now());
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().what, HasSubstr("not signed by gateway"));
  EXPECT_FALSE(peer.verify(view_of(kManifest), Bytes(), clock_.now()));
  EXPECT_FALSE(peer.verify(view_of(kManifest), Bytes(kLargestBundleSignature + 1), clock_.now()));
}

TEST_F(BundleSignature, OfAStrangerIsRefused) {
  const auto person = make_bundle_person("gateway", "ec:P-256");
  const auto stranger = make_bundle_person("gateway", "ec:P-256");
  const BundlePeer peer("gateway", {person.certificate}, {});
  const auto refused = verify(peer, stranger, {person.certificate});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("who is not gateway"));
}

TEST_F(BundleSignature, CountsWhileTheCertificateIsValid) {
  const auto person = make_bundle_person("gateway", "ec:P-256");
  const BundlePeer peer("gateway", {person.certificate}, {});
  clock_.advance(24h * 31);
  const auto late = verify(peer, person);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().what, HasSubstr("not valid now"));
}

TEST_F(BundleSignature, BelowAnAnchorIsThatOfACaOrAnRaAlone) {
  const auto ca = make_bundle_person("CA", "ec:P-256");
  const BundlePeer peer("gateway", {}, {ca.certificate});
  for (const auto* purpose : {&oid::id_kp_cmcCA, &oid::id_kp_cmcRA}) {
    EXPECT_THAT(verify(peer, make_bundle_person("gateway", "ec:P-256", &ca, purpose)), IsOk());
  }
  const auto device =
      verify(peer, make_bundle_person("device", "ec:P-256", &ca, &oid::id_kp_clientAuth));
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().what, HasSubstr("neither a CA nor an RA"));
  const auto other = make_bundle_person("another CA", "ec:P-256");
  EXPECT_FALSE(verify(peer, make_bundle_person("gateway", "ec:P-256", &other, &oid::id_kp_cmcRA)));
}

TEST_F(BundleSignature, OfAnotherProgramCounts) {
  const auto person = make_bundle_person("gateway", "rsa:2048");
  const BundlePeer peer("gateway", {person.certificate}, {});
  const auto signature = cms_sign(view_of(kManifest), CmsForm::detached, person.certificate,
                                  person.key, {}, clock_.now())
                             .value();
  EXPECT_THAT(peer.verify(view_of(kManifest), signature, clock_.now()), IsOk());
  auto changed = signature;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    changed[i] ^= 1;
    const auto verdict = peer.verify(view_of(kManifest), changed, clock_.now());
    EXPECT_TRUE(!verdict || *verdict == person.certificate) << i;
    changed[i] ^= 1;
  }
}

TEST_F(BundleSignature, ThatIsOpaqueIsRefused) {
  const auto person = make_bundle_person("gateway", "rsa:2048");
  const BundlePeer peer("gateway", {person.certificate}, {});
  const auto opaque = cms_sign(view_of(kManifest), CmsForm::opaque, person.certificate, person.key,
                               {}, clock_.now())
                          .value();
  EXPECT_FALSE(peer.verify(view_of(kManifest), opaque, clock_.now()));
}

}  // namespace
}  // namespace cmpost
