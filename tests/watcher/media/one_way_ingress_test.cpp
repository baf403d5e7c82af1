#include "watcher/media/one_way_ingress.h"

#include "carrier/batch_sender.h"
#include "tests/support/as_nobody.h"
#include "tests/support/fake_random.h"
#include "tests/watcher/watched_input.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A sender, a wire that the test tampers with, and the receiver.
class OneWayIngressTest : public WatchedInput<OneWayIngress> {
 protected:
  OneWayIngressTest() : WatchedInput("diode", "in", 1s) {
    std::filesystem::create_directory(wire_);
    restart();
  }
  void restart() { ingress_.emplace(settings_, queue_, wall_, steady_); }
  // Makes the next batch on the wire, of `count` requests.
  void make_batch(int count = 2) {
    std::vector<std::string> contents;
    for (int i = 0; i < count; ++i) {
      contents.push_back({'\x30', '\x03', '\x02', '\x01', static_cast<char>(++made_)});
    }
    send(contents);
  }
  void send(const std::vector<std::string>& contents) {
    std::vector<BatchItem> items;
    for (std::size_t i = 0; i < contents.size(); ++i) {
      items.push_back({std::to_string(made_) + "." + std::to_string(i),
                       "dev" + std::to_string(i) + ".pki", view_of(contents[i])});
    }
    ASSERT_THAT(sender_.add(items), IsOk());
    ASSERT_THAT(sender_.emit(), IsOk());
  }
  // What is on the wire of one batch, sorted: files first, then the manifest.
  std::vector<std::string> on_wire(std::uint64_t number) {
    std::vector<std::string> found;
    for (const auto& name : names_in(wire_)) {
      if (BatchName::parse(name)->number == number) found.push_back(name);
    }
    return found;
  }
  void carry(const std::string& name) {
    std::filesystem::rename(wire_ + "/" + name, in_ + "/" + name);
  }
  void carry(std::uint64_t number) {
    for (const auto& name : on_wire(number)) carry(name);
  }
  std::vector<std::string> complaints() {
    return ReceivedBatches::read(received_file(settings_))->complaints();
  }

  const std::string wire_ = directory_ / "wire";
  SystemRandom random_;
  BatchSender sender_{
      {.state = directory_ / "sender", .out = wire_, .staging = {}}, wall_, random_};
  int made_ = 0;
};

TEST_F(OneWayIngressTest, AWholeBatchIsTakenInOneCommit) {
  make_batch(3);
  carry(1);
  EXPECT_EQ(look().deposited, 3U);
  EXPECT_EQ(queue_.puts(), 1U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(names_in(in_ + "/.done"), SizeIs(4));
  EXPECT_THAT(complaints(), IsEmpty());
  const auto jobs = queue_.list({.state = {}, .channel = {}}).value();
  EXPECT_EQ(jobs[0].envelope.source, "batch 1, dev0.pki");
  EXPECT_EQ(jobs[0].envelope.reply.name, "dev0");
}

TEST_F(OneWayIngressTest, WhyFilesCannotBeMovedAwayIsSaid) {
  write_in_place(in_ + "/.done", "somebody's");
  make_batch(1);
  carry(1);
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_THAT(in(), SizeIs(2));
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("/.done: Not a directory"));
  EXPECT_EQ(look().stuck, 1U);
  std::filesystem::remove(in_ + "/.done");
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
}

TEST_F(OneWayIngressTest, ABatchThatCannotBePutAwayIsStuckUntilItCan) {
  make_batch(1);
  carry(1);
  look();
  make_batch(2);
  carry(2);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0555));
  const auto text = logged([&] {
    EXPECT_EQ(look().deposited, 2U);
    for (int looks = 0; looks < 3; ++looks) {
      EXPECT_EQ(look_later().stuck, 1U);
      ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
      EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Permission denied"));
    }
  });
  EXPECT_EQ(count_of("input.stuck", text), 1U) << text;
  EXPECT_EQ(waiting(), 3U);
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0755));
  EXPECT_EQ(look_later().stuck, 0U);
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(OneWayIngressTest, WhyFilesCannotBeMovedAwayIsSaidAgainWhenItComesAgain) {
  const auto text = logged([&] {
    for (std::uint64_t batch = 1; batch <= 2; ++batch) {
      std::filesystem::remove_all(in_ + "/.done");
      write_in_place(in_ + "/.done", "somebody's");
      make_batch(1);
      carry(batch);
      for (int looks = 0; looks < 3; ++looks) EXPECT_EQ(look().stuck, 1U);
      std::filesystem::remove(in_ + "/.done");
      EXPECT_EQ(look().stuck, 0U);
    }
  });
  EXPECT_EQ(count_of("input.stuck", text), 2U) << text;
}

TEST_F(OneWayIngressTest, ADirectoryThatMayOnlyBeReadIsLeftAsItIs) {
  make_batch(1);
  carry(1);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  using std::filesystem::perms;
  std::filesystem::permissions(in_, perms::owner_read | perms::owner_exec);
  EXPECT_EQ(look().deposited, 1U);
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
  std::filesystem::permissions(in_, perms::owner_all);
}

TEST_F(OneWayIngressTest, AMissingBatchIsNamedAndTheNextOneTaken) {
  for (int i = 0; i < 3; ++i) make_batch();
  carry(1);
  carry(3);
  EXPECT_EQ(look().deposited, 4U);
  EXPECT_THAT(complaints(), ElementsAre("batch 2 missing, 3 complete"));
  carry(2);
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(OneWayIngressTest, ATornBatchIsNamedWithWhatIsMissing) {
  make_batch(2);
  const auto files = on_wire(1);  // two files, then the manifest
  carry(files[0]);
  carry(files[2]);
  const auto intake = look_twice();
  EXPECT_EQ(intake.deposited, 0U);
  EXPECT_EQ(intake.stuck, 1U);
  EXPECT_THAT(complaints(),
              ElementsAre("batch 1 torn: 1 of 2 files are whole; dev1.pki is missing"));
  carry(files[1]);
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(OneWayIngressTest, FilesThatAreCutOffOrDamagedAreNamed) {
  make_batch(2);
  const auto files = on_wire(1);
  std::filesystem::resize_file(wire_ + "/" + files[0], 2);
  write_in_place(wire_ + "/" + files[1], "wrong");
  carry(1);
  look_twice();
  EXPECT_THAT(
      complaints(),
      ElementsAre("batch 1 torn: 0 of 2 files are whole; dev0.pki is cut off: 2 of 5 octets;"
                  " dev1.pki is damaged"));
}

TEST_F(OneWayIngressTest, ATornManifestIsNamed) {
  make_batch(1);
  std::filesystem::resize_file(wire_ + "/" + on_wire(1).back(), 100);
  carry(1);
  look_twice();
  EXPECT_THAT(complaints(), ElementsAre("batch 1 torn: the manifest is cut off"));
  make_batch(1);
  carry(on_wire(2).front());
  look_twice();
  EXPECT_THAT(complaints(), ElementsAre("batch 1 torn: the manifest is cut off",
                                        "batch 2 torn: its manifest is missing"));
}

TEST_F(OneWayIngressTest, WhatOneCopyLacksAnotherOneHas) {
  make_batch(2);
  const auto first = on_wire(1);
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  write_in_place(wire_ + "/" + first[0], "damaged in the first copy");
  for (const auto& name : on_wire(1)) {
    const bool lost =
        name == first[2] || (BatchName::parse(name)->copy == 2 && name.ends_with("dev1.pki"));
    if (!lost) carry(name);
  }
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(OneWayIngressTest, ABatchThatComesAgainMakesNoSecondJob) {
  make_batch();
  carry(1);
  look();
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  carry(1);
  EXPECT_EQ(look().deposited, 0U);
  EXPECT_EQ(waiting(), 2U);
  EXPECT_THAT(in(), IsEmpty()) << "the copy is put away";
}

TEST_F(OneWayIngressTest, AnotherBatchUnderAKnownNumberIsAnAlarmAndItsFilesStay) {
  make_batch();
  carry(1);
  look();
  // The sender's memory comes from a backup of before batch 2.
  std::filesystem::copy(directory_ / "sender", directory_ / "backup",
                        std::filesystem::copy_options::recursive);
  make_batch();
  carry(2);
  look();
  EXPECT_EQ(waiting(), 4U);
  BatchSender old({.state = directory_ / "backup", .out = wire_, .staging = {}}, wall_, random_);
  const std::string other = "\x30\x03\x02\x01\x77";
  const BatchItem item{"other", "dev9.pki", view_of(other)};
  ASSERT_THAT(old.add({&item, 1}), IsOk());
  ASSERT_THAT(old.emit(), IsOk());
  carry(2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(look_later().stuck, 1U);
    EXPECT_THAT(in(), SizeIs(2)) << "nothing of it is thrown away";
  }
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("two different batches 2")));
  restart();
  look_twice();
  EXPECT_THAT(in(), SizeIs(2));
  // A copy of the one that came is a copy.
  make_batch();
  carry(3);
  look();
  EXPECT_EQ(waiting(), 6U);
  for (const auto& name : in()) std::filesystem::remove(in_ + "/" + name);
  look();
  EXPECT_THAT(complaints(), IsEmpty()) << "somebody has looked after it";
}

TEST_F(OneWayIngressTest, TwoDifferentBatchesOfOneNumberAtOnceAreNotMixedUp) {
  std::filesystem::create_directory(directory_ / "sender");
  make_batch(1);
  BatchSender other({.state = directory_ / "other", .out = wire_, .staging = {}}, wall_, random_);
  carry(1);
  look();
  std::filesystem::copy(directory_ / "sender", directory_ / "other",
                        std::filesystem::copy_options::recursive);
  make_batch(1);
  const auto first = on_wire(2);
  for (const auto& name : first) carry(name);
  const std::string contents = "\x30\x03\x02\x01\x77";
  const BatchItem item{"other", "dev9.pki", view_of(contents)};
  ASSERT_THAT(other.add({&item, 1}), IsOk());
  ASSERT_EQ(other.want_again({2, 2}).value().text(), "2");  // with names of its own: copy 2
  ASSERT_THAT(other.emit(), IsOk());
  for (const auto& name : on_wire(2)) {
    if (BatchName::parse(name)->copy == 2) carry(name);
  }
  EXPECT_EQ(look().deposited, 1U);
  look_later();
  EXPECT_EQ(waiting(), 2U);
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("two different batches 2")));
  EXPECT_THAT(in(), SizeIs(4)) << "whose is whose a person has to tell";
}

TEST_F(OneWayIngressTest, ACopyWithoutItsManifestIsPutAwayWhenNothingMoreComes) {
  make_batch();
  carry(1);
  look();
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  for (const auto& name : on_wire(1)) {
    if (!BatchName::parse(name)->part.empty()) carry(name);
  }
  look();
  EXPECT_THAT(in(), SizeIs(2));
  look_later();
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(OneWayIngressTest, WithoutItsMemoryItStillMakesNoSecondJob) {
  make_batch();
  carry(1);
  look();
  std::filesystem::remove(received_file(settings_));
  restart();
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  carry(1);
  EXPECT_EQ(look().known, 2U);
  EXPECT_EQ(waiting(), 2U);
}

TEST_F(OneWayIngressTest, ReorderedBatchesAreAllTaken) {
  for (int i = 0; i < 5; ++i) make_batch(1);
  for (const std::uint64_t number : {3, 1, 5, 4, 2}) {
    carry(number);
    look();
  }
  EXPECT_EQ(waiting(), 5U);
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(OneWayIngressTest, WhatIsNoRequestIsPutAsideAndTheRestTaken) {
  send({std::string("\x30\x03\x02\x01\x07", 5), "no request"});
  carry(1);
  const auto intake = look();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.quarantined, 1U);
  EXPECT_EQ(queue_.counts()->held, 1U);
  EXPECT_THAT(names_in(in_ + "/.quarantine"), SizeIs(2));
}

TEST_F(OneWayIngressTest, OtherFilesAreLeftAlone) {
  write_in_place(in_ + "/dev1.pki", "whoever put this here");
  EXPECT_EQ(look().deposited, 0U);
  EXPECT_THAT(in(), ElementsAre("dev1.pki"));
}

TEST_F(OneWayIngressTest, ASkippedBatchIsNotMissedByTheRunningServiceEither) {
  for (int i = 0; i < 3; ++i) make_batch(1);
  carry(1);
  carry(3);
  look();
  ASSERT_THAT(ReceivedBatches::read(received_file(settings_))->skip({2, 2}), IsOk());
  make_batch(1);
  carry(4);
  look();
  EXPECT_THAT(complaints(), IsEmpty());
}

TEST_F(OneWayIngressTest, AQueueThatFailsLosesNothing) {
  make_batch();
  carry(1);
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("locked")));
  EXPECT_THAT(in(), SizeIs(3));
  queue_.go_on();
  EXPECT_EQ(look().deposited, 2U);
}

TEST_F(OneWayIngressTest, AnotherBatchUnderTheNameOfARepeatIsNotPutAway) {
  make_batch(1);
  carry(1);
  look();
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  std::string manifest;
  for (const auto& name : on_wire(1)) {
    if (BatchName::parse(name)->part.empty()) manifest = name;
    carry(name);
  }
  look();
  EXPECT_THAT(in(), IsEmpty()) << "a copy";
  // Of a sender with an older memory, under the same names.
  const auto stream = BatchName::parse(manifest)->stream;
  BatchManifest wrong{.stream = stream, .number = 1, .previous = {}, .created = {}, .files = {}};
  write_in_place(in_ + "/" + manifest, format(wrong));
  look_twice();
  EXPECT_THAT(in(), ElementsAre(manifest));
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("two different batches 1")));
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty()) << "it is not said twice";
}

TEST_F(OneWayIngressTest, ALookThatIsBrokenOffTakesNoAlarmBack) {
  make_batch(1);
  make_batch(1);
  carry(1);
  carry(2);
  look();
  const auto stream = ReceivedBatches::read(received_file(settings_))->streams().begin()->first;
  BatchManifest wrong{.stream = stream, .number = 2, .previous = {}, .created = {}, .files = {}};
  write_in_place(in_ + "/" + BatchName{stream, 2, 1, ""}.text(), format(wrong));
  look();
  EXPECT_THAT(complaints(), SizeIs(1));
  std::stop_source stop;
  stop.request_stop();
  ASSERT_THAT(ingress_->poll(stop.get_token()), IsOk());
  EXPECT_THAT(complaints(), SizeIs(1));
}

TEST_F(OneWayIngressTest, APartThatCannotBeReadIsReadAgainThoughItLooksTheSame) {
  make_batch(2);
  carry(1);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  const auto part = in_ + "/" + *in().begin();
  forbid(part);
  look_twice();
  EXPECT_THAT(complaints(), ElementsAre(HasSubstr("Permission denied")));
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty()) << "it is not said twice";
  allow(part);
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
}

TEST_F(OneWayIngressTest, ARepeatWhoseManifestIsDamagedMayBeAnotherBatch) {
  make_batch(1);
  carry(1);
  look();
  for (const auto& name : names_in(in_ + "/.done")) {
    std::filesystem::rename(in_ + "/.done/" + name, in_ + "/" + name);
  }
  const auto manifest = in_ + "/" + *in().rbegin();
  const auto sound = contents_of(manifest);
  write_in_place(manifest, sound.substr(0, sound.size() / 2));
  EXPECT_EQ(look().settling, 1U) << "it may still be written";
  EXPECT_EQ(look_later().stuck, 1U);
  EXPECT_THAT(in(), SizeIs(2)) << "whether it is a copy is not known";
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("whether this is a copy"));
  write_in_place(manifest, sound);
  look();
  EXPECT_THAT(in(), IsEmpty());
}

TEST_F(OneWayIngressTest, WhatIsTornBeyondWhatIsNamedIsCounted) {
  for (std::uint64_t number = 1; number <= 102; ++number) {
    write_in_place(in_ + "/" + BatchName{"0f1e2d3c4b5a6978", number, 1, {}}.text(), "no manifest");
  }
  look_twice();
  EXPECT_THAT(complaints(), SizeIs(100));
  EXPECT_THAT(note_on("more"), HasSubstr("2 more batches that are torn or there twice"));
}

TEST_F(OneWayIngressTest, AManifestThatCannotBeReadIsNotNone) {
  make_batch(1);
  carry(1);
  look();
  ASSERT_EQ(sender_.want_again({1, 1}).value().text(), "1");
  ASSERT_THAT(sender_.emit(), IsOk());
  carry(1);
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  const auto manifest = in_ + "/" + *in().rbegin();
  forbid(manifest);
  look_twice();
  EXPECT_EQ(look_later().stuck, 1U);
  EXPECT_THAT(in(), SizeIs(2)) << "whether it is a copy is not known";
  ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
  allow(manifest);
  look();
  EXPECT_THAT(in(), IsEmpty());
}

}  // namespace
}  // namespace cmpost
