#include "report/report_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/keys/algorithm.h"
#include "tests/report/sample_run.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunFacts facts_of_two() {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 1}, {ItemResult::refused, 1}});
  return facts;
}

RunItems two_items() {
  return items_of(
      {sample_item(ItemResult::granted, "CN=a"), sample_item(ItemResult::refused, "CN=b")});
}

Result<Bytes> sign_plainly(ByteView sums) { return to_bytes("signed " + to_hex(sha256(sums))); }

class ReportFiles : public ::testing::Test {
 protected:
  Result<void> write(const SignSums& sign = {}) {
    return write_report(report_, facts_of_two(), two_items(), sign);
  }
  TemporaryDirectory directory_;
  std::string report_ = directory_ / "nightly-214";
};

TEST_F(ReportFiles, AreFiveWithTheirSums) {
  ASSERT_THAT(write(sign_plainly), IsOk());
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("nightly-214"));
  EXPECT_THAT(names_in(report_), ElementsAre("SHA256SUMS", "SHA256SUMS.p7s", "report.csv",
                                             "report.html", "report.json"));
  std::string sums;
  for (const auto* name : {"report.csv", "report.html", "report.json"}) {
    sums += to_hex(sha256(view_of(contents_of(report_ + "/" + name)))) + "  " + name + "\n";
  }
  EXPECT_EQ(contents_of(report_ + "/SHA256SUMS"), sums);
  EXPECT_EQ(contents_of(report_ + "/SHA256SUMS.p7s"), "signed " + to_hex(sha256(view_of(sums))));
  struct stat status {};
  ASSERT_EQ(::stat((report_ + "/report.html").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0027U, 0U);
}

TEST_F(ReportFiles, AreTheSameForTheSameRun) {
  ASSERT_THAT(write(), IsOk());
  ASSERT_THAT(write_report(directory_ / "again/", facts_of_two(), two_items(), {}), IsOk());
  for (const auto* name : {"SHA256SUMS", "report.csv", "report.html", "report.json"}) {
    EXPECT_EQ(contents_of(report_ + "/" + name), contents_of(directory_ / "again" + "/" + name));
  }
}

TEST_F(ReportFiles, ASecondCallIsFineAndAddsAMissingSignature) {
  ASSERT_THAT(write(), IsOk());
  ASSERT_THAT(write(), IsOk());
  EXPECT_FALSE(std::filesystem::exists(report_ + "/SHA256SUMS.p7s"));
  ASSERT_THAT(write(sign_plainly), IsOk());
  const auto signature = contents_of(report_ + "/SHA256SUMS.p7s");
  EXPECT_THAT(signature, HasSubstr("signed "));
  ASSERT_THAT(write(sign_plainly), IsOk());
  const auto another = [](ByteView) -> Result<Bytes> { return to_bytes("signed otherwise"); };
  EXPECT_THAT(write(another), Fails(HasSubstr("SHA256SUMS.p7s is another one")));
  EXPECT_EQ(contents_of(report_ + "/SHA256SUMS.p7s"), signature);
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("nightly-214"));
}

TEST_F(ReportFiles, AnotherReportIsNotOverwritten) {
  ASSERT_THAT(write(), IsOk());
  write_in_place(report_ + "/report.csv", "mended by hand");
  EXPECT_THAT(write(), Fails(HasSubstr("report.csv is another one than the records")));
  EXPECT_EQ(contents_of(report_ + "/report.csv"), "mended by hand");
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("nightly-214"));
}

TEST_F(ReportFiles, NothingIsLeftOfAReportThatCannotBeMade) {
  const auto torn = [](const auto&) -> Result<void> { return retry("database is busy"); };
  EXPECT_THAT(write_report(report_, facts_of_two(), torn, {}), Fails(HasSubstr("busy")));
  EXPECT_THAT(write([](ByteView) -> Result<Bytes> { return hold("no key"); }),
              Fails(HasSubstr("no key")));
  EXPECT_THAT(names_in(directory_.path()), IsEmpty());
  EXPECT_FALSE(write_report(directory_ / "none/x", facts_of_two(), two_items(), {}));
  EXPECT_FALSE(write_report("/", facts_of_two(), two_items(), {}));
}

TEST_F(ReportFiles, SaySoWhenTheItemsAreNotWhatWasCounted) {
  ASSERT_THAT(write_report(report_, quiet_run(), two_items(), {}), IsOk());
  EXPECT_THAT(contents_of(report_ + "/report.json"), HasSubstr("\"task\": \"add_up\""));
  EXPECT_THAT(contents_of(report_ + "/report.html"), HasSubstr("numbers do not add up"));
}

TEST(ReportCrash, DISABLED_Write) {
  ASSERT_THAT(write_report(crash_directory() + "/r", facts_of_two(), two_items(), sign_plainly),
              IsOk());
}

TEST(ReportCrash, LeavesAWholeReportOrNone) {
  int steps = 0;
  for (;; ++steps) {
    TemporaryDirectory directory;
    if (!crashes_at("ReportCrash.DISABLED_Write", directory.path(), std::to_string(steps + 1))) {
      break;
    }
    if (std::filesystem::exists(directory / "r")) {
      EXPECT_EQ(names_in(directory / "r").size(), 5U);
    }
    ASSERT_THAT(write_report(directory / "r", facts_of_two(), two_items(), sign_plainly), IsOk());
    EXPECT_EQ(names_in(directory / "r").size(), 5U);
    EXPECT_THAT(names_in(directory.path()), ElementsAre("r"));
  }
  EXPECT_GE(steps, 7);
}

}  // namespace
}  // namespace cmpost
