#include "carrier/received_batches.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kStream = "0f1e2d3c4b5a6978";

class ReceivedBatchesTest : public ::testing::Test {
 protected:
  ReceivedBatches read() { return ReceivedBatches::read(path_).value(); }
  BatchManifest manifest(std::uint64_t number, const std::string& stream = kStream) {
    return {.stream = stream,
            .number = number,
            .previous = hash(number - 1),
            .created = {},
            .files = {}};
  }
  Sha256 hash(std::uint64_t number) {
    return number == 0 ? Sha256{} : sha256(view_of(std::to_string(number)));
  }
  void add(std::initializer_list<std::uint64_t> numbers, const std::string& stream = kStream) {
    auto received = read();
    for (const auto number : numbers) {
      ASSERT_THAT(received.add(manifest(number, stream), hash(number), Time{}), IsOk());
    }
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "received";
};

TEST_F(ReceivedBatchesTest, WhatIsMissingIsNamedExactly) {
  add({1, 2});
  EXPECT_THAT(read().complaints(), IsEmpty());
  add({4});
  EXPECT_THAT(read().complaints(), ElementsAre("batch 3 missing, 4 complete"));
  add({8});
  EXPECT_THAT(read().complaints(),
              ElementsAre("batch 3 missing, 4 complete", "batches 5-7 missing, 8 complete"));
  add({3, 5, 6, 7});
  EXPECT_THAT(read().complaints(), IsEmpty());
}

TEST_F(ReceivedBatchesTest, TheFirstBatchesCanBeMissingToo) {
  add({3});
  EXPECT_THAT(read().complaints(), ElementsAre("batches 1-2 missing, 3 complete"));
}

TEST_F(ReceivedBatchesTest, ATornBatchIsNotAMissingOne) {
  add({1, 4});
  auto received = read();
  ASSERT_THAT(received.set_torn({{kStream, {{3, "1 of 2 files are whole"}}}}), IsOk());
  EXPECT_THAT(read().complaints(),
              ElementsAre("batch 2 missing, 3 torn", "batch 3 torn: 1 of 2 files are whole"));
  ASSERT_THAT(received.set_torn({}), IsOk());
  EXPECT_THAT(read().complaints(), ElementsAre("batches 2-3 missing, 4 complete"));
}

TEST_F(ReceivedBatchesTest, WhatIsGivenUpIsMissedNoLonger) {
  add({1, 4, 7});
  auto received = read();
  EXPECT_EQ(received.skip({1, 5}).value().text(), "2-3,5");
  EXPECT_THAT(read().complaints(), ElementsAre("batch 6 missing, 7 complete"));
  EXPECT_TRUE(read().skip({8, 9}).value().empty()) << "they may still come in order";
  EXPECT_TRUE(read().has(kStream, 4));
  EXPECT_FALSE(read().has(kStream, 5)) << "when it comes after all, it is taken";
}

TEST_F(ReceivedBatchesTest, WhatIsTornAndGivenUpIsToldOfNoLonger) {
  add({1, 3});
  const std::map<std::string, std::map<std::uint64_t, std::string>> torn = {
      {kStream, {{2, "1 of 2 files are whole"}, {4, "0 of 1 files are whole"}}}};
  auto received = read();
  ASSERT_THAT(received.set_torn(torn), IsOk());
  EXPECT_EQ(received.skip({2, 2}).value().text(), "2");
  EXPECT_THAT(read().complaints(), ElementsAre("batch 4 torn: 0 of 1 files are whole"));
  ASSERT_THAT(received.set_torn(torn), IsOk()) << "it still lies there";
  EXPECT_THAT(read().complaints(), ElementsAre("batch 4 torn: 0 of 1 files are whole"));
}

TEST_F(ReceivedBatchesTest, EachStreamHasNumbersOfItsOwn) {
  add({1, 2});
  add({2}, "ffffffffffffffff");
  EXPECT_THAT(read().complaints(),
              ElementsAre("stream ffffffffffffffff: batch 1 missing, 2 complete"));
}

TEST_F(ReceivedBatchesTest, AnotherChainIsNoticed) {
  add({1, 2});
  EXPECT_EQ(read().chain_mistake(manifest(3), hash(3)), "");
  auto other = manifest(3);
  other.previous = hash(9);
  EXPECT_THAT(read().chain_mistake(other, hash(3)),
              HasSubstr("batch 3 does not follow the batch 2"));
  EXPECT_THAT(read().chain_mistake(manifest(2), hash(9)), HasSubstr("two different batches 2"));
}

TEST_F(ReceivedBatchesTest, ADamagedMemoryIsNotTakenForAnEmptyOne) {
  write_in_place(path_, "cmpost-received 1\ncomplete x 1\n");
  EXPECT_THAT(ReceivedBatches::read(path_), Fails(HasSubstr("damaged")));
}

TEST_F(ReceivedBatchesTest, AMemoryThatCannotBeReadIsNotTakenForNone) {
  add({1});
  const Unreadable memory(path_);
  EXPECT_THAT(ReceivedBatches::read(path_), Fails(HasSubstr("symbolic links")));
}

}  // namespace
}  // namespace cmpost
