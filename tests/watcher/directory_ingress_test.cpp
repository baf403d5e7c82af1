#include "watcher/directory_ingress.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/no_more_threads.h"
#include "tests/watcher/watched_input.h"
#include "watcher/file_names.h"
#include "watcher/ingress_loop.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kSettle = 1h;  // no file grows that old in a test; a test moves the clock

std::string message(int number) {
  std::string der = {'\x30', '\x04', '\x02', '\x02'};
  der += static_cast<char>(number >> 8);
  der += static_cast<char>(number);
  return der;
}

class DirectoryIngressTest : public WatchedInput<DirectoryIngress> {
 protected:
  DirectoryIngressTest() : WatchedInput("drop", "in", kSettle) {
    settings_.directory()->poll = 10 * kSettle;
    restart();
  }

  // A new object, as after a restart; it has looked once and watches.
  void restart() {
    ingress_.emplace(settings_, queue_, wall_, steady_);
    look();
  }
  Intake look_when_settled() {
    steady_.advance(kSettle);
    auto intake = look();
    steady_.advance(kSettle);
    const auto last = look();
    intake += last;
    intake.settling = last.settling;
    intake.stuck = last.stuck;
    return intake;
  }
  Intake scan() {
    steady_.advance(settings_.directory()->poll);
    return look();
  }
  void drop(const std::string& name, std::string_view contents) {
    write_and_rename(in_, name, contents);
  }
  std::string reason_of(const std::string& name) {
    return contents_of(in_ + "/.quarantine/" + name + ".reason.txt");
  }
  // `name` is put into quarantine once it has settled, with a reason in the file and in the queue.
  void expect_quarantined(const std::string& name, const std::string& reason) {
    look_when_settled();
    EXPECT_THAT(in(".quarantine"), Contains(name));
    EXPECT_THAT(reason_of(name), HasSubstr(reason));
    EXPECT_THAT(in(), ::testing::Not(Contains(name)));
    const auto held = jobs(JobState::held);
    ASSERT_THAT(held, SizeIs(1));
    EXPECT_THAT(held[0].reason, HasSubstr(reason));
    EXPECT_EQ(held[0].envelope.source, printable(name));
    EXPECT_EQ(held[0].size, 0U);
  }
};

TEST_F(DirectoryIngressTest, ARenamedFileIsTakenAtOnceAndKeptInDone) {
  drop("dev1.pki", message(1));
  const auto intake = look();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.known, 0U);
  EXPECT_EQ(intake.settling, 0U);
  ASSERT_THAT(jobs(JobState::waiting), SizeIs(1));
  const auto job = jobs()[0];
  EXPECT_EQ(job.envelope.channel, "drop");
  EXPECT_EQ(job.envelope.source, "dev1.pki");
  EXPECT_EQ(job.envelope.reply.channel, "drop");
  EXPECT_EQ(job.envelope.reply.name, "dev1");
  EXPECT_EQ(text_of(queue_.payload(job.id).value()), message(1));
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("dev1.pki"));
}

TEST_F(DirectoryIngressTest, AFileThatIsClosedAfterWritingIsTakenAtOnce) {
  write_in_place(in_ + "/dev1.pki", message(1));
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, AFileThatIsStillOpenIsNotTakenBeforeItHasSettled) {
  std::ofstream file(in_ + "/dev1.pki", std::ios::binary);
  file << message(1) << std::flush;
  EXPECT_EQ(look().settling, 1U);
  steady_.advance(kSettle - 1s);
  EXPECT_EQ(look().deposited, 0U);
  EXPECT_THAT(in(), ElementsAre("dev1.pki"));
  steady_.advance(1s);
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, ACutOffFileIsWaitedForAndThenTakenWhole) {
  const auto whole = message(1);
  std::ofstream file(in_ + "/dev1.pki", std::ios::binary);
  file << whole.substr(0, 3) << std::flush;
  look();
  steady_.advance(kSettle / 2);
  file << whole.substr(3);
  file.close();
  ASSERT_EQ(look().deposited, 1U);
  EXPECT_EQ(text_of(queue_.payload(jobs()[0].id).value()), whole);
}

TEST_F(DirectoryIngressTest, AFileThatStaysCutOffIsPutAside) {
  drop("dev1.pki", message(1).substr(0, 4));
  EXPECT_EQ(look().settling, 1U);
  EXPECT_EQ(look_when_settled().settling, 1U) << "its writer may be waiting";
  steady_.advance(8 * kSettle);
  expect_quarantined("dev1.pki", "cut off: 4 of 6 octets");
}

TEST_F(DirectoryIngressTest, AnEmptyFileMayStillGrow) {
  drop("dev1.pki", "");
  EXPECT_EQ(look().settling, 1U);
  write_in_place(in_ + "/dev1.pki", message(1));
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, AFileThatStaysEmptyIsPutAside) {
  drop("dev1.pki", "");
  look();
  look_when_settled();
  steady_.advance(8 * kSettle);
  expect_quarantined("dev1.pki", "empty");
}

TEST_F(DirectoryIngressTest, ALinkIsCompleteButOnlyKnownByCreation) {
  write_in_place(in_ + "/.sender", message(1));
  ASSERT_EQ(::link((in_ + "/.sender").c_str(), (in_ + "/dev1.pki").c_str()), 0);
  EXPECT_EQ(look().settling, 1U);
  ::unlink((in_ + "/.sender").c_str());
  EXPECT_EQ(look_when_settled().deposited, 1U);
}

TEST_F(DirectoryIngressTest, TwoHardLinksOfOneFileAreOneJob) {
  drop("a.pki", message(1));
  ASSERT_EQ(::link((in_ + "/a.pki").c_str(), (in_ + "/b.pki").c_str()), 0);
  look();
  EXPECT_THAT(jobs(), IsEmpty());
  look_when_settled();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(in(".done"), ElementsAre("a.pki", "b.pki"));
}

TEST_F(DirectoryIngressTest, FilesFromBeforeTheStartAreTakenWhenTheyHaveSettled) {
  ingress_.reset();
  drop("dev1.pki", message(1));
  restart();
  EXPECT_THAT(jobs(), IsEmpty());
  steady_.advance(kSettle);
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, FilesThatAreOldByTheFileSystemsClockAreTakenAtOnce) {
  ingress_.reset();
  drop("dev1.pki", message(1));
  settings_.directory()->settle = Duration::zero();
  ingress_.emplace(settings_, queue_, wall_, steady_);
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, TheSameFileAgainIsTheSameJobAndAnotherArrivalIsAnother) {
  drop("dev1.pki", message(1));
  look();
  std::filesystem::rename(in_ + "/.done/dev1.pki", in_ + "/dev1.pki");
  auto intake = look();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.known, 1U);
  drop("dev1.pki", message(1));
  intake = look();
  EXPECT_EQ(intake.known, 0U);
  EXPECT_THAT(jobs(), SizeIs(2));
}

TEST_F(DirectoryIngressTest, NothingInDoneIsOverwritten) {
  for (int i = 0; i < 4; ++i) {
    drop("dev1.pki", message(i));
    look();
  }
  EXPECT_THAT(in(".done"), SizeIs(4));
  EXPECT_EQ(contents_of(in_ + "/.done/dev1.pki"), message(0));
  EXPECT_EQ(contents_of(in_ + "/.done/dev1-1.pki"), message(1));
  EXPECT_EQ(contents_of(in_ + "/.done/dev1-" + jobs()[3].id.text() + ".pki"), message(3));
}

TEST_F(DirectoryIngressTest, OtherPeoplesFilesAreLeftAlone) {
  for (const auto* name : {".hidden.pki", "a.tmp", "a.part", "a.filepart", "a.crdownload", "~a"}) {
    write_in_place(in_ + "/" + name, message(1));
  }
  std::filesystem::create_directory(in_ + "/archive");
  const auto intake = look_when_settled();
  EXPECT_EQ(intake.deposited + intake.quarantined + intake.settling + intake.stuck, 0U);
  EXPECT_THAT(in(), SizeIs(7));
}

TEST_F(DirectoryIngressTest, FoldersAreSpokenOf) {
  for (const auto* name : {"archive", "lost+found"}) {
    std::filesystem::create_directory(in_ + "/" + name);
  }
  scan();
  EXPECT_EQ(note(), "what lies in folders is not taken: archive in " + in_);
  std::filesystem::create_directory(in_ + "/b");
  scan();
  EXPECT_THAT(note(), HasSubstr(" and 1 more in "));
  for (const auto* name : {"archive", "b"}) std::filesystem::remove(in_ + "/" + name);
  scan();
  EXPECT_EQ(note(), "");
}

TEST_F(DirectoryIngressTest, TheNameMattersLessThanTheContent) {
  drop("request", message(1));
  drop("request.bin", message(2));
  drop("request.pem",
       "-----BEGIN CMP-----\n" + to_base64(view_of(message(3))) + "\n-----END CMP-----\n");
  EXPECT_EQ(look().deposited, 3U);
  drop("notes.txt", "to do: nothing");
  look();
  expect_quarantined("notes.txt", "neither DER nor PEM");
}

TEST_F(DirectoryIngressTest, NamesOfAllKindsAreTaken) {
  const std::string newline = "a\nb.pki", latin1 = "Ger\xe4t.pki", longest(255, 'x');
  drop(newline, message(1));
  drop(latin1, message(2));
  drop(longest, message(3));
  EXPECT_EQ(look().deposited, 3U);
  EXPECT_THAT(in(".done"), ElementsAre(latin1, newline, longest));
  for (const auto& job : jobs())
    EXPECT_EQ(printable(job.envelope.reply.name, 1000), job.envelope.reply.name);
}

TEST_F(DirectoryIngressTest, TheLongestNameCanBePutAsideWithItsReason) {
  const std::string longest = std::string(251, 'x') + ".pki";
  drop(longest, "no message");
  look();
  look_when_settled();
  const auto cut = marked_name(longest, "", std::string_view(".reason.txt").size());
  EXPECT_THAT(in(".quarantine"), ElementsAre(cut, cut + ".reason.txt"));
}

TEST_F(DirectoryIngressTest, ALargeFileIsPutAsideWithoutBeingRead) {
  write_in_place(in_ + "/big.pki", message(1));
  ASSERT_EQ(::truncate((in_ + "/big.pki").c_str(), 2LL << 30), 0);
  expect_quarantined("big.pki", "2147483648 octets, more than the limit of 1000");
}

TEST_F(DirectoryIngressTest, ADirectoryNamedLikeARequestIsPutAside) {
  std::filesystem::create_directory(in_ + "/dir.pki");
  expect_quarantined("dir.pki", "a directory");
}

TEST_F(DirectoryIngressTest, AFifoIsPutAside) {
  ASSERT_EQ(::mkfifo((in_ + "/fifo.pki").c_str(), 0600), 0);
  expect_quarantined("fifo.pki", "a FIFO");
}

TEST_F(DirectoryIngressTest, ASocketIsPutAside) {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (in_ + "/socket.pki").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  expect_quarantined("socket.pki", "a socket");
}

TEST_F(DirectoryIngressTest, ASymbolicLinkIsPutAsideAndNotFollowed) {
  write_in_place(directory_ / "secret", message(1));
  ASSERT_EQ(::symlink((directory_ / "secret").c_str(), (in_ + "/link.pki").c_str()), 0);
  expect_quarantined("link.pki", "a symbolic link");
  EXPECT_EQ(contents_of(directory_ / "secret"), message(1));
}

// Whoever may write into `in` knows which names will be written in `.quarantine`.
TEST_F(DirectoryIngressTest, ALinkInQuarantineIsNotWrittenThrough) {
  write_in_place(directory_ / "precious", "precious");
  look();
  for (const bool hard : {true, false}) {
    const std::string name = hard ? "hard.pki" : "soft.pki";
    const auto target = in_ + "/.quarantine/" + name + ".reason.txt";
    if (hard) {
      ASSERT_EQ(::link((directory_ / "precious").c_str(), target.c_str()), 0);
    } else {
      ASSERT_EQ(::symlink((directory_ / "precious").c_str(), target.c_str()), 0);
    }
    drop(name, "no message");
    look();
    look_when_settled();
    EXPECT_EQ(contents_of(directory_ / "precious"), "precious");
  }
}

TEST_F(DirectoryIngressTest, BadFilesDoNotStopTheGoodOnes) {
  for (int i = 0; i < 10; ++i) drop("bad" + std::to_string(i) + ".pki", "bad");
  for (int i = 0; i < 10; ++i) drop("good" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(look().deposited, 10U);
  EXPECT_EQ(look_when_settled().quarantined, 10U);
  EXPECT_THAT(jobs(JobState::held), SizeIs(10));
}

// Root may read everything, so this runs as nobody in a child.
TEST_F(DirectoryIngressTest, AnUnreadableFileStaysAndStopsNobody) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  constexpr uid_t kNobody = 65534;
  drop("secret.pki", message(1));
  drop("good.pki", message(2));
  ::chmod((in_ + "/secret.pki").c_str(), 0600);
  ::chmod(directory_.path().c_str(), 0755);
  ASSERT_EQ(::chown(in_.c_str(), kNobody, kNobody), 0);
  for (const auto* own : {".work", ".done", ".quarantine"}) {
    ASSERT_EQ(::chown((in_ + "/" + own).c_str(), kNobody, kNobody), 0);
  }
  ::chmod(in_.c_str(), 01777);  // sticky: nobody cannot rename a file of root's ...
  ASSERT_EQ(::chown(in_.c_str(), 0, 0), 0);
  ::chown((in_ + "/good.pki").c_str(), kNobody, kNobody);
  const auto child = ::fork();
  if (child == 0) {
    if (::setuid(kNobody) != 0) ::_exit(10);
    const auto intake = look_when_settled();
    const bool right = queue_.counts()->waiting == 1 && queue_.counts()->held == 0 &&
                       intake.stuck == 1 && intake.settling == 0;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(in(), ElementsAre("secret.pki"));
  EXPECT_THAT(in(".done"), ElementsAre("good.pki"));
}

TEST_F(DirectoryIngressTest, AQueueThatFailsLosesNothing) {
  queue_.fail_with({Recovery::retry, "database is locked", ""});
  drop("dev1.pki", message(1));
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("locked")));
  EXPECT_THAT(in(".done"), IsEmpty());
  EXPECT_THAT(in(".work"), ElementsAre("dev1.pki"));
  drop("dev1.pki", message(2));  // the same name again, meanwhile
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("locked")));
  queue_.go_on();
  EXPECT_EQ(look().deposited, 2U);
  EXPECT_THAT(jobs(), SizeIs(2));
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_THAT(in(".done"), SizeIs(2));
}

TEST_F(DirectoryIngressTest, WhatACrashLeftInWorkIsDeposited) {
  drop("dev1.pki", message(1));
  ingress_.reset();
  std::filesystem::rename(in_ + "/dev1.pki", in_ + "/.work/dev1.pki");
  restart();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(in(".done"), ElementsAre("dev1.pki"));
}

TEST_F(DirectoryIngressTest, WorkThatACrashLeftAfterTheDepositIsNoSecondJob) {
  drop("dev1.pki", message(1));
  look();
  ingress_.reset();
  std::filesystem::rename(in_ + "/.done/dev1.pki", in_ + "/.work/dev1.pki");
  restart();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(in(".work"), IsEmpty());
}

TEST_F(DirectoryIngressTest, GroupsHaveFiveHundredFiles) {
  for (int i = 0; i < 1100; ++i) drop("f" + std::to_string(i) + ".pki", message(i));
  EXPECT_EQ(look().deposited, 1100U);
  EXPECT_EQ(queue_.puts(), 3U);
}

TEST_F(DirectoryIngressTest, FilesAreTakenInTheOrderInWhichTheyWereWritten) {
  for (int i = 9; i >= 0; --i) {
    drop("f" + std::to_string(i) + ".pki", message(i));
    const timespec times[2] = {{1000 - i, 0}, {1000 - i, 0}};
    ::utimensat(AT_FDCWD, (in_ + "/f" + std::to_string(i) + ".pki").c_str(), times, 0);
  }
  look();
  ASSERT_THAT(jobs(), SizeIs(10));
  EXPECT_EQ(jobs().front().envelope.source, "f9.pki");
  EXPECT_EQ(jobs().back().envelope.source, "f0.pki");
}

TEST_F(DirectoryIngressTest, LostEventsAreMadeUpByAScan) {
  const auto queued = std::stoi(contents_of("/proc/sys/fs/inotify/max_queued_events"));
  write_in_place(in_ + "/.a", message(1));
  for (int i = 0; i <= queued / 2; ++i) {
    std::filesystem::rename(in_ + "/.a", in_ + "/.b");
    std::filesystem::rename(in_ + "/.b", in_ + "/.a");
  }
  drop("late.pki", message(2));  // nobody hears of it
  EXPECT_EQ(look().settling, 1U);
  EXPECT_EQ(look_when_settled().deposited, 1U);
}

TEST_F(DirectoryIngressTest, ADirectoryThatIsReplacedIsFoundAgain) {
  std::filesystem::rename(in_, directory_ / "away");
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("No such file")));
  std::filesystem::create_directory(in_);
  look();
  drop("dev1.pki", message(1));
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, AMissingDirectoryIsNotMade) {
  std::filesystem::remove_all(in_);
  EXPECT_THAT(ingress_->poll({}), Fails(HasSubstr("No such file")));
  EXPECT_FALSE(std::filesystem::exists(in_));
}

TEST_F(DirectoryIngressTest, OldFilesGoWhenTheirTimeIsOver) {
  settings_.directory()->done_keep = 24h * 30;
  settings_.directory()->quarantine_keep = Duration::zero();
  restart();
  drop("dev1.pki", message(1));
  drop("bad.pki", "bad");
  look();
  look_when_settled();
  wall_.advance(24h * 29);
  scan();
  EXPECT_THAT(in(".done"), SizeIs(1));
  wall_.advance(24h * 2);
  scan();
  EXPECT_THAT(in(".done"), IsEmpty());
  EXPECT_THAT(in(".quarantine"), SizeIs(2));
}

TEST_F(DirectoryIngressTest, ARequestedStopEndsTheLookBetweenFiles) {
  drop("dev1.pki", message(1));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(ingress_->poll(stop.get_token()), IsOk());
  EXPECT_THAT(in(), ElementsAre("dev1.pki"));
  EXPECT_EQ(look().deposited, 1U);
}

TEST_F(DirectoryIngressTest, ABatchRunTakesAllThatWaits) {
  settings_.directory()->settle = 10ms;
  const SteadyClock real;
  DirectoryIngress ingress(settings_, queue_, wall_, real);
  drop("a.pki", message(1));
  drop("b.pki", "bad");
  const auto intake = take_all(ingress, {});
  ASSERT_THAT(intake, IsOk());
  EXPECT_EQ(intake->deposited, 1U);
  EXPECT_EQ(intake->quarantined, 1U);
  EXPECT_EQ(intake->settling, 0U);
}

TEST_F(DirectoryIngressTest, TheLoopTakesWhatComesAndStopsWhenTold) {
  settings_.directory()->settle = 10ms;
  settings_.directory()->poll = 1h;
  const SteadyClock real;
  DirectoryIngress ingress(settings_, queue_, wall_, real);
  {
    WayRecorder way({}, wall_);
    const auto loop = IngressLoop::start(ingress, way);
    ASSERT_THAT(loop, IsOk());
    for (int i = 0; i < 3; ++i) {
      drop("f" + std::to_string(i) + ".pki", message(i));
      while (jobs().size() < static_cast<std::size_t>(i) + 1) queue_.wait_for_work(10ms);
    }
  }
  EXPECT_THAT(in(".done"), SizeIs(3));
}

TEST_F(DirectoryIngressTest, HeldJobsOfBeforeKeepNoRefusedFileInDone) {
  for (int i = 0; i < 1000; ++i) {
    Job job;
    job.id = make_job_id({view_of(std::to_string(i))});
    job.envelope.channel = "drop";
    job.payload = to_bytes("held");
    ASSERT_THAT(queue_.put_held(job, "of before"), IsOk());
  }
  drop("a.pki", message(1));
  look_when_settled();
  ASSERT_THAT(queue_.hold(queue_.take(1).value().at(0).job.id, "not a PKIMessage"), IsOk());
  scan();
  EXPECT_THAT(in(".quarantine"), Contains("a.pki"));
}

TEST_F(DirectoryIngressTest, ARefusedFileIsFoundInDoneByWhateverNameItGot) {
  for (int i = 1; i <= 4; ++i) {
    drop("a.pki", message(i));
    look_when_settled();
  }
  EXPECT_THAT(in(".done"), SizeIs(4));
  const auto leases = queue_.take(4).value();
  for (const auto& lease : leases) {
    ASSERT_THAT(queue_.hold(lease.job.id, "not a PKIMessage"), IsOk());
  }
  scan();
  EXPECT_THAT(in(".done"), IsEmpty());
}

TEST_F(DirectoryIngressTest, ALoopWithoutAThreadIsAnError) {
  WayRecorder way({}, wall_);
  const NoMoreThreads none;
  EXPECT_THAT(IngressLoop::start(*ingress_, way), Fails(HasSubstr("starting a thread")));
}

}  // namespace
}  // namespace cmpost
