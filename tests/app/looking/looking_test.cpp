// What people look at: queues, explanations, the clock, and what becomes of output that nobody
// takes.
#include <fcntl.h>
#include <unistd.h>

#include "app/looking/doubted_times.h"
#include "app/looking/restore.h"
#include "ca/ledger/clock_record.h"
#include "outbox/bundle_export.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/bundle_people.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LookingTest : public ::testing::Test {
 protected:
  LookingTest() { make_instance(directory_.path()); }
  Said said(std::vector<std::string> words) { return say(directory_.path(), std::move(words)); }

  TemporaryDirectory directory_;
  const SystemClock clock_;
};

std::vector<std::string> queues_of(const Said& said) {
  std::vector<std::string> queues;
  for (const auto& job : said.json()) queues.push_back(job.at("queue"));
  return queues;
}

TEST_F(LookingTest, LimitAndOffsetCountOverBothQueues) {
  {
    const auto instance = open_instance(directory_.path(), clock_);
    auto* const spool = instance->spool().value();
    const auto requests = numbered_jobs(1, 3), replies = numbered_jobs(11, 13);
    ASSERT_TRUE(spool->requests().put(requests));
    ASSERT_TRUE(spool->replies().put(replies));
  }
  const auto list = [&](const char* limit, const char* offset) {
    return said({"queue", "list", "--json", "--limit", limit, "--offset", offset});
  };
  using Queues = std::vector<std::string>;
  EXPECT_EQ(queues_of(list("2", "0")), (Queues{"requests", "requests"}));
  EXPECT_THAT(list("2", "0").err, HasSubstr("and 4 more"));
  EXPECT_EQ(queues_of(list("4", "0")), (Queues{"requests", "requests", "requests", "replies"}));
  EXPECT_EQ(queues_of(list("2", "2")), (Queues{"requests", "replies"}));
  EXPECT_THAT(list("2", "2").err, HasSubstr("and 2 more"));
  EXPECT_EQ(queues_of(list("9", "5")), (Queues{"replies"}));
  EXPECT_THAT(list("9", "5").err, IsEmpty());
  EXPECT_THAT(queues_of(list("9", "6")), IsEmpty());
}

TEST_F(LookingTest, ExplainWarnsOfWrongSettingsAndGoesOn) {
  insert_settings(directory_.path(), "profiles = [", "pol = \"10s\"\n");
  const auto unknown = said({"transaction", "explain", "0a"});
  EXPECT_EQ(unknown.code, ExitCode::failed);
  EXPECT_THAT(unknown.err, HasSubstr("no request has"));
  std::ofstream(directory_ / "cmpost.toml") << "[instance\n";
  const auto unread = said({"transaction", "explain", "0a"});
  EXPECT_EQ(unread.code, ExitCode::configuration);
  EXPECT_THAT(unread.err, HasSubstr("cannot be read"));
}

TEST_F(LookingTest, CrlWithoutItsDirectoryIsIssuedAndSaysWhatIsMissing) {
  std::filesystem::remove_all(directory_ / "crl");
  const auto done = said({"crl", "issue"});
  EXPECT_EQ(done.code, ExitCode::failed);
  EXPECT_THAT(done.err, AllOf(HasSubstr("not published"), HasSubstr("make the directory")));
  EXPECT_THAT(said({"crl", "list", "--json"}).json(), SizeIs(2));
}

// A published CRL that cannot be read is not one that is ahead of the ledger.
TEST_F(LookingTest, CrlThatCannotBeReadIsNotCalledNewer) {
  const auto published = load(directory_ / "cmpost.toml").value().ca->crl.publish;
  std::filesystem::remove(published);
  std::filesystem::create_directory(published);
  const auto instance = open_instance(directory_.path(), clock_);
  EXPECT_FALSE(find_newer_crl(*instance));
  EXPECT_THAT(remarks_of(said({"status", "--json"}), "crl"), SizeIs(1));
  EXPECT_THAT(remarks_of(said({"status", "--json"}), "ledger"), IsEmpty());
  std::filesystem::remove(published);
  std::filesystem::create_symlink(published, published);  // and neither is this "no file"
  EXPECT_FALSE(find_newer_crl(*instance));
}

// Standard output of the process is a full disk meanwhile.
class FullOutput {
 public:
  FullOutput() : before_(::dup(1)) {
    std::fflush(stdout);
    const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ::dup2(full.get(), 1);
  }
  ~FullOutput() {
    std::fflush(stdout);
    ::dup2(before_.get(), 1);
  }

 private:
  const FileDescriptor before_;
};

TEST_F(LookingTest, OutputThatAFullDiskDoesNotTakeIsAnError) {
  const auto settings = directory_ / "cmpost.toml";
  for (const char* command : {"status", "check"}) {
    const char* const words[] = {"cmpost", "--config", settings.c_str(), command};
    ::testing::internal::CaptureStderr();
    auto code = ExitCode::ok;
    {
      const FullOutput full;
      code = run_program(4, words);
    }
    const auto err = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, ExitCode::partly) << command;
    EXPECT_THAT(err, AllOf(HasSubstr("No space left"), HasSubstr("make room"))) << command;
  }
  EXPECT_EQ(said({"status"}).code, ExitCode::ok) << "the next one is not to blame";
}

class ClockHistoryTest : public LookingTest {
 protected:
  ClockHistoryTest() : clock_then_(clock_.now()) { open(); }
  void open() { instance_ = open_instance(directory_.path(), clock_then_); }

  // As the clock says that it is.
  void write(Time at, const std::function<Result<void>(LedgerWriter&)>& act) {
    clock_then_.set(at);
    const auto ledger = Ledger::open(instance_->settings().instance.ledger, directory_.path(),
                                     clock_then_, {}, OpenMode::read_write);
    ASSERT_THAT(ledger, IsOk());
    ASSERT_THAT((*ledger)->write(act), IsOk());
  }
  void record(Time at, const char* event, const char* why) {
    write(at, [&](LedgerWriter& writer) {
      return writer.audit(event, nlohmann::json{{"why", why}}.dump());
    });
  }
  void issue(Time at) {
    SystemRandom random;
    SyntheticCertificates certificates(instance_->authority().value()->identity.certificate,
                                       random);
    write(at, [&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(certificates.next(at)));
      return writer.audit("certificate.issued", "{}");
    });
  }

  FakeClock clock_then_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(ClockHistoryTest, CertificatesOfATimeWhenTheClockWasAheadAreNamed) {
  const auto now = clock_.now(), ahead = now + 24h * 400;
  record(ahead, "clock.doubted", "ahead");
  issue(ahead + 1h);
  record(now + 2h, "clock.accepted", "it is right again");
  issue(now + 3h);
  const auto reader = instance_->look_into_ledger().value();
  const auto times = find_doubted_times(*reader, 3).value().newest;
  ASSERT_THAT(times, SizeIs(1));
  EXPECT_EQ(times[0].doubt, "ahead");
  EXPECT_LT(times[0].since, ahead);
  EXPECT_GT(times[0].since, ahead - 5min);
  ASSERT_TRUE(times[0].until);
  EXPECT_GT(*times[0].until, ahead + 1h);
  EXPECT_EQ(times[0].certificates, 1);
  EXPECT_THAT(times[0].command, HasSubstr("cmpost cert list --since "));
}

TEST_F(ClockHistoryTest, ThatThereWereMoreThanAreShownIsSaid) {
  for (int i = 0; i < 5; ++i) {
    record(clock_.now(), "clock.doubted", "ahead");
    record(clock_.now(), "clock.accepted", "it is right again");
  }
  EXPECT_THAT(said({"clock"}).out, HasSubstr("... and 2 more in the audit log"));
  EXPECT_THAT(said({"clock", "--json"}).json().at("doubted"), SizeIs(3));
  EXPECT_EQ(said({"clock", "--json"}).json().at("doubted_more"), 2);
}

TEST_F(LookingTest, AnEventThatNoRecordHasIsNotCalledUnknown) {
  const auto show = [&](const char* event) { return said({"audit", "show", "--event", event}); };
  EXPECT_THAT(
      show("request.contested").err,
      AllOf(HasSubstr("no record has the event 'request.contested'"), Not(HasSubstr("there is no")),
            Not(HasSubstr("one of")), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(show("instance.mad").err, HasSubstr("did you mean 'instance.made'?"));
  EXPECT_THAT(show("instance.made").err, IsEmpty());
}

// An instance with a courier, and how `status` tells of the channel.
class CourierLooked : public LookingTest {
 protected:
  CourierLooked() {
    std::ofstream(directory_ / "cmpost.toml", std::ios::app)
        << "[bundle]\npeer = [{ name = \"gateway\", trust = [\"ca/ca.pem\"] }]\n"
           "[[channel]]\nname = \"courier\"\nkind = \"courier\"\npeer = \"gateway\"\n";
  }
  std::vector<std::string> remarks(const std::string& kind) {
    std::vector<std::string> texts;
    for (const auto& remark : remarks_of(said({"status", "--json"}), kind)) {
      texts.push_back(remark.at("text"));
    }
    return texts;
  }
};

TEST_F(CourierLooked, ABundleThatWasMadeAndNotWrittenIsToldOf) {
  {
    const auto instance = open_instance(directory_.path(), clock_);
    const auto& channel = *instance->settings().channel("courier");
    const auto vault = make_bundle_person("vault", "ec:P-256");
    const auto signer = vault.signer();
    auto with_extras = channel;
    std::filesystem::create_directories(directory_ / "extras");
    std::ofstream(directory_ / "extras/grid.crl") << "a list";
    with_extras.courier()->bundle.extras = directory_ / "extras";
    auto bundles = BundleExport::begin(
        with_extras, {instance->spool().value()->replies(), clock_, instance->random(), signer});
    ASSERT_EQ(bundles->make({}).value(), 1U);
  }
  EXPECT_THAT(remarks("bundle"), ElementsAre(HasSubstr("bundle 1 was not written yet")));
  EXPECT_EQ(said({"check"}).code, ExitCode::partly);
}

}  // namespace
}  // namespace cmpost
