#include "ca/rollover.h"

#include <algorithm>

#include "ca/issuer.h"
#include "crypto/x509/trust.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;

struct Change {
  FakeClock clock;
  FakeRandom random;
  PrivateKey old_key = PrivateKey::generate("ec:P-256").value();
  PrivateKey new_key = PrivateKey::generate("ec:P-384").value();
  Name subject = Name::from_text("CN=Grid CA,O=Grid").value();
  Certificate root =
      make_root(old_key, subject, clock.now() - hours(1000), clock.now() + hours(1000), random)
          .value();

  Result<CaRollover> make(Time end) {
    return make_rollover(root, old_key, {new_key, clock.now(), end}, random);
  }
  CaRollover made() { return make(clock.now() + hours(5000)).value(); }
};

TEST(Rollover, LinksHaveTheValiditiesOfTheRfc) {
  Change change;
  const auto made = change.made();
  EXPECT_TRUE(made.oldWithOld == change.root);
  // newWithNew begins before the old root ends; newWithOld ends with the old root.
  EXPECT_LT(made.newWithNew.not_before(), made.oldWithOld.not_after());
  EXPECT_EQ(made.newWithOld.not_before(), made.newWithNew.not_before());
  EXPECT_EQ(made.newWithOld.not_after(), made.oldWithOld.not_after());
  EXPECT_EQ(made.oldWithNew.not_before(), made.oldWithOld.not_before());
  EXPECT_EQ(made.oldWithNew.not_after(), made.oldWithOld.not_after());
  for (const auto& certificate : {made.newWithNew, made.newWithOld, made.oldWithNew}) {
    EXPECT_EQ(certificate.subject(), change.subject);
    EXPECT_EQ(certificate.issuer(), change.subject);
    EXPECT_TRUE(certificate.is_ca());
  }
}

TEST(Rollover, LinksVerifyAndCarryTheKeysTheySay) {
  Change change;
  const auto made = change.made();
  EXPECT_TRUE(issued_by(made.newWithOld, made.oldWithOld).value());
  EXPECT_TRUE(issued_by(made.oldWithNew, made.newWithNew).value());
  EXPECT_TRUE(equal(made.newWithOld.spki(), made.newWithNew.spki()));
  EXPECT_TRUE(equal(made.oldWithNew.spki(), made.oldWithOld.spki()));
  EXPECT_EQ(made.newWithOld.authority_key_identifier(), made.oldWithOld.subject_key_identifier());
  EXPECT_EQ(made.oldWithNew.authority_key_identifier(), made.newWithNew.subject_key_identifier());
}

TEST(Rollover, CertificatesOfEitherKeyAreTrustedByHoldersOfEitherRoot) {
  Change change;
  const auto made = change.made();
  const auto device = PrivateKey::generate("ec:P-256").value();
  const auto certify = [&](const Certificate& root, const PrivateKey& key) {
    const auto issuer = Issuer::create(root, key, change.random, change.clock).value();
    return make_cmp_certificate(issuer, device.public_key(), Name::from_text("CN=d").value(),
                                change.clock.now() - hours(1), change.clock.now() + hours(1))
        .value();
  };
  const auto check = [&](const Certificate& anchor, const Certificate& signer,
                         const Certificate& link) {
    return TrustStore({anchor}).check(signer, {link}, change.clock.now())->verdict;
  };
  const auto by_old = certify(made.oldWithOld, change.old_key);
  const auto by_new = certify(made.newWithNew, change.new_key);
  EXPECT_EQ(check(made.oldWithOld, by_new, made.newWithOld), PathVerdict::trusted);
  EXPECT_EQ(check(made.newWithNew, by_old, made.oldWithNew), PathVerdict::trusted);
}

TEST(Rollover, FileOfFourIsRecognisedInAnyOrder) {
  Change change;
  const auto made = change.made();
  auto certificates = Certificate::from_pem(to_pem(made)).value();
  ASSERT_EQ(certificates.size(), 4);
  for (int i = 0; i < 4; ++i) {
    std::rotate(certificates.begin(), certificates.begin() + 1, certificates.end());
    const auto found = recognise_rollover(certificates).value();
    EXPECT_TRUE(found.oldWithOld == made.oldWithOld);
    EXPECT_TRUE(found.newWithNew == made.newWithNew);
    EXPECT_TRUE(found.newWithOld == made.newWithOld);
    EXPECT_TRUE(found.oldWithNew == made.oldWithNew);
  }
}

TEST(Rollover, FilesThatAreNoRolloverAreRefused) {
  Change change;
  const auto made = change.made();
  const auto other = change.made();
  EXPECT_THAT(recognise_rollover({made.oldWithOld}), Fails(HasSubstr("1 certificates")));
  EXPECT_THAT(
      recognise_rollover({made.oldWithOld, made.oldWithOld, made.newWithOld, made.oldWithNew}),
      Fails(HasSubstr("not two self-signed")));
  Change stranger;
  const auto foreign = stranger.made();
  EXPECT_THAT(recognise_rollover(
                  {made.oldWithOld, made.newWithNew, foreign.newWithOld, foreign.oldWithNew}),
              Fails(HasSubstr("links")));
}

TEST(Rollover, WhatCouldNotBeFollowedIsNotMade) {
  Change change;
  EXPECT_THAT(change.make(change.clock.now() + hours(999)), Fails(HasSubstr("before the old one")));
  change.clock.advance(hours(1001));
  EXPECT_THAT(change.make(change.clock.now() + hours(5000)), Fails(HasSubstr("is over")));
  Change again;
  EXPECT_THAT(make_rollover(again.root, again.old_key,
                            {again.old_key, again.clock.now(), again.clock.now() + hours(5000)},
                            again.random),
              Fails(HasSubstr("is the old one")));
}

}  // namespace
}  // namespace cmpost
