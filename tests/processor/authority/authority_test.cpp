#include "processor/authority/authority.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "ca/issuer.h"
#include "ca/rollover.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;

MATCHER_P(IsTheCertificate, certificate, "") { return equal(arg.der, certificate.der()); }

// A root, a certificate for CMP below it, and the link of a change of the key.
class LoadAuthority : public ::testing::Test {
 protected:
  LoadAuthority() {
    const auto old = make_old_root();
    rollover_ =
        make_rollover(old, old_key_, {key_, clock_.now() - hours(2), clock_.now() + hours(90'000)},
                      random_)
            .value();
    root_ = rollover_->newWithNew;
    auto issuer = Issuer::create(*root_, key_, random_, clock_).value();
    cmp_ = make_cmp_certificate(issuer, cmp_key_.public_key(), name("CN=CMP"), clock_.now(),
                                clock_.now() + hours(1'000))
               .value();
    save("ca.key", key_.to_pem().value());
    save("cmp.key", cmp_key_.to_pem().value());
    save("cmp.pem", cmp_->to_pem());
  }

  static Name name(const char* text) { return Name::from_text(text).value(); }
  Certificate make_old_root() {
    return make_root(old_key_, name("CN=Root"), clock_.now() - hours(10),
                     clock_.now() + hours(1'000), random_)
        .value();
  }
  void save(const char* file, const std::string& text) {
    ASSERT_THAT(write_file(directory_ / file, view_of(text), 0600, IfExists::fail), IsOk());
  }
  Result<Authority> load(const std::string& ca_certificates, bool send_root,
                         const char* cmp_file = "cmp.pem") {
    save("ca.pem", ca_certificates);
    CaSettings settings;
    settings.certificate = directory_ / "ca.pem";
    settings.key = directory_ / "ca.key";
    settings.cmp_certificate = directory_ / cmp_file;
    settings.cmp_key = directory_ / "cmp.key";
    settings.send_root = send_root;
    return load_authority(settings, random_, clock_);
  }

  FakeClock clock_;
  FakeRandom random_;
  TemporaryDirectory directory_;
  const PrivateKey old_key_ = PrivateKey::generate("ec:P-256").value();
  const PrivateKey key_ = PrivateKey::generate("ec:P-256").value();
  const PrivateKey cmp_key_ = PrivateKey::generate("ec:P-256").value();
  std::optional<CaRollover> rollover_;
  std::optional<Certificate> root_, cmp_;
};

TEST_F(LoadAuthority, AnswersBringNoRootAlong) {
  const auto authority = load(root_->to_pem(), false).value();
  EXPECT_THAT(authority.identity.chain, ElementsAre(IsTheCertificate(*cmp_)));
  EXPECT_THAT(authority.identity.issuers, ElementsAre());
  EXPECT_THAT(authority.ca_chain, ElementsAre(IsTheCertificate(*root_)));
}

TEST_F(LoadAuthority, UnlessTheyAreToldTo) {
  const auto authority = load(root_->to_pem(), true).value();
  EXPECT_THAT(authority.identity.chain,
              ElementsAre(IsTheCertificate(*cmp_), IsTheCertificate(*root_)));
  EXPECT_THAT(authority.identity.issuers, ElementsAre(IsTheCertificate(*root_)));
}

TEST_F(LoadAuthority, ARootBehindTheCertificateForCmpStaysHereToo) {
  save("with_root.pem", cmp_->to_pem() + root_->to_pem());
  const auto authority = load(root_->to_pem(), false, "with_root.pem").value();
  EXPECT_THAT(authority.identity.chain, ElementsAre(IsTheCertificate(*cmp_)));
}

TEST_F(LoadAuthority, ALinkIsNoRoot) {
  const auto& link = rollover_->newWithOld;
  ASSERT_TRUE(link.is_self_issued());
  const auto authority = load(link.to_pem() + rollover_->oldWithOld.to_pem(), false).value();
  EXPECT_THAT(authority.identity.chain,
              ElementsAre(IsTheCertificate(*cmp_), IsTheCertificate(link)));
  EXPECT_THAT(authority.identity.issuers, ElementsAre(IsTheCertificate(link)));
}

}  // namespace
}  // namespace cmpost
