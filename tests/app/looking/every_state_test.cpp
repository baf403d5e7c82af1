// Nothing stands still unseen: each state that a job, a channel, a part of the service or a
// transaction can have is found by one of the commands that look. The states are those of the
// types: a new one does not compile before it has its place here.
#include "app/instance/sign_of_life.h"
#include "carrier/way_state.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/enumerators.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// With the clocks that a command has.
std::unique_ptr<Instance> open_as_commands_do(const std::string& directory) {
  return std::make_unique<Instance>(load(directory + "/cmpost.toml").value());
}

class EveryStateTest : public ::testing::Test {
 protected:
  EveryStateTest() {
    make_instance(directory_.path());
    instance_ = open_as_commands_do(directory_.path());
  }
  Said status() { return say(directory_.path(), {"status", "--json"}); }
  const std::string& state_directory() { return instance_->settings().instance.state; }

  TemporaryDirectory directory_;
  const SystemClock clock_;
  std::unique_ptr<Instance> instance_;
};

// Who reads a state back, from a database or as an option, knows all that are written.
TEST(EveryState, IsReadAsItIsWritten) {
  for (const auto state : all_of_type<JobState>()) {
    EXPECT_EQ(job_state(to_string(state)), state) << to_string(state);
  }
  for (const auto state : all_of_type<TransactionState>()) {
    EXPECT_EQ(transaction_state(to_string(state)), state) << to_string(state);
  }
  for (const auto state : all_of_type<PartState>()) {
    EXPECT_EQ(part_state(to_string(state)), state) << to_string(state);
  }
  for (const auto state : all_of_type<CertificateState>()) {
    EXPECT_EQ(certificate_state(to_string(state)), state) << to_string(state);
  }
  for (const auto doubt : all_of_type<ClockDoubt>()) {
    EXPECT_EQ(clock_doubt(to_string(doubt)), doubt) << to_string(doubt);
  }
}

TEST(EveryState, IsLookedAt) {
  EXPECT_THAT(all_of_type<Part>(), ElementsAreArray(kParts));
  EXPECT_THAT(all_of_type<Stage>(), ElementsAreArray(kStages));
}

// What brings a job into the state, given the job that was put.
Result<void> bring(JobQueue& queue, const Job& job, JobState state, Time now) {
  if (state == JobState::held) return queue.put_held(job, "wrong");
  TRY(queue.put({&job, 1}));
  switch (state) {
    case JobState::waiting:
    case JobState::held:
      return {};
    case JobState::active:
      TRY(queue.take(1));
      return {};
    case JobState::deferred:
      TRY(queue.take(1));
      return queue.defer(job.id, now + 1h, "the server is gone");
    case JobState::done:
      TRY(queue.take(1));
      return queue.finish({&job.id, 1}, "answered");
  }
  return {};
}

// Of `status`, as long as the job is not old.
ExitCode code_of_new(JobState state) {
  switch (state) {
    case JobState::waiting:
    case JobState::active:
    case JobState::deferred:
    case JobState::done:
      return ExitCode::ok;
    case JobState::held:
      break;
  }
  return ExitCode::partly;
}

TEST_F(EveryStateTest, OfAJobIsInStatusAndInTheList) {
  int number = 0;
  for (const auto state : all_of_type<JobState>()) {
    const std::string name(to_string(state));
    SCOPED_TRACE(name);
    for (const std::string queue_name : {"requests", "replies"}) {
      const TemporaryDirectory place;
      make_instance(place.path());
      const auto instance = open_as_commands_do(place.path());
      auto* const own = instance->spool().value();
      auto& own_queue = queue_name == "requests" ? own->requests() : own->replies();
      const auto job = numbered_jobs(number, number).front();
      ++number;
      ASSERT_THAT(bring(own_queue, job, state, clock_.now()), IsOk());
      const auto seen = say(place.path(), {"status", "--json"});
      EXPECT_EQ(seen.json().at(queue_name).at(name), 1) << seen.out;
      const auto list =
          say(place.path(), {"queue", "list", "--queue", queue_name, "--state", name, "--json"});
      EXPECT_THAT(list.json(), SizeIs(1)) << list.out;
      EXPECT_EQ(seen.code, code_of_new(state));
    }
  }
}

TEST_F(EveryStateTest, LeaseOfSomebodyWhoIsGoneIsSeen) {
  {
    const auto other = open_as_commands_do(directory_.path());
    auto& queue = other->spool().value()->requests();
    const auto job = numbered_jobs(1, 1).front();
    ASSERT_THAT(bring(queue, job, JobState::active, clock_.now()), IsOk());
    EXPECT_EQ(status().json().at("requests").at("hanging"), 0);
  }
  const auto seen = status();
  EXPECT_EQ(seen.json().at("requests").at("active"), 1);
  EXPECT_EQ(seen.json().at("requests").at("hanging"), 1);
  EXPECT_THAT(remarks_of(seen, "lease"), SizeIs(1));
  EXPECT_EQ(seen.code, ExitCode::partly);
}

ExitCode code_of(std::optional<WayCondition> condition) {
  if (!condition) return ExitCode::ok;
  switch (*condition) {
    case WayCondition::works:
      return ExitCode::ok;
    case WayCondition::rests:
      break;
  }
  return ExitCode::failed;
}

void record(WayRecorder& way, std::optional<WayCondition> condition) {
  if (!condition) return;
  switch (*condition) {
    case WayCondition::works:
      return way.works();
    case WayCondition::rests:
      return way.rests(Error{Recovery::retry, "connection refused", "is it up?"}, 30s);
  }
}

// nullopt: never tried.
std::vector<std::optional<WayCondition>> conditions() {
  std::vector<std::optional<WayCondition>> all = {std::nullopt};
  for (const auto one : all_of_type<WayCondition>()) all.emplace_back(one);
  return all;
}

TEST_F(EveryStateTest, OfAChannelIsInStatusAndInCheck) {
  for (const auto way : all_of_type<Way>()) {
    for (const auto condition : conditions()) {
      SCOPED_TRACE(std::string(to_string(way)) + " " +
                   (condition ? std::string(to_string(*condition)) : "never"));
      std::filesystem::remove_all(state_directory());
      WayRecorder recorder(record_of(state_directory() + "/drop", way), clock_);
      record(recorder, condition);
      const auto seen = status();
      const auto channel = seen.json().at("channels").at(0);
      const auto& shown = channel.at(std::string(to_string(way)));
      EXPECT_EQ(seen.code, code_of(condition));
      EXPECT_EQ(say(directory_.path(), {"check"}).code, code_of(condition));
      if (!condition) {
        EXPECT_TRUE(shown.is_null());
      } else {
        EXPECT_EQ(shown.at("state"), to_string(*condition));
      }
      if (code_of(condition) == ExitCode::ok) continue;
      EXPECT_THAT(channel.at("notes").dump(), HasSubstr("connection refused"));
      EXPECT_THAT(remarks_of(seen, "channel").back().at("hint"), "is it up?");
      EXPECT_THAT(say(directory_.path(), {"check"}).err, HasSubstr("connection refused"));
    }
  }
}

TEST_F(EveryStateTest, OfAPartOfTheServiceIsInStatusAndInCheck) {
  for (const auto part : all_of_type<Part>()) {
    for (const auto condition : conditions()) {
      SCOPED_TRACE(to_string(part));
      std::filesystem::remove_all(state_directory());
      WayRecorder recorder(record_of(state_directory(), part), clock_);
      record(recorder, condition);
      const auto seen = status();
      EXPECT_EQ(seen.code, code_of(condition));
      const auto shown = seen.json().at("parts").at(std::string(to_string(part)));
      EXPECT_EQ(shown.is_null() ? "" : shown.at("state").get<std::string>(),
                condition ? to_string(*condition) : "");
      EXPECT_EQ(say(directory_.path(), {"check"}).code, code_of(condition));
    }
  }
}

TEST_F(EveryStateTest, OfAnInputThatStaysIsInStatus) {
  WayRecorder recorder(record_of(state_directory() + "/drop", Way::in), clock_);
  recorder.works({.stuck = {{"x.pki", "a folder", 0, {}}, {"mail 7", "it breaks", 3, 10min}},
                  .without_request = 2});
  const auto seen = status();
  EXPECT_EQ(seen.code, ExitCode::partly);
  EXPECT_THAT(remarks_of(seen, "input"), SizeIs(2));
  EXPECT_THAT(remarks_of(seen, "without_request"), SizeIs(1));
  const auto notes = seen.json().at("channels").at(0).at("notes").dump();
  EXPECT_THAT(notes, HasSubstr("x.pki cannot be taken since"));
  EXPECT_THAT(notes, HasSubstr("3 tries"));
  EXPECT_THAT(notes, HasSubstr("2 mails without a request"));
}

TEST_F(EveryStateTest, OfAPartOfARequestThatWaitsIsInTheList) {
  Transaction transaction;
  transaction.transactionID = Bytes(16, 1);
  transaction.channel = "drop";
  transaction.state = TransactionState::waiting;
  transaction.body = "ir";
  transaction.opened = clock_.now();
  Waiting waiting;
  waiting.received = clock_.now();
  for (const auto state : all_of_type<PartState>()) {
    WaitingPart part;
    part.certReqId = static_cast<std::int64_t>(waiting.parts.size());
    part.state = state;
    waiting.parts.push_back(std::move(part));
  }
  const auto store = [&](LedgerWriter& writer) -> Result<void> {
    TransactionTable table(writer.connection());
    TRY(table.open(transaction));
    ASSIGN_OR_RETURN(const auto stored, table.find(transaction.transactionID));
    waiting.transaction = stored->id;
    return WaitTable(writer.connection()).add(waiting);
  };
  ASSERT_THAT(instance_->ledger().value()->write(store), IsOk());
  const auto list = say(directory_.path(), {"transaction", "list", "--state", "waiting", "--json"});
  const auto parts = list.json().at(0).at("waiting").at("parts");
  ASSERT_THAT(parts, SizeIs(waiting.parts.size()));
  for (std::size_t i = 0; i < waiting.parts.size(); ++i) {
    EXPECT_EQ(parts.at(i).at("state"), to_string(waiting.parts[i].state));
  }
  EXPECT_EQ(status().json().at("transactions").at("undecided"), 1);
}

std::string subject_of(const nlohmann::json& one) { return one.at("subject"); }

TEST_F(EveryStateTest, OfACertificateIsInTheList) {
  SystemRandom random;
  SyntheticCertificates certificates((*instance_->authority())->identity.certificate, random);
  for (const auto state : all_of_type<CertificateState>()) {
    const std::string name(to_string(state));
    SCOPED_TRACE(name);
    auto record = certificates.next(clock_.now());
    record.state = state;
    ASSERT_THAT(instance_->ledger().value()->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(record));
      return {};
    }),
                IsOk());
    const auto list =
        say(directory_.path(), {"cert", "list", "--channel", "factory", "--state", name, "--json"});
    ASSERT_THAT(list.json(), SizeIs(1)) << list.out << list.err;
    EXPECT_EQ(list.json().at(0).at("subject"), record.subject);
    const auto ending = say(directory_.path(), {"cert", "list", "--channel", "factory",
                                                "--expires-within", "36500d", "--json"});
    const auto named = std::ranges::count(ending.json(), record.subject, subject_of);
    EXPECT_EQ(named, state == CertificateState::revoked ? 0 : 1) << "nobody has to renew those";
  }
  EXPECT_THAT(say(directory_.path(),
                  {"cert", "list", "--state", "revoked", "--expires-within", "36500d", "--json"})
                  .json(),
              SizeIs(1));
}

TEST_F(EveryStateTest, OfATransactionIsInTheList) {
  auto* const ledger = instance_->ledger().value();
  std::uint8_t number = 0;
  const auto add = [&](TransactionState state, std::optional<Time> confirm_by) {
    Transaction transaction;
    transaction.transactionID = Bytes(16, ++number);
    transaction.channel = "drop";
    transaction.state = state;
    transaction.body = "ir";
    transaction.opened = clock_.now();
    transaction.confirm_by = confirm_by;
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(TransactionTable(writer.connection()).open(transaction));
      return {};
    }),
                IsOk());
  };
  for (const auto state : all_of_type<TransactionState>()) {
    const std::string name(to_string(state));
    SCOPED_TRACE(name);
    add(state, clock_.now() + std::chrono::hours(1));
    const auto list = say(directory_.path(), {"transaction", "list", "--state", name, "--json"});
    EXPECT_THAT(list.json(), SizeIs(1)) << list.out;
    EXPECT_EQ(status().code, ExitCode::ok);
  }
  add(TransactionState::open, std::nullopt);  // what is left of one whose time is over
  const auto late = status();
  EXPECT_EQ(late.code, ExitCode::failed);
  EXPECT_THAT(remarks_of(late, "transaction"), SizeIs(1));
}

}  // namespace
}  // namespace cmpost
