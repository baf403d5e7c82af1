#include "carrier/batch_sender.h"

#include "base/log.h"
#include "carrier/batch_assembly.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BatchSenderTest : public ::testing::Test {
 protected:
  BatchSenderTest() {
    std::filesystem::create_directory(out_);
    settings_ = {.state = directory_ / "state", .out = out_, .staging = {}};
    restart();
  }
  void restart() { sender_.emplace(settings_, clock_, random_); }
  std::uint64_t add(const std::string& name, const std::string& contents) {
    const BatchItem item{"id of " + name, name, view_of(contents)};
    return sender_->add({&item, 1}).value();
  }
  std::vector<EmittedCopy> emit() { return sender_->emit().value(); }
  // The batch of that number as a receiver finds it in `out`.
  Assembly received(std::uint64_t number) {
    ArrivedBatches arrived;
    for (const auto& name : names_in(out_)) arrived.add(name);
    const auto directory = open_directory(out_).value();
    for (const auto& [key, batch] : arrived.all()) {
      if (key.second == number) return assemble(directory, batch);
    }
    return {std::nullopt, "nothing of it is there"};
  }

  TemporaryDirectory directory_;
  const std::string out_ = directory_ / "out";
  const BatchArchive::StillNeeded none_ = [](const auto&) { return false; };
  FakeClock clock_;
  SystemRandom random_;
  BatchSenderSettings settings_;
  std::optional<BatchSender> sender_;
};

TEST_F(BatchSenderTest, BatchesAreNumberedWithoutAGapAndChained) {
  EXPECT_EQ(add("a.pki", "first"), 1U);
  EXPECT_THAT(names_in(out_), IsEmpty());
  restart();
  EXPECT_EQ(add("a.pki", "second"), 2U);
  EXPECT_THAT(emit(), SizeIs(2));
  const auto first = received(1).batch, second = received(2).batch;
  ASSERT_TRUE(first && second);
  EXPECT_EQ(text_of(first->contents[0]), "first");
  EXPECT_EQ(text_of(second->contents[0]), "second");
  EXPECT_EQ(first->manifest.previous, Sha256{});
  EXPECT_EQ(second->manifest.previous, first->hash);
  EXPECT_EQ(second->manifest.stream, first->manifest.stream);
  EXPECT_THAT(emit(), IsEmpty());
}

TEST_F(BatchSenderTest, CopiesAreWrittenUnderNamesOfTheirOwnWhenTheirTimeComes) {
  settings_.copies = 3;
  settings_.repeat_after = 10min;
  restart();
  add("a.pki", "x");
  EXPECT_THAT(emit(), SizeIs(1));
  clock_.advance(9min);
  EXPECT_THAT(emit(), IsEmpty());
  clock_.advance(1min);
  restart();
  EXPECT_THAT(emit(), SizeIs(1));
  clock_.advance(10min);
  EXPECT_THAT(emit(), SizeIs(1));
  clock_.advance(24h);
  EXPECT_THAT(emit(), IsEmpty());
  EXPECT_THAT(names_in(out_), SizeIs(6));  // a file and a manifest each
}

TEST_F(BatchSenderTest, WhatIsAskedForAgainIsWrittenAgainAsItWas) {
  for (int i = 0; i < 4; ++i) add("a.pki", std::to_string(i));
  emit();
  const auto before = received(2).batch->hash;
  for (const auto& name : names_in(out_)) std::filesystem::remove(out_ + "/" + name);
  EXPECT_EQ(sender_->want_again({2, 3}).value().text(), "2-3");
  EXPECT_EQ(sender_->want_again({5, 9}).value().text(), "");
  EXPECT_THAT(emit(), SizeIs(2));
  EXPECT_EQ(received(2).batch->hash, before);
  EXPECT_EQ(text_of(received(3).batch->contents[0]), "2");
  EXPECT_FALSE(received(1).batch);
  for (const auto& name : names_in(out_)) EXPECT_THAT(name, HasSubstr("-2")) << "the second copy";
}

TEST_F(BatchSenderTest, ADirectoryThatIsAwayLosesNothing) {
  std::filesystem::rename(out_, directory_ / "away");
  add("a.pki", "x");
  EXPECT_THAT(sender_->emit(), Fails(HasSubstr("No such file")));
  restart();
  std::filesystem::rename(directory_ / "away", out_);
  EXPECT_THAT(emit(), SizeIs(1));
  EXPECT_TRUE(received(1).batch);
}

TEST_F(BatchSenderTest, AStrangersFileIsNeverOverwritten) {
  add("a.pki", "ours");
  std::string stream;
  {
    const auto archive = BatchArchive::open(settings_.state).value();
    stream = archive.read(1).value().manifest.stream;
  }
  const auto name = BatchName{stream, 1, 1, "a.pki"}.text();
  write_in_place(out_ + "/" + name, "theirs");
  EXPECT_THAT(emit(), SizeIs(1));
  EXPECT_EQ(contents_of(out_ + "/" + name), "theirs");
  EXPECT_EQ(contents_of(out_ + "/" + BatchName{stream, 1, 2, "a.pki"}.text()), "ours");
  EXPECT_TRUE(received(1).batch);
}

TEST_F(BatchSenderTest, WithStagingNoOtherNameIsEverInTheDirectory) {
  settings_.staging = directory_ / "staging";
  std::filesystem::create_directory(settings_.staging);
  restart();
  add("a.pki", "x");
  emit();
  for (const auto& name : names_in(out_)) EXPECT_TRUE(BatchName::parse(name)) << name;
  EXPECT_THAT(names_in(settings_.staging), IsEmpty());
}

TEST_F(BatchSenderTest, OldBatchesGoButTheNewestStays) {
  settings_.keep = 24h;
  clock_.set(SystemClock().now());
  restart();
  add("a.pki", "1");
  add("a.pki", "2");
  emit();
  clock_.advance(48h);
  ASSERT_THAT(sender_->purge(clock_.now(), none_), IsOk());
  EXPECT_EQ(sender_->want_again({1, 2}).value().text(), "2");
  restart();
  EXPECT_EQ(add("a.pki", "3"), 3U);
}

TEST_F(BatchSenderTest, TheBatchOfAnIdIsKnown) {
  add("a.pki", "1");
  clock_.advance(1h);
  const auto between = clock_.now();
  clock_.advance(1h);
  add("b.pki", "2");
  EXPECT_THAT(sender_->known(Time{}).value().batches, SizeIs(2));
  const auto late = sender_->known(between).value().batches;
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_EQ(late.at("id of b.pki"), 2U);
}

TEST_F(BatchSenderTest, WhatCannotBeLookedForIsNotTakenForMissing) {
  add("a.pki", "x");
  {
    const Unreadable batches(settings_.state + "/batches");
    EXPECT_THAT(sender_->emit(), Fails(HasSubstr("levels of symbolic links")));
    EXPECT_THAT(sender_->known(Time{}), Fails(HasSubstr("levels of symbolic links")));
  }
  EXPECT_THAT(emit(), SizeIs(1)) << "the wish for it is still there";
}

TEST_F(BatchSenderTest, CopiesThatCannotBeCountedAreNotCountedAnew) {
  add("a.pki", "x");
  emit();
  {
    const Unreadable copies(settings_.state + "/copies");
    EXPECT_THAT(sender_->want_again({1, 1}), Fails(HasSubstr("levels of symbolic links")));
  }
  ASSERT_THAT(sender_->want_again({1, 1}), IsOk());
  EXPECT_EQ(emit().at(0).copy, 2U);
}

TEST_F(BatchSenderTest, NoStreamGoesOnWhereItsNumbersCannotBeSeen) {
  add("a.pki", "x");
  emit();
  {
    const Unreadable out(out_);
    EXPECT_THAT(sender_->begin_anew_if_behind({}, Time{}), Fails(HasSubstr("symbolic links")));
  }
  EXPECT_FALSE(sender_->begin_anew_if_behind({}, Time{}).value());
}

TEST_F(BatchSenderTest, WhatMayBeSentAgainIsNotForgotten) {
  clock_.set(SystemClock().now());
  for (int i = 1; i <= 3; ++i) add(std::to_string(i), "x");
  emit();
  settings_.keep = 24h;
  restart();
  const auto later = clock_.now() + 48h;
  const auto needs_second = [](const std::vector<std::string>& ids) {
    return ids.at(0) == "id of 2";
  };
  ASSERT_THAT(sender_->purge(later, needs_second), IsOk());
  EXPECT_EQ(sender_->want_again({1, 3}).value().text(), "2-3");
  emit();
  const auto cannot_say = [](const auto&) -> Result<bool> { return retry("the queue is locked"); };
  EXPECT_THAT(sender_->purge(later, cannot_say), Fails(HasSubstr("locked")));
  EXPECT_EQ(sender_->want_again({1, 3}).value().text(), "2-3");
}

TEST_F(BatchSenderTest, AForgottenBatchIsNoSignOfAnOlderMemory) {
  clock_.set(SystemClock().now());
  const auto since = clock_.now() - 1h;
  add("a.pki", "x");  // the answer that came last, and left before an older one
  add("b.pki", "y");
  emit();
  settings_.keep = 24h;
  restart();
  ASSERT_THAT(sender_->purge(clock_.now() + 48h, none_), IsOk());
  EXPECT_FALSE(sender_->known(since).value().whole);
  EXPECT_FALSE(sender_->begin_anew_if_behind("id of a.pki", since).value());
  EXPECT_TRUE(sender_->known(clock_.now() + 1h).value().whole) << "none was made since";
  EXPECT_TRUE(sender_->begin_anew_if_behind("id of c.pki", clock_.now() + 1h).value());
}

TEST_F(BatchSenderTest, IdsAreFoundWithoutReadingTheContents) {
  std::vector<BatchItem> items;
  for (int i = 0; i < 1500; ++i) {  // a head of more than 64 KiB
    items.push_back({std::to_string(i), std::to_string(i) + ".pki", view_of("x")});
  }
  ASSERT_THAT(sender_->add(items), IsOk());
  EXPECT_THAT(sender_->known(Time{}).value().batches, SizeIs(1500));
  const auto file = settings_.state + "/batches/0000000001.batch";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_THAT(sender_->known(Time{}), Fails(HasSubstr("not whole")));
}

}  // namespace
}  // namespace cmpost
