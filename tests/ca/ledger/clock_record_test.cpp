#include "ca/ledger/clock_record.h"

#include <nlohmann/json.hpp>

#include "store/rows.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

constexpr auto kDay = 24h;

// One machine: its clocks, the ledger, and processes that come and go.
class ClockInTheLedger : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger_ =
        Ledger::open("sqlite:ledger.db", directory_.path(), wall_, {{"clock", clock_migrations()}})
            .value();
  }
  void start_process() { clock_.emplace(wall_, since_boot_, boot_); }
  ClockDoubt look() {
    EXPECT_THAT(look_at_clock(*ledger_, *clock_), IsOk());
    return clock_->state().doubt;
  }
  ClockDoubt process_looks() {
    start_process();
    return look();
  }
  void write_record() {
    ASSERT_THAT(ledger_->write([](LedgerWriter& writer) { return writer.audit("test", "{}"); }),
                IsOk());
  }
  std::vector<AuditRecord> audit() { return ledger_->reader().value()->audit(0, 100).value(); }

  TemporaryDirectory directory_;
  FakeClock wall_, since_boot_{Time(5h)};
  std::string boot_ = "1";
  std::unique_ptr<Ledger> ledger_;
  std::optional<WatchedClock> clock_;
};

TEST_F(ClockInTheLedger, IsBelievedAtFirstAndLeavesNoRecord) {
  EXPECT_EQ(process_looks(), ClockDoubt::none);
  EXPECT_TRUE(audit().empty());
}

// Of another version, or damaged: nobody knows that the clock was believed.
TEST_F(ClockInTheLedger, AnUnknownDoubtIsNoneThatIsOver) {
  process_looks();
  ASSERT_THAT(ledger_->write([](LedgerWriter& writer) -> Result<void> {
    TRY(change(writer.connection(), "UPDATE clock SET doubt = 'too new'"));
    return {};
  }),
              IsOk());
  start_process();
  EXPECT_THAT(look_at_clock(*ledger_, *clock_), Fails(HasSubstr("too new")));
}

TEST_F(ClockInTheLedger, IsJudgedByTheNextProcess) {
  process_looks();
  wall_.advance(31 * kDay);
  EXPECT_EQ(process_looks(), ClockDoubt::ahead);
  EXPECT_EQ(clock_->sure().now(), wall_.now() - 31 * kDay);
  EXPECT_EQ(process_looks(), ClockDoubt::ahead);
  ASSERT_EQ(audit().size(), 1U) << "once per change";
  EXPECT_EQ(audit()[0].event, "clock.doubted");
  EXPECT_THAT(audit()[0].detail, HasSubstr("ahead"));
  wall_.advance(30 * kDay);
  since_boot_.advance(30 * kDay);
  EXPECT_EQ(process_looks(), ClockDoubt::ahead);
  EXPECT_EQ(clock_->sure().now(), wall_.now() - 31 * kDay);
  EXPECT_EQ(audit().size(), 1U);
}

TEST_F(ClockInTheLedger, SmallStepIsBelievedAfterAnHourByTheNextProcess) {
  process_looks();
  wall_.advance(30min);
  EXPECT_EQ(process_looks(), ClockDoubt::ahead);
  wall_.advance(1h);
  since_boot_.advance(1h);
  EXPECT_EQ(process_looks(), ClockDoubt::none);
  EXPECT_EQ(clock_->sure().now(), wall_.now());
  EXPECT_EQ(audit().back().event, "clock.accepted");
  EXPECT_THAT(audit().back().detail, HasSubstr("long enough"));
}

TEST_F(ClockInTheLedger, ThatIsRightAgainIsBelievedAgain) {
  process_looks();
  wall_.advance(31 * kDay);
  look();
  wall_.advance(-31 * kDay);
  EXPECT_EQ(look(), ClockDoubt::none);
  EXPECT_THAT(audit().back().detail, HasSubstr("right again"));
}

TEST_F(ClockInTheLedger, ThatWasAheadBetweenTwoLooksIsNoticedByTheRecordsOfThatTime) {
  process_looks();
  wall_.advance(31 * kDay);
  write_record();
  wall_.advance(-31 * kDay);
  EXPECT_EQ(look(), ClockDoubt::none);
  EXPECT_EQ(audit().back().event, "clock.accepted");
  EXPECT_EQ(audit().back().time, wall_.now());
  look();
  EXPECT_EQ(audit().size(), 2U);
}

TEST_F(ClockInTheLedger, OfAnOlderVersionIsComparedWithTheNewestRecord) {
  write_record();
  wall_.advance(-2 * kDay);
  EXPECT_EQ(process_looks(), ClockDoubt::behind);
  wall_.advance(2 * kDay + 1h);
  EXPECT_EQ(process_looks(), ClockDoubt::none);
}

TEST_F(ClockInTheLedger, OfAnOlderVersionIsComparedWithTheNewestCrl) {
  ASSERT_THAT(ledger_->write([&](LedgerWriter& writer) {
    return writer.add_crl(1, to_bytes(view_of("crl")), wall_.now() + kDay, wall_.now() + 2 * kDay);
  }),
              IsOk());
  EXPECT_EQ(process_looks(), ClockDoubt::behind);
}

TEST_F(ClockInTheLedger, IsConfirmedByAPerson) {
  process_looks();
  wall_.advance(-365 * kDay);
  EXPECT_EQ(look(), ClockDoubt::behind);
  ASSERT_THAT(confirm_clock(*ledger_, *clock_, nlohmann::json{{"account", "a \"b\""}}), IsOk());
  EXPECT_EQ(clock_->sure().now(), wall_.now());
  EXPECT_EQ(look(), ClockDoubt::none);
  EXPECT_EQ(process_looks(), ClockDoubt::none);
  EXPECT_EQ(audit().back().event, "clock.confirmed");
  EXPECT_THAT(audit().back().detail, HasSubstr(R"("account":"a \"b\"")"));
  EXPECT_THAT(audit().back().detail, HasSubstr("behind"));
  EXPECT_EQ(ledger_->verify_audit().value(), std::nullopt);
}

TEST_F(ClockInTheLedger, ThatIsConfirmedIsNoticedByARunningProcess) {
  process_looks();
  wall_.advance(-365 * kDay);
  EXPECT_EQ(look(), ClockDoubt::behind);
  WatchedClock of_another(wall_, since_boot_, boot_);
  ASSERT_THAT(confirm_clock(*ledger_, of_another, nlohmann::json{{"account", "operator"}}), IsOk());
  EXPECT_EQ(look(), ClockDoubt::none);
}

TEST_F(ClockInTheLedger, IsNotWrittenAtEachLook) {
  process_looks();
  const auto written = ledger_->reader().value();
  const auto first = read_clock(written->connection()).value()->accepted.wall;
  since_boot_.advance(30s);
  wall_.advance(30s);
  look();
  EXPECT_EQ(read_clock(written->connection()).value()->accepted.wall, first);
  since_boot_.advance(10min);
  wall_.advance(10min);
  look();
  EXPECT_EQ(read_clock(written->connection()).value()->accepted.wall, wall_.now());
}

}  // namespace
}  // namespace cmpost
