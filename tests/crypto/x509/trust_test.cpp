#include "crypto/x509/trust.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/crypto/issued.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

PathCheck checked(const TrustStore& store, const Certificate& signer,
                  const std::vector<Certificate>& untrusted, Time at = golden_time()) {
  const auto check = store.check(signer, untrusted, at);
  EXPECT_THAT(check, IsOk());
  return check.value_or(PathCheck{});
}

TrustStore root_store() { return TrustStore({golden_certificate("root")}); }

TEST(TrustStore, FindsThePathThroughAHelper) {
  const auto store = root_store();
  const auto leaf = golden_certificate("leaf");
  const auto intermediate = golden_certificate("intermediate");
  const auto check = checked(store, leaf, {golden_certificate("rsa2048"), intermediate, leaf});
  EXPECT_EQ(check.verdict, PathVerdict::trusted) << check.reason;
  EXPECT_EQ(check.chain, (std::vector{leaf, intermediate, golden_certificate("root")}));
  // Remembered: the helper is not needed any more.
  EXPECT_EQ(checked(store, leaf, {}).verdict, PathVerdict::trusted);
  EXPECT_EQ(checked(store, leaf, {}).chain.size(), 3U);
}

TEST(TrustStore, AMissingHelperIsNotHeldAgainstTheSignerLater) {
  const auto store = root_store();
  const auto leaf = golden_certificate("leaf");
  EXPECT_EQ(checked(store, leaf, {}).verdict, PathVerdict::untrusted);
  EXPECT_EQ(checked(store, leaf, {golden_certificate("intermediate")}).verdict,
            PathVerdict::trusted);
}

TEST(TrustStore, SelfSignedHelpersNeverBecomeAnchors) {
  const auto store = TrustStore({golden_certificate("rsa2048")});
  const auto leaf = golden_certificate("leaf");
  const auto check =
      checked(store, leaf, {golden_certificate("intermediate"), golden_certificate("root")});
  EXPECT_EQ(check.verdict, PathVerdict::untrusted);
  EXPECT_THAT(check.reason, HasSubstr("no trust anchor for issuer CN=intermediate"));
  EXPECT_TRUE(check.chain.empty());
  EXPECT_EQ(checked(TrustStore({}), leaf, {}).verdict, PathVerdict::untrusted);
  EXPECT_EQ(checked(store, golden_certificate("ec-p256"), {golden_certificate("ec-p256")}).verdict,
            PathVerdict::untrusted);
}

TEST(TrustStore, AnAnchorItselfIsTrustedWhileItIsValid) {
  const auto store = TrustStore({golden_certificate("leaf"), golden_certificate("expired")});
  const auto check = checked(store, golden_certificate("leaf"), {});
  EXPECT_EQ(check.verdict, PathVerdict::trusted);
  EXPECT_EQ(check.chain.size(), 1U);
  EXPECT_EQ(checked(store, golden_certificate("expired"), {}).verdict, PathVerdict::expired);
}

TEST(TrustStore, AnEndEntityAnchorVouchesForNobodyElse) {
  const auto anchor = issue({"CN=device", {key_usage_extension({KeyUsageBit::digitalSignature})}});
  const auto below = issue({"CN=below", {}}, &anchor);
  EXPECT_EQ(checked(TrustStore({anchor.certificate}), below.certificate, {}).verdict,
            PathVerdict::untrusted);
}

TEST(TrustStore, DatesAreLookedAtEachTime) {
  const auto store = root_store();
  const auto expired = golden_certificate("expired");
  EXPECT_EQ(checked(store, expired, {}).verdict, PathVerdict::expired);
  const Time then = *from_iso8601("2020-06-01T00:00:00Z");
  // The root is younger than that certificate, so there was never a valid path.
  EXPECT_EQ(checked(store, expired, {}, then).verdict, PathVerdict::expired);

  const auto root = issue({"CN=root", ca_extensions()});
  const auto leaf = issue({"CN=leaf", {}}, &root);
  const TrustStore own({root.certificate});
  EXPECT_EQ(checked(own, leaf.certificate, {}).verdict, PathVerdict::trusted);
  EXPECT_EQ(checked(own, leaf.certificate, {}, golden_time() + std::chrono::hours(9000)).verdict,
            PathVerdict::expired);
  EXPECT_EQ(checked(own, leaf.certificate, {}, golden_time() - std::chrono::hours(25)).verdict,
            PathVerdict::expired);
  EXPECT_EQ(checked(own, leaf.certificate, {}).verdict, PathVerdict::trusted);
}

TEST(TrustStore, IntermediatesMustBeCas) {
  const auto store = root_store();
  EXPECT_EQ(checked(store, golden_certificate("below-not-a-ca"), {golden_certificate("not-a-ca")})
                .verdict,
            PathVerdict::untrusted);

  const auto root = issue({"CN=root", ca_extensions()});
  const auto no_usage = issue({"CN=sub",
                               {basic_constraints_extension(true, {}),
                                key_usage_extension({KeyUsageBit::digitalSignature})}},
                              &root);
  const auto leaf = issue({"CN=leaf", {}}, &no_usage);
  const TrustStore own({root.certificate});
  EXPECT_EQ(checked(own, no_usage.certificate, {}).verdict, PathVerdict::trusted);
  EXPECT_EQ(checked(own, leaf.certificate, {no_usage.certificate}).verdict, PathVerdict::untrusted);
}

TEST(TrustStore, PathLengthAndNameConstraintsHold) {
  EXPECT_EQ(checked(root_store(), golden_certificate("below-constrained"),
                    {golden_certificate("constrained")})
                .verdict,
            PathVerdict::untrusted);

  auto extensions = ca_extensions();
  extensions[0] = basic_constraints_extension(true, 0);
  const auto root = issue({"CN=root", extensions});
  const auto sub = issue({"CN=sub", ca_extensions()}, &root);
  const auto leaf = issue({"CN=leaf", {}}, &sub);
  EXPECT_EQ(checked(TrustStore({root.certificate}), leaf.certificate, {sub.certificate}).verdict,
            PathVerdict::untrusted);
}

TEST(TrustStore, UnknownCriticalExtensionsAreRefused) {
  const auto root = issue({"CN=root", ca_extensions()});
  const auto leaf = issue({"CN=leaf", {{Oid("1.2.3.4"), true, hex("0500")}}}, &root);
  const auto check = checked(TrustStore({root.certificate}), leaf.certificate, {});
  EXPECT_EQ(check.verdict, PathVerdict::untrusted);
  EXPECT_THAT(check.reason, HasSubstr("critical"));
}

TEST(TrustStore, Sha1InThePathIsRefused) {
  EXPECT_EQ(checked(root_store(), golden_certificate("sha1"), {}).verdict, PathVerdict::untrusted);
}

TEST(TrustStore, AForgedIssuerOfTheSameNameIsRefused) {
  const auto root = issue({"CN=root", ca_extensions()});
  const auto forged = issue({"CN=root", ca_extensions()});
  const auto leaf = issue({"CN=leaf", {}}, &forged);
  const TrustStore store({root.certificate});
  for (int i = 0; i < 2; ++i) {  // the second answer is the remembered one
    EXPECT_EQ(checked(store, leaf.certificate, {forged.certificate}).verdict,
              PathVerdict::untrusted);
  }
}

TEST(TrustStore, AFloodOfHelpersIsCutShort) {
  const auto root = issue({"CN=root", ca_extensions()});
  const auto sub = issue({"CN=sub", ca_extensions()}, &root);
  const auto leaf = issue({"CN=leaf", {}}, &sub);
  std::vector<Certificate> helpers = {sub.certificate};
  for (int i = 0; i < 60; ++i) helpers.push_back(issue({"CN=sub", ca_extensions()}).certificate);
  EXPECT_EQ(checked(TrustStore({root.certificate}), leaf.certificate, helpers).verdict,
            PathVerdict::trusted);
}

TEST(TrustStore, ServesManyThreads) {
  const auto root = issue({"CN=root", ca_extensions()});
  const auto sub = issue({"CN=sub", ca_extensions()}, &root);
  std::vector<Certificate> leaves;
  for (int i = 0; i < 8; ++i) {
    leaves.push_back(issue({"CN=leaf" + std::to_string(i), {}}, &sub).certificate);
  }
  const TrustStore store({root.certificate});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        for (const auto& leaf : leaves) {
          const auto check = store.check(leaf, {sub.certificate}, golden_time());
          EXPECT_TRUE(check && check->verdict == PathVerdict::trusted);
          EXPECT_TRUE(leaf.public_key().has_value());
        }
      }
    });
  }
}

TEST(IssuedBy, ComparesNameAndSignature) {
  const auto root = golden_certificate("root");
  const auto intermediate = golden_certificate("intermediate");
  const auto leaf = golden_certificate("leaf");
  EXPECT_TRUE(issued_by(leaf, intermediate).value());
  EXPECT_TRUE(issued_by(intermediate, root).value());
  EXPECT_TRUE(issued_by(root, root).value());
  EXPECT_FALSE(issued_by(leaf, root).value());
  const auto forged = issue({"CN=intermediate,O=Grid,C=DE", ca_extensions()});
  EXPECT_EQ(issued_by(leaf, forged.certificate).value_or(false), false);
  EXPECT_THAT(issued_by(golden_certificate("sha1"), root), Fails(HasSubstr("SHA-1")));
}

}  // namespace
}  // namespace cmpost
