#include "app/looking/inspection.h"

#include <sys/stat.h>

#include "ca/crl_publisher.h"
#include "ca/ledger/clock_record.h"
#include "carrier/channel_notes.h"
#include "processor/credentials/secret_store.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class InspectionTest : public ::testing::Test {
 protected:
  InspectionTest() {
    make_instance(directory_.path());
    instance_ = open_instance(directory_.path(), clock_);
  }
  Said check(std::vector<std::string> more = {}) {
    more.insert(more.begin(), "check");
    return say(directory_.path(), more);
  }
  Said check_json() { return check({"--json"}); }
  Said status() { return say(directory_.path(), {"status", "--json"}); }
  const std::string& state() { return instance_->settings().instance.state; }

  TemporaryDirectory directory_;
  const SystemClock clock_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(InspectionTest, FreshInstanceHasNoMistakes) {
  EXPECT_EQ(check().code, ExitCode::ok);
  EXPECT_EQ(status().code, ExitCode::ok);
  EXPECT_EQ(check_json().json().at("exit_code"), 0);
}

TEST_F(InspectionTest, GoesOnAfterTheFirstMistakeOfEachLayer) {
  std::filesystem::remove(directory_ / "secrets/seal.key");
  std::filesystem::remove_all(directory_ / "out");
  std::filesystem::permissions(directory_ / "ca/ca.key", std::filesystem::perms(0644));
  std::filesystem::remove(directory_ / "spool.db");
  const auto said = check_json();
  EXPECT_EQ(said.code, ExitCode::configuration);
  for (const auto* text : {"seal.key", "/out", "ca.key may be read", "spool.db"}) {
    EXPECT_THAT(said.out, HasSubstr(text));
  }
}

TEST_F(InspectionTest, MistakesOfTheFileAreJsonToo) {
  insert_settings(directory_.path(), "profiles = [", "pol = \"10s\"\n");
  const auto said = check_json();
  EXPECT_EQ(said.code, ExitCode::configuration);
  ASSERT_THAT(remarks_of(said, "settings"), SizeIs(1));
  EXPECT_THAT(remarks_of(said, "settings")[0].at("place"), HasSubstr("cmpost.toml:"));
  EXPECT_THAT(check().err, HasSubstr("did you mean"));
}

TEST_F(InspectionTest, KeysThatOthersMayReadAreRefusedByWhoWorks) {
  std::filesystem::permissions(directory_ / "ca/ca.key", std::filesystem::perms(0644));
  const auto said = say(directory_.path(), {"run"});
  EXPECT_EQ(said.code, ExitCode::configuration);
  EXPECT_THAT(said.err, HasSubstr("chmod 600"));
}

TEST_F(InspectionTest, AMissingFileIsToldOnce) {
  insert_settings(directory_.path(), "profiles = [", "trust = [\"trust/none.pem\"]\n");
  const auto said = check_json();
  EXPECT_EQ(said.code, ExitCode::configuration);
  EXPECT_THAT(remarks_of(said, "settings"), SizeIs(1));
  EXPECT_THAT(remarks_of(said, "credential"), IsEmpty());
}

TEST_F(InspectionTest, SealingKeyThatOpensNoSecretIsFound) {
  ASSERT_EQ(say(directory_.path(), {"secret", "add", "dev1"}).code, ExitCode::ok);
  EXPECT_EQ(check().code, ExitCode::ok);
  SystemRandom random;
  ASSERT_THAT(
      write_file(directory_ / "secrets/seal.key",
                 view_of(SealingKey::generate(random).to_hex() + "\n"), 0600, IfExists::replace),
      IsOk());
  const auto said = check_json();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_THAT(remarks_of(said, "credential").at(0).at("text"),
              HasSubstr("does not open 1 of 1 secrets"));
}

TEST_F(InspectionTest, SpoolAndLedgerAreTwoFiles) {
  const auto file = directory_ / "cmpost.toml";
  std::string text(text_of(read_file(file, 1 << 20).value()));
  const auto at = text.find("sqlite:spool.db");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 15, "sqlite:ledger.db");
  std::ofstream(file) << text;
  const auto said = check();
  EXPECT_EQ(said.code, ExitCode::configuration);
  EXPECT_THAT(said.err, HasSubstr("spool and ledger are the same file"));
}

TEST_F(InspectionTest, DatabaseOnANetworkFileSystemIsAMistake) {
  EXPECT_EQ(finding_of_place("the spool", "/x", file_system_kind(0xef53)), std::nullopt);
  const auto found = finding_of_place("the spool", "/x", file_system_kind(0x6969));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::error);
  EXPECT_THAT(found->text, HasSubstr("nfs"));
  const auto unknown = finding_of_place("the spool", "/x", {.name = "unknown", .mistake = "no"});
  ASSERT_TRUE(unknown) << "nobody knows whether it is one";
  EXPECT_EQ(unknown->severity, Severity::warning);
  EXPECT_THAT(unknown->text, HasSubstr("/x cannot be examined: no"));
  EXPECT_TRUE(file_system_kind(0x65735546).network) << "FUSE";
  EXPECT_FALSE(file_system_kind(0x12345).network) << "not known";
}

TEST_F(InspectionTest, NotesOfAServiceThatIsGoneSaySo) {
  ChannelNote note(state() + "/drop", "medium");
  note.set("medium 1 is there");
  EXPECT_THAT(status().out, HasSubstr("medium 1 is there; so it was when the service was last"));
  const SignOfLife life(state(), {Stage::ingress}, SignOfLife::Kind::serve, clock_);
  EXPECT_THAT(status().out, Not(HasSubstr("so it was")));
}

TEST_F(InspectionTest, PublishedCrlThatDiffersIsFound) {
  const auto crl = instance_->ca().crl.publish;
  const auto first = read_file(crl, 1 << 20).value();
  ASSERT_THAT(issue_crl(*instance_), IsOk());
  EXPECT_EQ(status().code, ExitCode::ok);
  ASSERT_THAT(write_file(crl, first, 0644, IfExists::replace), IsOk());
  EXPECT_THAT(remarks_of(status(), "crl").at(0).at("text"), HasSubstr("the newest of the ledger"));
  std::filesystem::remove(crl);
  EXPECT_THAT(remarks_of(status(), "crl").at(0).at("text"), HasSubstr("does not exist"));
  EXPECT_EQ(check().code, ExitCode::partly);
}

TEST_F(InspectionTest, CrlOfTheFutureIsFound) {
  FakeClock ahead(clock_.now() + 24h);
  const auto instance = open_instance(directory_.path(), ahead);
  ASSERT_THAT(confirm_clock(*instance->ledger().value(), instance->watched_clock(),
                            nlohmann::json{{"account", "test"}}),
              IsOk());
  ASSERT_THAT(issue_crl(*instance), IsOk());
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_THAT(remarks_of(said, "clock").at(0).at("text"), HasSubstr("the clock is behind"));
  EXPECT_THAT(remarks_of(said, "clock").at(1).at("text"), HasSubstr("is of the future"));
}

TEST_F(InspectionTest, DiskBelowItsMarkIsFound) {
  insert_settings(directory_.path(), "profiles = [", "min_free = \"1024GiB\"\n");
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_THAT(remarks_of(said, "disk").at(0).at("text"), HasSubstr("nearly full"));
  EXPECT_EQ(check().code, ExitCode::failed);
}

TEST_F(InspectionTest, ServiceThatIsGoneIsToldFromOneThatWasStopped) {
  EXPECT_THAT(remarks_of(status(), "service").at(0).at("text"), HasSubstr("nobody has worked"));
  {
    const SignOfLife life(state(), {Stage::ingress}, SignOfLife::Kind::serve, clock_);
    EXPECT_EQ(status().json().at("service").at("ingress").at("running"), true);
    // As after SIGKILL: its lock is gone, its record is as it was.
    std::filesystem::copy_file(state() + "/.service/ingress", state() + "/.service/egress");
  }
  const auto said = status();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_THAT(said.json().at("service").at("ingress").at("ended"), Not(nullptr));
  std::vector<std::string> texts;
  for (const auto& one : remarks_of(said, "service")) {
    if (one.at("severity") == "error") texts.push_back(one.at("subject"));
  }
  EXPECT_THAT(texts, ElementsAre("stage egress"));
}

TEST_F(InspectionTest, ChannelThatNobodyLooksAtAlthoughTheServiceRunsIsFound) {
  FakeClock early(clock_.now() - 1h);
  const SignOfLife life(state(), {Stage::ingress}, SignOfLife::Kind::serve, early);
  EXPECT_THAT(remarks_of(status(), "channel").at(0).at("text"), HasSubstr("never looked at"));
  EXPECT_EQ(status().code, ExitCode::failed);
  WayRecorder(record_of(state() + "/drop", Way::in), early).works();
  EXPECT_THAT(remarks_of(status(), "channel").at(0).at("text"), HasSubstr("was not looked at"));
  WayRecorder(record_of(state() + "/drop", Way::in), clock_).works();
  EXPECT_THAT(remarks_of(status(), "channel"), IsEmpty());
}

TEST_F(InspectionTest, LookingWritesNothing) {
  (void)status();
  (void)check();
  EXPECT_FALSE(exists(state()));
}

TEST_F(InspectionTest, ARunLeavesItsRecord) {
  ASSERT_EQ(say(directory_.path(), {"run"}).code, ExitCode::ok);
  const auto seen = status().json();
  EXPECT_EQ(seen.at("channels").at(0).at("in").at("state"), "works");
  EXPECT_EQ(seen.at("service").at("processor").at("kind"), "run");
  EXPECT_EQ(seen.at("service").at("processor").at("running"), false);
  EXPECT_EQ(seen.at("parts").at("maintenance").at("state"), "works");
}

TEST_F(InspectionTest, OwnCertificateThatIsRevokedIsAnError) {
  const auto serial = (*instance_->authority())->identity.certificate.serial_hex();
  ASSERT_EQ(say(directory_.path(), {"cert", "revoke", serial}).code, ExitCode::ok);
  const auto said = check_json();
  EXPECT_EQ(said.code, ExitCode::failed);
  EXPECT_THAT(remarks_of(said, "lifetime").at(0).at("text"), HasSubstr("is revoked"));
}

}  // namespace
}  // namespace cmpost
