#include "carrier/bundles/bundle_seal.h"

#include "tests/support/bundle_people.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TEST(BundleSeal, EachOfItsReceiversCanOpen) {
  std::vector<BundlePerson> people;
  std::vector<Certificate> certificates;
  for (const auto* algorithm : {"rsa:2048", "ec:P-256", "ec:P-521", "ec:P-384"}) {
    people.push_back(make_bundle_person(algorithm, algorithm));
    certificates.push_back(people.back().certificate);
  }
  SystemRandom random;
  const auto how = seal_for(certificates);
  ASSERT_THAT(how, IsOk());
  EXPECT_EQ(how->identifiers.size(), 4U);
  const Bytes content(std::size_t{3} << 20U, 'x');  // more than other envelopes may have
  const auto sealed = seal(content, *how, random);
  ASSERT_THAT(sealed, IsOk());
  EXPECT_LT(sealed->size(), content.size() + kRoomForSeal);
  for (const auto& person : people) {
    const auto opened = unseal(*sealed, {person.certificate, person.key});
    ASSERT_THAT(opened, IsOk()) << person.certificate.subject_text();
    EXPECT_TRUE(equal(*opened, content));
  }
  const auto stranger = make_bundle_person("stranger", "ec:P-256");
  const auto closed = unseal(*sealed, {stranger.certificate, stranger.key});
  ASSERT_FALSE(closed);
  EXPECT_THAT(closed.error().what, HasSubstr("somebody else"));
}

TEST(BundleSeal, ThatWasChangedDoesNotOpen) {
  const auto person = make_bundle_person("vault", "ec:P-256");
  SystemRandom random;
  const auto how = seal_for(std::vector{person.certificate}).value();
  const auto sealed = seal(view_of("requests"), how, random).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 1;
    const auto opened = unseal(changed, {person.certificate, person.key});
    // What is not protected is the name of the receiver and the like.
    EXPECT_TRUE(!opened || equal(*opened, view_of("requests"))) << i;
  }
  auto last = sealed;
  last.back() ^= 1;
  EXPECT_FALSE(unseal(last, {person.certificate, person.key}));
  EXPECT_FALSE(unseal(view_of("no envelope"), {person.certificate, person.key}));
}

TEST(BundleSeal, IsForSomebodyWhoCanOpen) {
  EXPECT_FALSE(seal_for({}));
  EXPECT_FALSE(seal_for(std::vector{make_bundle_person("signer", "ed25519").certificate}));
}

}  // namespace
}  // namespace cmpost
