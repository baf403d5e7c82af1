#include "sftp/taken_ledger.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

JobId key(int number) { return make_job_id({view_of(std::to_string(number))}); }

TEST(TakenLedger, RemembersAcrossOpenings) {
  const TemporaryDirectory directory;
  const auto path = directory / "taken";
  {
    auto ledger = TakenLedger::open(path).value();
    const JobId keys[] = {key(1), key(2)};
    EXPECT_THAT(ledger.add(keys), IsOk());
  }
  const auto ledger = TakenLedger::open(path).value();
  EXPECT_TRUE(ledger.has(key(1)));
  EXPECT_TRUE(ledger.has(key(2)));
  EXPECT_FALSE(ledger.has(key(3)));
}

TEST(TakenLedger, ATornEndCostsOneLineOnly) {
  const TemporaryDirectory directory;
  const auto path = directory / "taken";
  const auto whole = "cmpost taken 1\n" + key(1).text() + "\n" + key(2).text() + "\n";
  for (std::size_t cut = 1; cut < 33; ++cut) {
    write_in_place(path, whole.substr(0, whole.size() - cut));
    auto ledger = TakenLedger::open(path).value();
    EXPECT_TRUE(ledger.has(key(1)));
    EXPECT_FALSE(ledger.has(key(2)));
    const auto three = key(3);
    EXPECT_THAT(ledger.add({&three, 1}), IsOk());
    EXPECT_EQ(contents_of(path), "cmpost taken 1\n" + key(1).text() + "\n" + three.text() + "\n");
  }
}

TEST(TakenLedger, AnotherFileIsNotOverwritten) {
  const TemporaryDirectory directory;
  const auto path = directory / "taken";
  write_in_place(path, "precious\n");
  EXPECT_FALSE(TakenLedger::open(path).has_value());
  EXPECT_EQ(contents_of(path), "precious\n");
}

TEST(TakenLedger, OneThatNobodyCanLookAtIsNotBegunAnew) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "state");
  const auto path = directory / "state/taken";
  ASSERT_THAT(TakenLedger::open(path), IsOk());
  const Unreadable gone(directory / "state");
  EXPECT_THAT(TakenLedger::open(path), Fails(::testing::HasSubstr("examining")));
}

TEST(TakenLedger, ShrinksWhenMostOfItIsGone) {
  const TemporaryDirectory directory;
  auto ledger = TakenLedger::open(directory / "taken").value();
  for (int i = 0; i < 10; ++i) {
    const auto one = key(i);
    EXPECT_THAT(ledger.add({&one, 1}), IsOk());
  }
  EXPECT_THAT(ledger.keep_only({key(0), key(1), key(2), key(3), key(4)}), IsOk());
  EXPECT_EQ(ledger.size(), 10U);
  EXPECT_THAT(ledger.keep_only({key(0), key(100)}), IsOk());
  EXPECT_EQ(ledger.size(), 1U);
  EXPECT_EQ(contents_of(directory / "taken").size(), 15U + 33U);
  const auto more = key(20);
  EXPECT_THAT(ledger.add({&more, 1}), IsOk());
  EXPECT_EQ(TakenLedger::open(directory / "taken").value().size(), 2U);
}

}  // namespace
}  // namespace cmpost
