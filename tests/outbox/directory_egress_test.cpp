#include "outbox/directory_egress.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outbox/leftovers.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using What = Delivery::What;

Lease answer(int number, const std::string& stem, const std::string& payload, int attempts = 1) {
  Lease lease;
  lease.job.id.octets[0] = static_cast<std::uint8_t>(number >> 8);
  lease.job.id.octets[1] = static_cast<std::uint8_t>(number);
  lease.job.envelope.reply = {
      .channel = "drop", .address = {}, .name = stem, .in_reply_to = {}, .references = {}};
  lease.job.envelope.body = "ip";
  lease.job.payload = to_bytes(payload);
  lease.attempts = attempts;
  return lease;
}

class DirectoryEgressTest : public ::testing::Test {
 protected:
  DirectoryEgressTest() {
    std::filesystem::create_directory(out_);
    settings_.name = "drop";
    settings_.directory()->out = out_;
    egress_.emplace(settings_);
  }
  Deliveries send(std::vector<Lease> leases) { return egress_->send(leases, {}); }
  std::string contents(const std::string& name) { return contents_of(out_ + "/" + name); }

  TemporaryDirectory directory_;
  const std::string out_ = directory_ / "out";
  ChannelSettings settings_;
  std::optional<DirectoryEgress> egress_;
};

TEST_F(DirectoryEgressTest, AnAnswerGetsTheNameOfItsRequest) {
  const auto deliveries = send({answer(1, "dev1", "one")});
  ASSERT_THAT(deliveries.each, SizeIs(1));
  EXPECT_EQ(deliveries.each[0].what, What::sent);
  EXPECT_EQ(deliveries.each[0].detail, "dev1.ip.pki");
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_THAT(names_in(out_), ElementsAre("dev1.ip.pki"));
  EXPECT_EQ(contents("dev1.ip.pki"), "one");
}

// A group is larger than what a process may have open.
TEST_F(DirectoryEgressTest, AGroupIsSentWithFewFilesOpen) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit few = {64, before.rlim_max};
  std::vector<Lease> leases;
  for (int i = 0; i < 300; ++i) leases.push_back(answer(i, "dev" + std::to_string(i), "answer"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto deliveries = send(leases);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(deliveries.trouble);
  for (const auto& delivery : deliveries.each) EXPECT_EQ(delivery.what, What::sent);
  EXPECT_THAT(names_in(out_), SizeIs(300));
}

TEST_F(DirectoryEgressTest, AGroupIsSentInOneGo) {
  std::vector<Lease> leases;
  for (int i = 0; i < 500; ++i)
    leases.push_back(answer(i, "dev" + std::to_string(i), "answer " + std::to_string(i)));
  const auto deliveries = send(leases);
  for (const auto& delivery : deliveries.each) EXPECT_EQ(delivery.what, What::sent);
  EXPECT_THAT(names_in(out_), SizeIs(500));
  EXPECT_EQ(contents("dev499.ip.pki"), "answer 499");
}

TEST_F(DirectoryEgressTest, TheSameAnswerAgainIsRecognised) {
  send({answer(1, "dev1", "one")});
  for (const int attempts : {1, 2}) {
    const auto deliveries = send({answer(1, "dev1", "one", attempts)});
    EXPECT_EQ(deliveries.each[0].what, What::sent);
  }
  EXPECT_THAT(names_in(out_), ElementsAre("dev1.ip.pki"));
}

TEST_F(DirectoryEgressTest, AnotherAnswerOfThatNameGetsANameOfItsOwn) {
  const auto deliveries = send({answer(1, "dev1", "one"), answer(2, "dev1", "two")});
  EXPECT_EQ(deliveries.each[1].detail, "dev1.ip-00020000.pki");
  EXPECT_EQ(contents("dev1.ip.pki"), "one");
  EXPECT_EQ(contents("dev1.ip-00020000.pki"), "two");
}

TEST_F(DirectoryEgressTest, AnAnswerSentUnderAFurtherNameIsRecognisedToo) {
  send({answer(1, "dev1", "one"), answer(2, "dev1", "two")});
  std::filesystem::remove(out_ + "/dev1.ip.pki");  // the requester has taken it
  EXPECT_EQ(send({answer(2, "dev1", "two", 2)}).each[0].what, What::sent);
  EXPECT_THAT(names_in(out_), ElementsAre("dev1.ip-00020000.pki"));
}

TEST_F(DirectoryEgressTest, NothingIsOverwrittenEvenWhenAllNamesAreTaken) {
  for (const std::string name :
       {"dev1.ip", "dev1.ip-00010000", "dev1.ip-00010000000000000000000000000000"}) {
    write_in_place(out_ + "/" + name + ".pki", "other");
  }
  const auto deliveries = send({answer(1, "dev1", "one")});
  EXPECT_EQ(deliveries.each[0].what, What::held);
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_THAT(names_in(out_), SizeIs(3));
  EXPECT_EQ(contents("dev1.ip.pki"), "other");
}

TEST_F(DirectoryEgressTest, ASymbolicLinkOfThatNameIsNotFollowed) {
  write_in_place(directory_ / "victim", "one");
  ASSERT_EQ(::symlink((directory_ / "victim").c_str(), (out_ + "/dev1.ip.pki").c_str()), 0);
  EXPECT_EQ(send({answer(1, "dev1", "one")}).each[0].detail, "dev1.ip-00010000.pki");
}

TEST_F(DirectoryEgressTest, HalfWrittenFilesOfACrashAreRemovedAndOthersStay) {
  const std::string id = answer(7, "", "").job.id.text();
  write_in_place(out_ + "/.dev1.ip.pki." + id + ".part", "ha");
  write_in_place(out_ + "/.somebody.part", "else");
  send({});
  EXPECT_THAT(names_in(out_), ElementsAre(".somebody.part"));
}

TEST_F(DirectoryEgressTest, WhatAnotherProcessIsWritingStays) {
  const auto part = [&](int number) {
    return part_name("dev1.ip.pki", answer(number, "", "").job.id);
  };
  for (const int number : {1, 2, 3}) write_in_place(out_ + "/" + part(number), "ha");
  // 1 is active as a job of ours, 2 as one of somebody else's, 3 not at all.
  egress_.emplace(settings_, [](const JobId& id) { return id.octets[1] != 3; });
  send({answer(1, "dev1", "one")});
  EXPECT_THAT(names_in(out_), UnorderedElementsAre("dev1.ip.pki", part(2)));
}

TEST(UnderWay, IsWhatSomebodyHasLeasedOrNobodyKnows) {
  FakeClock clock;
  FakeJobQueue replies(clock);
  const auto job = numbered_job(1);
  ASSERT_THAT(replies.put({&job, 1}), IsOk());
  const auto under_way = under_way_in(replies);
  EXPECT_FALSE(under_way(job.id));
  ASSERT_THAT(replies.take(1), IsOk());
  EXPECT_TRUE(under_way(job.id));
  replies.fail_with({Recovery::retry, "the disk cannot be read", ""});
  EXPECT_TRUE(under_way(job.id)) << "not known is not no";
}

TEST_F(DirectoryEgressTest, AHalfWrittenFileIsReplacedByTheNextTry) {
  send({});
  write_in_place(out_ + "/.dev1.ip.pki." + answer(1, "", "").job.id.text() + ".part", "ha");
  EXPECT_EQ(send({answer(1, "dev1", "one")}).each[0].what, What::sent);
  EXPECT_THAT(names_in(out_), ElementsAre("dev1.ip.pki"));
  EXPECT_EQ(contents("dev1.ip.pki"), "one");
}

TEST_F(DirectoryEgressTest, AMissingDirectoryIsTheChannelsTroubleAndPasses) {
  std::filesystem::remove_all(out_);
  auto deliveries = send({answer(1, "dev1", "one")});
  EXPECT_EQ(deliveries.each[0].what, What::deferred);
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("No such file"));
  EXPECT_FALSE(std::filesystem::exists(out_));
  std::filesystem::create_directory(out_);
  deliveries = send({answer(1, "dev1", "one")});
  EXPECT_EQ(deliveries.each[0].what, What::sent);
  EXPECT_FALSE(deliveries.trouble);
}

TEST_F(DirectoryEgressTest, ADirectoryThatIsReplacedIsFoundAgain) {
  send({answer(1, "dev1", "one")});
  std::filesystem::rename(out_, directory_ / "away");
  std::filesystem::create_directory(out_);
  EXPECT_EQ(send({answer(2, "dev2", "two")}).each[0].what, What::sent);
  EXPECT_THAT(names_in(out_), ElementsAre("dev2.ip.pki"));
}

TEST_F(DirectoryEgressTest, AFullDiskDefersWhatDoesNotFitAndPasses) {
  if (::mount("tmpfs", out_.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "needs root";
  std::vector<Lease> leases;
  for (int i = 0; i < 20; ++i)
    leases.push_back(answer(i, "dev" + std::to_string(i), std::string(8000, 'x')));
  const auto deliveries = send(leases);
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("No space left"));
  const auto sent =
      static_cast<std::size_t>(std::count_if(deliveries.each.begin(), deliveries.each.end(),
                                             [](const auto& d) { return d.what == What::sent; }));
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, 20U);
  EXPECT_THAT(names_in(out_), SizeIs(sent));  // no temporary file is left
  std::vector<Lease> rest(leases.begin() + static_cast<std::ptrdiff_t>(sent), leases.end());
  ASSERT_EQ(::mount("tmpfs", out_.c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
  for (const auto& delivery : send(rest).each) EXPECT_EQ(delivery.what, What::sent);
  EXPECT_THAT(names_in(out_), SizeIs(20));
  ::umount2(out_.c_str(), MNT_DETACH);  // the Egress has it open
}

}  // namespace
}  // namespace cmpost
