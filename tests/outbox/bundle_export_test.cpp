#include "outbox/bundle_export.h"

#include <fstream>

#include "base/log.h"
#include "outbox/courier_egress.h"
#include "outbox/dispatcher.h"
#include "tests/support/bundle_people.h"
#include "tests/support/fake_job_queue.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ForTheCourier : public ::testing::Test {
 protected:
  ForTheCourier() {
    log::configure({.level = log::Level::error});
    for (const auto* name : {"a", "b", "extras"}) {
      std::filesystem::create_directories(directory_ / name);
    }
    channel_.name = "courier";
    channel_.state = directory_ / "state";
    CourierSettings courier;
    courier.peer = "gateway";
    courier.bundle.name = "vault";
    channel_.transport = courier;
  }
  BundleSettings& bundle() { return channel_.courier()->bundle; }
  void put(int from, int to, std::size_t octets = 10) {
    std::vector<Job> jobs;
    for (int i = from; i <= to; ++i) {
      Job job;
      job.id = make_job_id({view_of(std::to_string(i))});
      job.envelope.channel = "courier";
      job.envelope.reply = {"courier", "", std::to_string(i), "", ""};
      job.payload = Bytes(octets, static_cast<std::uint8_t>(i));
      jobs.push_back(std::move(job));
    }
    ASSERT_THAT(queue_.put(jobs), IsOk());
  }
  BundleExport begin() {
    auto begun = BundleExport::begin(channel_, {queue_, clock_, random_, signer_});
    EXPECT_THAT(begun, IsOk());
    return std::move(*begun);
  }
  std::size_t make() { return begin().make({}).value(); }
  std::vector<ExportedBundle> write(const std::string& name) {
    return begin().write(directory_ / name, name).value();
  }
  BundleArchive archive() { return BundleArchive::open(bundle_archive_of(channel_)).value(); }
  std::size_t not_done() {
    const auto counts = queue_.counts_of("courier").value();
    return counts.waiting + counts.active + counts.deferred + counts.held;
  }

  TemporaryDirectory directory_;
  FakeClock clock_;
  SystemRandom random_;
  FakeJobQueue queue_{clock_};
  ChannelSettings channel_;
  const BundlePerson vault_ = make_bundle_person("vault", "ec:P-256");
  const BundleSigner signer_ = vault_.signer();
};

TEST_F(ForTheCourier, TheEgressLetsEverythingWait) {
  put(1, 3);
  CourierEgress egress("courier");
  WayBook ways("", clock_);
  Dispatcher dispatcher(queue_, {&egress}, clock_, clock_, random_, ways);
  const auto done = send_all(dispatcher, {}).value();
  EXPECT_EQ(done.deferred, 3U);
  EXPECT_FALSE(dispatcher.more_comes_soon());
  const auto jobs = queue_.list({}).value();
  for (const auto& job : jobs) {
    EXPECT_EQ(job.state, JobState::deferred);
    EXPECT_EQ(job.reason, kWaitsForCourier);
  }
  EXPECT_EQ(make(), 1U);
  EXPECT_EQ(not_done(), 0U);
}

TEST_F(ForTheCourier, OneBundleHasAllThatWaits) {
  put(1, 600);
  EXPECT_EQ(make(), 1U);
  const auto bundle = archive().read(1).value();
  EXPECT_THAT(bundle.manifest.files, SizeIs(600));
  EXPECT_EQ(bundle.manifest.files.front().name, "0001.pki");
  EXPECT_EQ(bundle.manifest.files.front().kind, BundleFileKind::answers);
  EXPECT_EQ(bundle.manifest.purpose, BundlePurpose::answers);
  EXPECT_EQ(bundle.manifest.to, "gateway");
  EXPECT_EQ(not_done(), 0U);
  EXPECT_EQ(make(), 0U);
}

TEST_F(ForTheCourier, WhatGoesUpIsARequest) {
  channel_.direction = Direction::upstream;
  put(1, 1);
  make();
  const auto bundle = archive().read(1).value();
  EXPECT_EQ(bundle.manifest.purpose, BundlePurpose::requests);
  EXPECT_EQ(bundle.manifest.files.front().kind, BundleFileKind::requests);
}

TEST_F(ForTheCourier, MoreThanOneMayHaveMakesSeveral) {
  put(1, 2100, 1);
  EXPECT_EQ(make(), 2U);
  EXPECT_THAT(archive().read(1)->manifest.files, SizeIs(2000));
  EXPECT_THAT(archive().read(2)->manifest.files, SizeIs(100));
  EXPECT_EQ(not_done(), 0U);
}

TEST_F(ForTheCourier, WhatHasANumberGetsNoSecondOne) {
  put(1, 2);
  make();
  // The process died before the queue was told.
  FakeJobQueue before(clock_);
  put(1, 3);
  std::vector<Job> jobs;
  for (int i = 1; i <= 3; ++i) {
    Job job;
    job.id = make_job_id({view_of(std::to_string(i))});
    job.envelope.reply.channel = "courier";
    job.payload = Bytes(10, static_cast<std::uint8_t>(i));
    jobs.push_back(job);
  }
  ASSERT_THAT(before.put(jobs), IsOk());
  auto again = BundleExport::begin(channel_, {before, clock_, random_, signer_}).value();
  EXPECT_EQ(again.make({}).value(), 1U);
  EXPECT_THAT(archive().read(2)->ids, ElementsAre(jobs[2].id.text()));
  EXPECT_EQ(before.counts_of("courier")->waiting, 0U);
}

TEST_F(ForTheCourier, ACopyOnEachOfSeveralMedia) {
  bundle().copies = 2;
  put(1, 1);
  make();
  EXPECT_THAT(write("a"), SizeIs(1));
  EXPECT_THAT(write("a"), IsEmpty());  // it has one
  const auto second = write("b");
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second.front().copy, 2U);
  std::filesystem::create_directories(directory_ / "c");
  EXPECT_THAT(write("c"), IsEmpty());
  EXPECT_EQ(begin().want_again({1, 5})->text(), "1");
  EXPECT_THAT(write("c"), SizeIs(1));
}

TEST_F(ForTheCourier, ExtrasGoAlongAndAloneWhenTheyAreNew) {
  bundle().extras = directory_ / "extras";
  std::ofstream(directory_ / "extras/grid.crl") << "list";
  std::ofstream(directory_ / "extras/ids") << "a name that is taken";
  EXPECT_EQ(make(), 1U);
  EXPECT_EQ(archive().read(1)->manifest.purpose, BundlePurpose::notices);
  EXPECT_EQ(make(), 0U);
  put(1, 1);
  auto with = begin();
  EXPECT_EQ(with.make({}).value(), 1U);
  EXPECT_THAT(with.remarks(), ElementsAre(HasSubstr("ids")));
  const auto files = archive().read(2)->manifest.files;
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[1].kind, BundleFileKind::crl);
  std::ofstream(directory_ / "extras/grid.crl") << "newer";
  { auto released = std::move(with); }
  EXPECT_EQ(make(), 1U);
}

TEST_F(ForTheCourier, AMemoryThatIsBehindBeginsANewStream) {
  put(1, 1);
  make();
  const auto stream = archive().newest()->stream;
  std::filesystem::copy(channel_.state, directory_ / "backup",
                        std::filesystem::copy_options::recursive);
  put(2, 2);
  make();
  std::filesystem::remove_all(channel_.state);
  std::filesystem::rename(directory_ / "backup", channel_.state);
  clock_.advance(1min);
  put(3, 3);
  auto anew = begin();
  EXPECT_THAT(anew.remarks(), SizeIs(1));
  EXPECT_EQ(anew.make({}).value(), 1U);
  EXPECT_EQ(archive().newest()->number, 1U);
  EXPECT_NE(archive().newest()->stream, stream);
}

TEST_F(ForTheCourier, WhatTheOtherSideHasAndWeDoNotKnowBeginsANewStream) {
  put(1, 1);
  make();
  const auto stream = archive().newest()->stream;
  BundleManifest theirs;
  theirs.received[stream] = *NumberRanges::parse("1-3");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  put(2, 2);
  EXPECT_EQ(make(), 1U);
  EXPECT_NE(archive().newest()->stream, stream);
}

}  // namespace
}  // namespace cmpost
