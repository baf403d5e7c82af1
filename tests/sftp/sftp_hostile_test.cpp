// What a server can do to us: break off, lie, refuse.
#include "tests/sftp/sftp_intake.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using HostileSftpServer = SftpIngressTest;

TEST_F(HostileSftpServer, AFileThatBreaksTheConnectionStopsNobodyForLong) {
  settings_.sftp()->sessions = 1;
  for (int i = 0; i < 20; ++i) {
    server_.put("/in/f" + std::to_string(10 + i) + ".pki", message(i));
  }
  server_.put("/in/f15x.pki", message(99), 1'700'000'006);
  std::size_t asked = 0;
  server_.before = [&](std::uint8_t type, const std::string& path) {
    constexpr std::uint8_t kOpen = 3;
    if (type != kOpen || path != "/in/f15x.pki") return;
    ++asked;
    server_.break_after = 0;
  };
  const auto dial = [this, plain = server_.dial()](SocketWatchdog& watchdog) {
    server_.break_after = -1;
    return plain(watchdog);
  };
  ingress_ = std::make_unique<SftpIngress>(settings_, queue_, wall_, steady_, dial);
  EXPECT_EQ(poll().deposited, 20U);
  EXPECT_THAT(server_.names("/in"), ElementsAre("f15x.pki"));
  for (int i = 0; i < 5; ++i) {
    steady_.advance(settings_.sftp()->poll);
    poll();
  }
  EXPECT_EQ(poll().stuck, 1U);
  const auto held = jobs(JobState::held);
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].envelope.source, "f15x.pki");
  EXPECT_THAT(held[0].reason, HasSubstr("breaks the connection"));
  const auto asked_before = asked;
  poll();
  EXPECT_EQ(asked, asked_before) << "it rests";
  server_.before = nullptr;
  steady_.advance(1h);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_THAT(jobs(JobState::held), IsEmpty());
}

TEST_F(HostileSftpServer, AServerThatMayNotBeChangedIsTroubleAndNothingIsTakenTwice) {
  poll();
  server_.read_only = true;
  for (int i = 0; i < 3; ++i) server_.put("/in/" + std::to_string(i) + ".pki", message(i));
  const auto error = failing_poll();
  EXPECT_THAT(error.what, HasSubstr("permission denied"));
  EXPECT_THAT(jobs(), SizeIs(3));
  std::size_t reads = 0;
  server_.before = [&](std::uint8_t type, const std::string&) { reads += type == 5 ? 1 : 0; };
  failing_poll();
  EXPECT_EQ(reads, 0U);
  server_.read_only = false;
  EXPECT_EQ(poll().deposited, 0U);
  EXPECT_THAT(server_.names("/in"), IsEmpty());
  EXPECT_THAT(jobs(), SizeIs(3));
}

TEST_F(HostileSftpServer, ShortReadsAreCompleted) {
  server_.most_per_read = 7;
  settings_.max_message = 100'000;
  std::string large = {'\x30', '\x82', '\x11', '\x70'};  // 4464 octets follow
  large.resize(4 + 4464, 'l');
  server_.put("/in/a.pki", large);
  EXPECT_EQ(poll().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs().front().id).value()), large);
}

TEST_F(HostileSftpServer, NamesThatWouldLeadElsewhereAreNeverUsed) {
  server_.put("/secret.pki", message(1));
  server_.extra_names = {"../secret.pki",
                         "/secret.pki",
                         "..",
                         "",
                         std::string("a\0b.pki", 7),
                         "a\nb.pki",
                         std::string(300, 'n') + ".pki"};
  server_.put("/in/good.pki", message(2));
  std::vector<std::string> touched;
  server_.before = [&](std::uint8_t, const std::string& path) { touched.push_back(path); };
  EXPECT_EQ(poll_until_settled().deposited, 1U);
  for (const auto& path : touched) EXPECT_THAT(path, ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(server_.contents("/secret.pki"), message(1));
  EXPECT_EQ(poll().stuck, 6U);
}

TEST_F(HostileSftpServer, AListingWithoutAnEndEnds) {
  server_.endless_listing = true;
  server_.piece = 1U << 20U;
  server_.put("/in/good.pki", message(2));
  settings_.sftp()->ready = SftpReady::stable;
  EXPECT_LE(poll().settling, 100'001U);
}

TEST_F(HostileSftpServer, SizesThatLieCostNoMemoryAndTakeNothing) {
  server_.put("/in/a.pki", message(1, 50));
  server_.told_size = std::uint64_t{1} << 62U;
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size = 10;  // longer than told
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size = 90;  // shorter than told
  EXPECT_EQ(poll().deposited, 0U);
  server_.told_size.reset();
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(HostileSftpServer, MoreDataThanWasAskedForEndsTheConnection) {
  server_.put("/in/a.pki", message(1));
  server_.more_than_asked = 1;
  for (int tries = 0; tries < 3; ++tries) {
    const auto before = server_.connections;
    (void)ingress().poll({});
    EXPECT_GT(server_.connections, before);
  }
  ASSERT_THAT(jobs(JobState::held), SizeIs(1));
  EXPECT_THAT(jobs(JobState::held)[0].reason, HasSubstr("more data than was asked for"));
  server_.more_than_asked = 0;
  steady_.advance(1h);
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(HostileSftpServer, WhereverAConnectionBreaksEachFileIsTakenOnce) {
  int requests = 0;
  bool broke = true;
  for (; broke && requests < 200; ++requests) {
    const auto name = "f" + std::to_string(requests);
    const auto before = jobs().size();
    server_.put("/in/" + name + ".pki", message(requests));
    server_.put("/in/" + name + "b.pki", message(requests, 20));
    restart();
    server_.break_after = requests;
    broke = !ingress().poll({}).has_value();
    server_.break_after = -1;
    poll();
    EXPECT_THAT(jobs(), SizeIs(before + 2)) << requests;
    EXPECT_THAT(server_.names("/in"), IsEmpty()) << requests;
  }
  EXPECT_GT(requests, 15);
}

TEST_F(HostileSftpServer, ARefusedLoginIsNotRepeatedAtOnce) {
  server_.refusal = DialFailure{{Recovery::hold, "login refused", {}}, true};
  EXPECT_EQ(failing_poll().what, "login refused");
  EXPECT_EQ(failing_poll().what, "login refused");
  EXPECT_EQ(server_.connections, 1U);
  steady_.advance(5s);
  failing_poll();
  EXPECT_EQ(server_.connections, 2U);
  steady_.advance(5s);
  failing_poll();
  EXPECT_EQ(server_.connections, 2U);
  server_.refusal.reset();
  steady_.advance(5s);
  poll();
}

}  // namespace
}  // namespace cmpost
