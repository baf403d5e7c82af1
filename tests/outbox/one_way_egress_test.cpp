#include "outbox/one_way_egress.h"

#include "base/log.h"
#include "carrier/batch_assembly.h"
#include "outbox/dispatcher.h"
#include "outbox/media_egress.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A queue of answers, a dispatcher, and an output directory.
class AnswersOut : public ::testing::Test {
 protected:
  AnswersOut() {
    log::configure({.level = log::Level::error});
    std::filesystem::create_directories(out_);
    settings_.name = "drop";
    settings_.state = directory_ / "state";
    settings_.directory()->out = out_;
  }
  void use(std::unique_ptr<Egress> egress) {
    egress_ = std::move(egress);
    dispatcher_.emplace(queue_, std::vector<Egress*>{egress_.get()}, clock_, clock_, random_,
                        ways_);
  }
  void put(const std::string& stem, const std::string& contents, const std::string& address = "") {
    Job job;
    job.id = make_job_id({view_of(stem), view_of(contents)});
    job.envelope.channel = "drop";
    job.envelope.reply = {"drop", address, stem, "", ""};
    job.envelope.body = "ip";
    job.payload = to_bytes(contents);
    ASSERT_THAT(queue_.put({&job, 1}), IsOk());
  }
  Dispatched send() {
    clock_.advance(1s);  // the dispatcher tends to its channels once a second
    return send_all(*dispatcher_, {}).value();
  }
  std::vector<JobStatus> jobs() { return queue_.list({.state = {}, .channel = {}}).value(); }

  TemporaryDirectory directory_;
  const std::string out_ = directory_ / "medium/out";
  FakeClock clock_{SystemClock().now()};
  SystemRandom random_;
  FakeJobQueue queue_{clock_};
  ChannelSettings settings_;
  std::unique_ptr<Egress> egress_;
  WayBook ways_{{}, clock_};
  std::optional<Dispatcher> dispatcher_;
};

class OneWayEgressTest : public AnswersOut {
 protected:
  OneWayEgressTest() { restart(); }
  void restart() { use(std::make_unique<OneWayEgress>(settings_, queue_, clock_, random_)); }
  std::vector<AssembledBatch> received() {
    ArrivedBatches arrived;
    for (const auto& name : names_in(out_)) arrived.add(name);
    const auto directory = open_directory(out_).value();
    std::vector<AssembledBatch> batches;
    for (const auto& [key, batch] : arrived.all()) {
      batches.push_back(assemble(directory, batch).batch.value());
    }
    return batches;
  }
};

TEST_F(OneWayEgressTest, AGroupOfAnswersIsABatchAndItsJobsAreEmitted) {
  put("dev1", "one");
  put("dev2", "two");
  EXPECT_EQ(send().sent, 2U);
  const auto batches = received();
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].manifest.files[0].name, "dev1.ip.pki");
  EXPECT_EQ(text_of(batches[0].contents[1]), "two");
  for (const auto& job : jobs()) {
    EXPECT_EQ(job.state, JobState::done);
    EXPECT_EQ(job.reason, "emitted");
  }
  put("dev3", "three");
  send();
  EXPECT_EQ(received().back().manifest.number, 2U);
}

TEST_F(OneWayEgressTest, TwoAnswersOfOneNameHaveTwoNamesInTheBatch) {
  put("dev1", "one");
  put("dev1", "two");
  EXPECT_EQ(send().sent, 2U);
  const auto batch = received()[0];
  EXPECT_NE(batch.manifest.files[0].name, batch.manifest.files[1].name);
}

TEST_F(OneWayEgressTest, AnAnswerThatHasANumberGetsNoSecondOne) {
  put("dev1", "one");
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  EXPECT_THAT(dispatcher_->step(), Fails(HasSubstr("locked")));
  queue_.go_on();
  // The batch is made and written, and then the process dies before the queue is told.
  const auto leases = queue_.take(10).value();
  EXPECT_EQ(egress_->send(leases, {}).each[0].what, Delivery::What::sent);
  ASSERT_THAT(queue_.defer(leases[0].job.id, clock_.now(), "as after a crash"), IsOk());
  restart();
  put("dev2", "two");
  EXPECT_EQ(send().sent, 2U);
  const auto batches = received();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_THAT(batches[0].manifest.files, SizeIs(1));
  EXPECT_THAT(batches[1].manifest.files, SizeIs(1));
  EXPECT_EQ(batches[1].manifest.files[0].name, "dev2.ip.pki");
}

TEST_F(OneWayEgressTest, AnOlderMemoryBeginsANewStream) {
  const std::filesystem::path state = settings_.state, backup = directory_ / "backup";
  put("dev1", "one");
  send();
  std::filesystem::copy(state, backup, std::filesystem::copy_options::recursive);
  put("dev2", "two");
  send();
  const auto before = received();
  ASSERT_THAT(before, SizeIs(2));
  for (const auto& name : names_in(out_)) std::filesystem::remove(out_ + "/" + name);
  // The diode has taken them, and the state comes back as it was after the first.
  std::filesystem::remove_all(state);
  std::filesystem::copy(backup, state, std::filesystem::copy_options::recursive);
  restart();
  put("dev3", "three");
  EXPECT_EQ(send().sent, 1U);
  ASSERT_THAT(received(), SizeIs(1));
  EXPECT_NE(received()[0].manifest.stream, before[0].manifest.stream);
  EXPECT_EQ(received()[0].manifest.number, 1U);
  EXPECT_TRUE(
      std::filesystem::exists(state / "batches-out" / ("batches-" + before[0].manifest.stream)));
  restart();
  put("dev4", "four");
  send();
  EXPECT_EQ(received().back().manifest.number, 2U) << "once is enough";
}

TEST_F(OneWayEgressTest, BatchesOfHigherNumbersInTheDirectoryTellTheSame) {
  const std::filesystem::path state = settings_.state, backup = directory_ / "backup";
  put("dev1", "one");
  send();
  std::filesystem::copy(state, backup, std::filesystem::copy_options::recursive);
  put("dev2", "two");
  send();
  std::filesystem::remove_all(state);
  std::filesystem::copy(backup, state, std::filesystem::copy_options::recursive);
  // As with a snapshot of the whole machine: the queue does not know of the second, either.
  JobQueue& replies = queue_;
  ASSERT_THAT(replies.purge(clock_.now() + 1h), IsOk());
  restart();
  put("dev3", "three");
  send();
  std::set<std::string> streams;
  for (const auto& batch : received()) streams.insert(batch.manifest.stream);
  EXPECT_THAT(streams, SizeIs(2));
}

TEST_F(OneWayEgressTest, AMissingDirectoryMakesTroubleAndNoGap) {
  put("dev1", "one");
  std::filesystem::rename(out_, directory_ / "away");
  EXPECT_EQ(send().sent, 0U);
  std::filesystem::rename(directory_ / "away", out_);
  put("dev2", "two");
  clock_.advance(10s);
  EXPECT_EQ(send().sent, 2U);
  ASSERT_THAT(received(), SizeIs(2));
  EXPECT_EQ(received()[1].manifest.previous, received()[0].hash);
}

TEST_F(OneWayEgressTest, RepeatsAreWrittenWithoutNewAnswers) {
  settings_.directory()->copies = 2;
  settings_.directory()->repeat_after = 10min;
  restart();
  put("dev1", "one");
  send();
  EXPECT_THAT(names_in(out_), SizeIs(2));
  clock_.advance(10min);
  send();
  EXPECT_THAT(names_in(out_), SizeIs(4));
}

TEST_F(OneWayEgressTest, ABatchIsRememberedAsLongAsAnAnswerInItMayComeAgain) {
  settings_.directory()->batch_keep = 24h;
  restart();
  put("dev1", "one");
  const auto leases = queue_.take(10).value();
  EXPECT_EQ(egress_->send(leases, {}).each[0].what, Delivery::What::sent);
  // The process dies before the queue is told, and comes back much later.
  ASSERT_THAT(queue_.defer(leases[0].job.id, clock_.now() + 47h, "as after a crash"), IsOk());
  put("dev2", "two");
  send();
  ASSERT_THAT(received(), SizeIs(2));
  clock_.advance(24h * 10);
  restart();
  send();
  EXPECT_THAT(received(), SizeIs(2)) << "it has left already";
  EXPECT_EQ(queue_.counts()->done, 2U);
  clock_.advance(2h);
  send();
  BatchSender sender(batch_sender_settings(settings_), clock_, random_);
  EXPECT_EQ(sender.want_again({1, 2}).value().text(), "2") << "now it may be forgotten";
}

TEST_F(OneWayEgressTest, AStreamGoesOnThoughTheBatchOfTheLastAnswerIsForgotten) {
  settings_.directory()->batch_keep = 24h;
  restart();
  put("dev1", "one");
  const auto lease = queue_.take(1).value().at(0);
  ASSERT_THAT(queue_.defer(lease.job.id, clock_.now() + 1min, "later"), IsOk());
  put("dev2", "two");  // comes last and leaves first
  send();
  clock_.advance(2min);
  send();
  ASSERT_THAT(received(), SizeIs(2));
  clock_.advance(48h);
  send();
  restart();
  put("dev3", "three");
  send();
  ASSERT_THAT(received(), SizeIs(3));
  for (const auto& batch : received()) {
    EXPECT_EQ(batch.manifest.stream, received()[0].manifest.stream);
  }
}

TEST_F(OneWayEgressTest, NothingIsSentWhereTheNumbersThatLeftCannotBeSeen) {
  put("dev1", "one");
  send();
  restart();
  put("dev2", "two");
  {
    const Unreadable out(out_);
    EXPECT_EQ(send().sent, 0U);
  }
  clock_.advance(10s);
  EXPECT_EQ(send().sent, 1U);
  ASSERT_THAT(received(), SizeIs(2));
}

class MediaEgressTest : public AnswersOut {
 protected:
  MediaEgressTest() {
    settings_.directory()->media = true;
    settings_.directory()->in = directory_ / "medium/in";
    std::filesystem::create_directories(settings_.directory()->in);
    label("medium", first_);
    use(std::make_unique<MediaEgress>(settings_));
  }
  void label(const std::string& medium, const std::string& id) {
    write_in_place(directory_ / medium + "/in/.cmpost-medium", id + "\n");
  }
  void pull(const std::string& name) {
    std::filesystem::rename(directory_ / "medium", directory_ / name);
  }
  void plug(const std::string& name) {
    std::filesystem::rename(directory_ / name, directory_ / "medium");
  }

  const std::string first_ = std::string(32, '1'), second_ = std::string(32, '2');
};

TEST_F(MediaEgressTest, AnswersWaitForTheirMediumWithoutTrouble) {
  pull("away");
  put("dev1", "one", first_);
  EXPECT_EQ(send().deferred, 1U);
  ASSERT_EQ(jobs()[0].state, JobState::deferred);
  EXPECT_EQ(jobs()[0].reason, "waits for the medium " + first_);
  clock_.advance(1h);
  EXPECT_EQ(send().total(), 0U) << "nobody asks the queue again and again";
  plug("away");
  EXPECT_EQ(send().sent, 1U) << "as soon as it is there";
  EXPECT_EQ(contents_of(out_ + "/dev1.ip.pki"), "one");
}

TEST_F(MediaEgressTest, MediumThatIsBackBeforeItIsMissedGetsItsAnswers) {
  put("dev1", "one", first_);
  EXPECT_EQ(send().sent, 1U);
  pull("away");
  put("dev2", "two", first_);
  put("dev3", "three", second_);
  EXPECT_EQ(send_all(*dispatcher_, {}).value().deferred, 2U) << "without a look at the channel";
  plug("away");
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(contents_of(out_ + "/dev2.ip.pki"), "two");
  EXPECT_EQ(send().total(), 0U) << "what waits for another medium is not looked at again";
}

TEST_F(MediaEgressTest, AnswersGoToTheMediumThatTheirRequestsCameFrom) {
  std::filesystem::create_directories(directory_ / "other/in");
  std::filesystem::create_directories(directory_ / "other/out");
  label("other", second_);
  put("dev1", "one", first_);
  put("dev2", "two", second_);
  send();
  EXPECT_THAT(names_in(out_), ElementsAre("dev1.ip.pki"));
  pull("away");
  plug("other");
  EXPECT_EQ(send().sent, 1U);
  EXPECT_THAT(names_in(out_), ElementsAre("dev2.ip.pki"));
}

TEST_F(MediaEgressTest, NothingOfTheMediumStaysOpen) {
  put("dev1", "one", first_);
  send();
  const auto prefix = std::filesystem::canonical(directory_ / "medium").string();
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    EXPECT_FALSE(target.starts_with(prefix)) << target;
  }
}

class CarefulEgressTest : public AnswersOut {
 protected:
  CarefulEgressTest() {
    settings_.directory()->staging = directory_ / "staging";
    std::filesystem::create_directories(settings_.directory()->staging);
  }
};

TEST_F(CarefulEgressTest, FilesComeFromStagingByRenameOnly) {
  use(std::make_unique<DirectoryEgress>(settings_, clock_));
  write_in_place(settings_.directory()->staging + "/.dev1.ip.pki." + std::string(32, 'a') + ".part",
                 "left by a crash");
  write_in_place(out_ + "/dev2.ip.pki", "a stranger's");
  put("dev1", "one");
  put("dev2", "two");
  EXPECT_EQ(send().sent, 2U);
  EXPECT_THAT(names_in(settings_.directory()->staging), IsEmpty());
  EXPECT_EQ(contents_of(out_ + "/dev1.ip.pki"), "one");
  EXPECT_EQ(contents_of(out_ + "/dev2.ip.pki"), "a stranger's");
  EXPECT_THAT(names_in(out_), SizeIs(3));
}

TEST_F(CarefulEgressTest, APaceIsKept) {
  settings_.directory()->pace = 1s;
  use(std::make_unique<DirectoryEgress>(settings_, clock_));
  for (int i = 0; i < 3; ++i) put("dev" + std::to_string(i), "x");
  EXPECT_EQ(send().sent, 1U);
  EXPECT_TRUE(dispatcher_->more_comes_soon());
  EXPECT_EQ(send_all(*dispatcher_, {}).value().sent, 0U);
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(send().sent, 1U);
  EXPECT_THAT(names_in(out_), SizeIs(3));
  clock_.advance(5s);
  EXPECT_FALSE(dispatcher_->more_comes_soon());
}

TEST_F(CarefulEgressTest, NoMoreLieThereThanTheReaderCanTake) {
  settings_.directory()->max_outstanding = 2;
  use(std::make_unique<DirectoryEgress>(settings_, clock_));
  for (int i = 0; i < 5; ++i) put("dev" + std::to_string(i), "x");
  EXPECT_EQ(send().sent, 2U);
  clock_.advance(5s);
  EXPECT_EQ(send().sent, 0U);
  for (const auto& name : names_in(out_)) std::filesystem::remove(out_ + "/" + name);
  clock_.advance(5s);
  EXPECT_EQ(send().sent, 2U);
}

}  // namespace
}  // namespace cmpost
