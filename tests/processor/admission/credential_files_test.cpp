// A key and its certificate in two files, exchanged as one.
#include "processor/admission/credential_files.h"

#include "ca/own_certificate.h"
#include "tests/processor/ca_under_test.h"
#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

KeyPair pair_of(const std::string& subject) {
  SystemRandom random;
  const auto now = SystemClock().now();
  auto key = must(PrivateKey::generate("ec:P-256"));
  auto certificate = must(make_self_signed(
      key,
      {OwnUse::registration, must(Name::from_text(subject)), now, now + std::chrono::hours(24), {}},
      random));
  return {std::move(key), {std::move(certificate)}};
}

void put_pair(const std::string& directory, const std::string& subject) {
  must(write_pair(pair_of(subject), directory + "/k.pem", directory + "/c.pem", std::nullopt));
}

TEST(OwnPair, DISABLED_IsExchanged) { put_pair(crash_directory(), "CN=new"); }

TEST(OwnPair, IsTheFormerOrTheNewOneWhereverAProcessDies) {
  std::set<std::string> found;
  const int runs = killed_at_each_step(
      "OwnPair.DISABLED_IsExchanged", [](const std::string& at) { put_pair(at, "CN=old"); },
      [&](const std::string& at, bool) {
        const auto pair = must(read_pair(at + "/k.pem", at + "/c.pem", std::nullopt));
        const auto& certificate = pair.certificates.front();
        EXPECT_TRUE(equal(pair.key.public_key().spki(), certificate.spki()));
        found.insert(certificate.subject_text());
      });
  EXPECT_GT(runs, 6);
  EXPECT_THAT(found, ::testing::ElementsAre("CN=new", "CN=old"));
}

TEST(OwnPair, HalfOfEachIsAnError) {
  const TemporaryDirectory directory;
  put_pair(directory.path(), "CN=a");
  must(write_file(directory / "c.pem", view_of(pair_of("CN=b").certificates.front().to_pem()), 0644,
                  IfExists::replace));
  const auto read = read_pair(directory / "k.pem", directory / "c.pem", std::nullopt);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, ::testing::HasSubstr("does not belong"));
}

}  // namespace
}  // namespace cmpost
