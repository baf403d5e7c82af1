#include "app/instance/lifetimes.h"

#include <nlohmann/json.hpp>

#include "ca/crl_publisher.h"
#include "ca/ledger/clock_record.h"
#include "tests/app/instance_under_test.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LifetimesTest : public ::testing::Test {
 protected:
  LifetimesTest() {
    make_instance(directory_.path());
    insert_settings(directory_.path(), "crl = ", "#");
    insert_settings(directory_.path(), "#crl = ", "crl = { lifetime = \"12d\", delta = \"3d\" }\n");
    instance_ = open_instance(directory_.path(), clock_);
    EXPECT_THAT(issue_crl(*instance_), IsOk());
  }
  std::vector<LifetimeWarning> warnings() { return find_lifetime_warnings(*instance_).value(); }
  std::string logged() {
    ::testing::internal::CaptureStderr();
    EXPECT_THAT(log_lifetime_warnings(*instance_), IsOk());
    return ::testing::internal::GetCapturedStderr();
  }

  TemporaryDirectory directory_;
  // The next noon, so that what happens on one day does not depend on when the test runs; not more
  // than a day ahead, which the instance would not believe (usual_off).
  FakeClock clock_{std::chrono::ceil<std::chrono::days>(SystemClock().now() - 12h) + 12h};
  std::unique_ptr<Instance> instance_;
};

TEST_F(LifetimesTest, CrlIsWarnedOfAtAThirdAndIsUrgentAtASixth) {
  EXPECT_THAT(warnings(), IsEmpty());
  clock_.advance(24h * 8 - 5min);
  EXPECT_THAT(warnings(), IsEmpty());
  clock_.advance(5min);
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_FALSE(warnings()[0].urgent);
  EXPECT_THAT(warnings()[0].text, HasSubstr("the CRL ends in 4 d"));
  clock_.advance(24h * 2);
  EXPECT_TRUE(warnings()[0].urgent);
  clock_.advance(24h * 2);
  EXPECT_THAT(warnings()[0].text, HasSubstr("the CRL is over since"));
}

TEST_F(LifetimesTest, DeltaCrlCountsUntilTheNextCompleteOne) {
  ASSERT_THAT(issue_delta_crl(*instance_), IsOk());
  clock_.advance(24h * 4 + 1s);
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_THAT(warnings()[0].text, HasSubstr("the delta CRL ends in 47 h"));
  clock_.advance(24h);
  EXPECT_TRUE(warnings()[0].urgent);
  ASSERT_THAT(issue_crl(*instance_), IsOk());
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(LifetimesTest, ListOfAnotherCaThatIsTooOldIsNoAlarm) {
  TBSCertList list;
  list.issuer = Name::from_text("CN=Other CA").value();
  list.thisUpdate = clock_.now();
  list.nextUpdate = clock_.now() + 24h;
  const auto key = PrivateKey::generate("ec:P-256").value();
  const auto crl = sign_crl(list, Signer::create(key).value()).value();
  ASSERT_THAT(write_file(directory_ / "other.crl", crl, 0644, IfExists::fail), IsOk());
  insert_settings(directory_.path(), "profiles = [", "crls = [\"other.crl\"]\n");
  instance_ = open_instance(directory_.path(), clock_);
  EXPECT_THAT(warnings(), IsEmpty());
  clock_.advance(25h);
  ASSERT_THAT(warnings(), SizeIs(1));
  EXPECT_FALSE(warnings()[0].urgent);
  EXPECT_THAT(warnings()[0].text, HasSubstr("the CRL of CN=Other CA in `crls` of channel drop"));
}

TEST_F(LifetimesTest, CheckAndStatusTellByExitCodeAndWords) {
  const auto config = directory_ / "cmpost.toml";
  const auto run = [&](const char* command) {
    const char* const words[] = {"cmpost", "--config", config.c_str(), command};
    return run_program(4, words);
  };
  const auto now = SystemClock().now();
  for (const auto& [age, code, word] :
       {std::tuple(0h, ExitCode::ok, "next one due"),
        std::tuple(24h * 9, ExitCode::partly, "warning: the CRL"),
        std::tuple(24h * 11, ExitCode::failed, "URGENT: the CRL")}) {
    clock_.set(now - age);
    ASSERT_THAT(confirm_clock(*instance_->ledger().value(), instance_->watched_clock(),
                              nlohmann::json{{"account", "test"}}),
                IsOk());
    ASSERT_THAT(issue_crl(*instance_), IsOk());
    const char* const confirm[] = {"cmpost",       "--quiet", "--config",
                                   config.c_str(), "clock",   "confirm"};
    ASSERT_EQ(run_program(6, confirm), ExitCode::ok);
    EXPECT_EQ(run("check"), code);
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(run("status"), code);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr(word));
  }
}

TEST_F(LifetimesTest, LogSaysItOnceADayAndWhenItBecomesUrgent) {
  EXPECT_THAT(logged(), IsEmpty());
  clock_.set(std::chrono::ceil<std::chrono::days>(clock_.now() + 24h * 8));
  EXPECT_THAT(logged(), AllOf(HasSubstr(" warning lifetime.ends"), HasSubstr("the CRL ends in")));
  clock_.advance(23h);
  EXPECT_THAT(logged(), IsEmpty());
  clock_.advance(1h);
  EXPECT_THAT(logged(), HasSubstr(" warning lifetime.ends"));
  clock_.advance(23h);
  EXPECT_THAT(logged(), HasSubstr(" error lifetime.ends")) << "the same day, but urgent by now";
}

TEST_F(LifetimesTest, ServiceRenewsInTimeAndSoHasNothingToSay) {
  ::testing::internal::CaptureStderr();
  for (int day = 0; day < 30; ++day) {
    clock_.advance(24h);
    ASSERT_THAT(maintain(*instance_), IsOk());
    EXPECT_THAT(warnings(), IsEmpty()) << "day " << day;
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("lifetime.ends")));
  const auto reader = (*instance_->ledger())->reader().value();
  const auto complete = reader->newest_crl().value(), delta = reader->newest_delta_crl().value();
  EXPECT_GT(complete->first, 6U) << "a complete one every six days, deltas between";
  EXPECT_NE(delta, std::nullopt);
}

}  // namespace
}  // namespace cmpost
