// Answers on a server, honest or not.
#include "sftp/sftp_egress.h"

#include "base/log.h"
#include "tests/sftp/memory_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using What = Delivery::What;

Lease answer_to(const std::string& stem, const std::string& contents, int attempts = 1) {
  Lease lease;
  lease.job.id = make_job_id({view_of(stem), view_of(contents)});
  lease.job.envelope.reply = {"factory", "", stem, "", ""};
  lease.job.envelope.body = "ip";
  lease.job.payload = to_bytes(std::string_view(contents));
  lease.attempts = attempts;
  return lease;
}

class SftpEgressTest : public ::testing::Test {
 protected:
  SftpEgressTest() {
    log::configure({.level = log::Level::error});
    settings_.name = "factory";
    settings_.transport = SftpSettings{};
    settings_.sftp()->send.path = "/out";
  }
  Deliveries send(const std::vector<Lease>& leases) {
    if (!egress_) egress_ = std::make_unique<SftpEgress>(settings_, clock_, server_.dial());
    auto deliveries = egress_->send(leases, stop_.get_token());
    EXPECT_THAT(deliveries.each, SizeIs(leases.size()));
    return deliveries;
  }
  void restart() { egress_.reset(); }

  std::stop_source stop_;
  MemoryServer server_;
  FakeClock clock_;
  ChannelSettings settings_;
  std::unique_ptr<SftpEgress> egress_;
};

TEST_F(SftpEgressTest, WritesAnAnswerUnderItsName) {
  const auto deliveries =
      send({answer_to("dev1", "one"), answer_to("dev2", std::string(100'000, 'x'))});
  EXPECT_EQ(deliveries.each[0].what, What::sent);
  EXPECT_EQ(deliveries.each[0].detail, "/out/dev1.ip.pki");
  EXPECT_EQ(server_.contents("/out/dev1.ip.pki"), "one");
  EXPECT_EQ(server_.contents("/out/dev2.ip.pki"), std::string(100'000, 'x'));
  EXPECT_THAT(server_.names("/out"), SizeIs(2));
  EXPECT_FALSE(deliveries.trouble);
}

TEST_F(SftpEgressTest, NoWriteIsLongerThanEveryServerTakes) {
  std::size_t writes = 0;
  server_.before = [&](std::uint8_t type, const std::string&) { writes += type == 6 ? 1 : 0; };
  send({answer_to("dev1", std::string(300'000, 'x'))});
  EXPECT_EQ(writes, 10U);  // of 32 KiB
}

TEST_F(SftpEgressTest, AnAnswerThatIsThereIsNotWrittenAgain) {
  const auto lease = answer_to("dev1", "one");
  send({lease});
  restart();
  server_.before = [&](std::uint8_t type, const std::string&) { EXPECT_NE(type, 6); };
  EXPECT_EQ(send({answer_to("dev1", "one", 2)}).each[0].what, What::sent);
  EXPECT_THAT(server_.names("/out"), ElementsAre("dev1.ip.pki"));
}

TEST_F(SftpEgressTest, NothingIsOverwrittenEvenByAServerThatWould) {
  server_.renames_over = true;
  server_.put("/out/dev1.ip.pki", "somebody's");
  const auto deliveries = send({answer_to("dev1", "one"), answer_to("dev1", "two")});
  EXPECT_EQ(deliveries.each[0].what, What::sent);
  EXPECT_EQ(deliveries.each[1].what, What::sent);
  EXPECT_EQ(server_.contents("/out/dev1.ip.pki"), "somebody's");
  EXPECT_THAT(server_.names("/out"), SizeIs(3));
}

TEST_F(SftpEgressTest, AnAnswerWhoseNamesAreAllTakenIsHeld) {
  const auto lease = answer_to("dev1", "one");
  const auto id = lease.job.id.text();
  for (const auto& mark : {std::string(), "-" + id.substr(0, 8), "-" + id}) {
    server_.put("/out/dev1.ip" + mark + ".pki", "two");
  }
  const auto deliveries = send({lease, answer_to("dev2", "two")});
  EXPECT_EQ(deliveries.each[0].what, What::held);
  EXPECT_THAT(deliveries.each[0].detail, HasSubstr("all the names"));
  EXPECT_EQ(deliveries.each[1].what, What::sent);
  EXPECT_FALSE(deliveries.trouble);
}

TEST_F(SftpEgressTest, AFullDiskIsTheChannelsTroubleAndLeavesNothingHalf) {
  server_.full = true;
  const auto deliveries = send({answer_to("dev1", "one"), answer_to("dev2", "two")});
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_EQ(deliveries.each[0].what, What::deferred);
  EXPECT_EQ(deliveries.each[1].what, What::deferred);
  EXPECT_THAT(deliveries.each[1].detail, HasSubstr("writing"));
  EXPECT_THAT(server_.names("/out"), IsEmpty());
  server_.full = false;
  EXPECT_FALSE(send({answer_to("dev1", "one", 2)}).trouble);
}

TEST_F(SftpEgressTest, HiddenFilesOfACrashAreRemovedAndThoseOfOthersAreNot) {
  const auto lease = answer_to("dev1", "one");
  server_.put("/out/.dev1.ip.pki.1." + lease.job.id.text() + ".part", "on");
  server_.put("/out/.somebodys.part", "x");
  EXPECT_EQ(send({answer_to("dev1", "one", 2)}).each[0].what, What::sent);
  EXPECT_THAT(server_.names("/out"), ElementsAre(".somebodys.part", "dev1.ip.pki"));
}

// By a new process and by the one that it broke for.
class SftpEgressBroken : public SftpEgressTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Restarted, SftpEgressBroken, ::testing::Bool());

TEST_P(SftpEgressBroken, WhereverAConnectionBreaksOneCopyIsLeftInTheEnd) {
  bool broke = true;
  int requests = 0;
  for (; broke && requests < 100; ++requests) {
    const auto name = "dev" + std::to_string(requests);
    restart();
    server_.break_after = requests;
    const auto first = send({answer_to(name, "one")});
    broke = first.each[0].what != What::sent;
    EXPECT_EQ(broke, first.trouble.has_value());
    server_.break_after = -1;
    if (GetParam()) restart();
    EXPECT_EQ(send({answer_to(name, "one", 2)}).each[0].what, What::sent);
    EXPECT_EQ(server_.contents("/out/" + name + ".ip.pki"), "one");
    EXPECT_THAT(server_.names("/out"), SizeIs(requests + 1));
  }
  EXPECT_GT(requests, 10);
}

TEST_F(SftpEgressTest, WhatAStopCutsShortIsDeferredAndNoTrouble) {
  stop_.request_stop();
  const auto deliveries = send({answer_to("dev1", "one")});
  EXPECT_EQ(deliveries.each[0].what, What::deferred);
  EXPECT_FALSE(deliveries.trouble);
}

TEST_F(SftpEgressTest, AServerWithoutFsyncWorksToo) {
  server_.fsync = false;
  EXPECT_EQ(send({answer_to("dev1", "one")}).each[0].what, What::sent);
}

TEST_F(SftpEgressTest, ManyAnswersGoOverSeveralConnections) {
  std::vector<Lease> leases;
  for (int i = 0; i < 300; ++i) leases.push_back(answer_to("dev" + std::to_string(i), "x"));
  const auto deliveries = send(leases);
  for (const auto& delivery : deliveries.each) EXPECT_EQ(delivery.what, What::sent);
  EXPECT_THAT(server_.names("/out"), SizeIs(300));
  EXPECT_GT(server_.connections, 1U);
}

}  // namespace
}  // namespace cmpost
