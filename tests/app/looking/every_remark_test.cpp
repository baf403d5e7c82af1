// Each kind of remark can be brought about, is in `check --json` with the exit code of its
// severity, and says what to do. A new kind does not compile before it is said here how it comes
// about.
#include "app/looking/inspection.h"
#include "ca/ledger/clock_record.h"
#include "processor/batches/batch_table.h"
#include "processor/credentials/secret_store.h"
#include "processor/devices/device_table.h"
#include "processor/runs/run_table.h"
#include "processor/transaction/transaction_table.h"
#include "processor/upstream/upstream_table.h"
#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/enumerators.h"
#include "tests/support/numbered_jobs.h"
#include "watcher/media/bundle_import.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Nobody listens at port 9.
constexpr const char* kMailChannel = R"(
[[channel]]
name = "mail"
kind = "mail"
fetch = "imap://localhost:9/INBOX"
send = "smtp://localhost:9"
login = { user = "pki", password_file = "secrets/password" }
tls = { required = false }
from = "pki@ca.example"
profiles = ["device"]
)";

class EveryRemarkTest : public ::testing::Test {
 protected:
  EveryRemarkTest() {
    make_instance(directory_.path());
    open();
  }
  void open() { instance_ = open_instance(directory_.path(), clock_); }

  void bring_about(RemarkKind kind);
  void write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    ASSERT_THAT(write_file(directory_ / name, view_of(text), mode, IfExists::replace), IsOk());
  }
  void put_job(JobState state);
  void leave_channel_with(const LookedAt& found) {
    WayRecorder(record_of(instance_->settings().instance.state + "/drop", Way::in), clock_)
        .works(found);
  }
  void add_late_transaction();
  void add_revocation_by_hand();
  void leave_a_run_killed();
  void leave_a_batch_half_made();
  void list_a_device_of_nobody();
  void mistake_in_a_batch();
  void mistake_in_a_bundle();
  void leave_a_service_killed();
  void revoke_own_certificate();
  void go_back_to_an_older_ledger();

  TemporaryDirectory directory_;
  const SystemClock clock_;
  std::unique_ptr<Instance> instance_;
  bool connect_ = false;
};

void EveryRemarkTest::put_job(JobState state) {
  auto& queue = instance_->spool().value()->requests();
  const auto job = numbered_job(1);
  if (state == JobState::held) {
    ASSERT_THAT(queue.put_held(job, "wrong"), IsOk());
    return;
  }
  ASSERT_THAT(queue.put({&job, 1}), IsOk());
  if (state == JobState::waiting) return;
  ASSERT_THAT(queue.take(1), IsOk());
  if (state == JobState::deferred) {
    ASSERT_THAT(queue.defer(job.id, clock_.now() + 1h, "the server is gone"), IsOk());
  }
  instance_.reset();  // a lease is then of somebody who is gone
}

void EveryRemarkTest::add_late_transaction() {
  Transaction transaction;
  transaction.transactionID = Bytes(16, 1);
  transaction.channel = "drop";
  transaction.state = TransactionState::open;
  transaction.body = "ir";
  transaction.opened = clock_.now();
  const auto store = [&](LedgerWriter& writer) -> Result<void> {
    TRY(TransactionTable(writer.connection()).open(transaction));
    return {};
  };
  ASSERT_THAT(instance_->ledger().value()->write(store), IsOk());
}

void EveryRemarkTest::add_revocation_by_hand() {
  add_late_transaction();
  UpstreamMessage order;
  order.transaction = 1;
  order.transactionID = Bytes(16, 1);
  order.mode = UpstreamMode::pkcs10;
  order.body = "rr";
  order.channel = "portal";
  const auto store = [&](LedgerWriter& writer) -> Result<void> {
    TRY(UpstreamTable(writer.connection()).add(order));
    return {};
  };
  ASSERT_THAT(instance_->ledger().value()->write(store), IsOk());
}

void EveryRemarkTest::leave_a_run_killed() {
  const auto begin = [&](LedgerWriter& writer) -> Result<void> {
    RunRow run;
    run.name = "nightly";
    run.channels = {"drop"};
    TRY(RunTable(writer.connection()).begin(run));
    return {};
  };
  ASSERT_THAT(instance_->ledger().value()->write(begin), IsOk());
  std::ofstream(directory_ / "cmpost.toml", std::ios::app) << "[[run]]\nname = \"nightly\"\n";
}

void EveryRemarkTest::leave_a_batch_half_made() {
  const auto begin = [](LedgerWriter& writer) -> Result<void> {
    BatchRow batch;
    batch.name = "weekend";
    TRY(BatchTable(writer.connection()).begin(batch));
    return {};
  };
  ASSERT_THAT(instance_->ledger().value()->write(begin), IsOk());
}

void EveryRemarkTest::list_a_device_of_nobody() {
  auto* const ledger = instance_->ledger().value();
  ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    DeviceTable table(writer.connection());
    Device device;
    device.name = "gw-1";
    device.secret = DeviceSecret::none;
    ASSIGN_OR_RETURN(const auto import, table.begin_import(Bytes{1}, "alice", clock_.now()));
    return table.add(device, import);
  }),
              IsOk());
}

void EveryRemarkTest::mistake_in_a_batch() {
  insert_settings(directory_.path(), "profiles = [", "one_way = \"in\"\n");
  open();
  const auto file = received_file(instance_->settings().channels.front());
  ASSERT_THAT(make_directories(std::filesystem::path(file).parent_path().string()), IsOk());
  ASSERT_THAT(write_file(file, view_of("no memory"), 0600, IfExists::fail), IsOk());
}

void EveryRemarkTest::mistake_in_a_bundle() {
  std::ofstream(directory_ / "cmpost.toml", std::ios::app)
      << "[bundle]\npeer = [{ name = \"gateway\", trust = [\"ca/ca.pem\"] }]\n"
         "[[channel]]\nname = \"courier\"\nkind = \"courier\"\npeer = \"gateway\"\n";
  open();
  const auto file = received_bundles_file(*instance_->settings().channel("courier"));
  ASSERT_THAT(make_directories(std::filesystem::path(file).parent_path().string()), IsOk());
  ASSERT_THAT(write_file(file, view_of("no memory"), 0600, IfExists::fail), IsOk());
}

void EveryRemarkTest::leave_a_service_killed() {
  const auto place = instance_->settings().instance.state + "/.service/";
  const SignOfLife life(instance_->settings().instance.state, {Stage::ingress},
                        SignOfLife::Kind::serve, clock_);
  std::filesystem::copy_file(place + "ingress", place + "egress");
}

void EveryRemarkTest::revoke_own_certificate() {
  const auto serial = (*instance_->authority())->identity.certificate.serial_hex();
  const auto said = say(directory_.path(), {"cert", "revoke", serial});
  ASSERT_EQ(said.code, ExitCode::ok) << said.err;
}

void EveryRemarkTest::go_back_to_an_older_ledger() {
  instance_.reset();
  std::filesystem::copy_file(directory_ / "ledger.db", directory_ / "older.db");
  open();
  revoke_own_certificate();
  instance_.reset();
  std::filesystem::rename(directory_ / "older.db", directory_ / "ledger.db");
}

void EveryRemarkTest::bring_about(RemarkKind kind) {
  switch (kind) {
    case RemarkKind::settings:
      return insert_settings(directory_.path(), "profiles = [", "pol = \"10s\"\n");
    case RemarkKind::permissions:
      return std::filesystem::permissions(directory_ / "ledger.db", std::filesystem::perms(0644));
    case RemarkKind::database:
      instance_.reset();
      return write("ledger.db", "");
    case RemarkKind::credential: {
      ASSERT_EQ(say(directory_.path(), {"secret", "add", "dev1"}).code, ExitCode::ok);
      SystemRandom random;
      return write("secrets/seal.key", SealingKey::generate(random).to_hex() + "\n");
    }
    case RemarkKind::lifetime:
      return revoke_own_certificate();
    case RemarkKind::crl:
      ASSERT_TRUE(std::filesystem::remove(instance_->ca().crl.publish));
      return;
    case RemarkKind::rights: {
      const auto said = say(directory_.path(), {"secret", "add", "dev1", "--subject", "any"});
      ASSERT_EQ(said.code, ExitCode::ok) << said.err;
      return;
    }
    case RemarkKind::clock: {
      FakeClock ahead(clock_.now() + 24h);
      const auto other = open_instance(directory_.path(), ahead);
      ASSERT_THAT(confirm_clock(*other->ledger().value(), other->watched_clock(),
                                nlohmann::json{{"account", "test"}}),
                  IsOk());
      return;
    }
    case RemarkKind::service:
      return leave_a_service_killed();
    case RemarkKind::maintenance:
      return WayRecorder(record_of(instance_->settings().instance.state, Part::maintenance), clock_)
          .rests(Error{Recovery::retry, "no room", {}}, 30s);
    case RemarkKind::channel:
      return WayRecorder(record_of(instance_->settings().instance.state + "/drop", Way::out),
                         clock_)
          .rests(Error{Recovery::retry, "connection refused", {}}, 30s);
    case RemarkKind::input:
      return leave_channel_with({.stuck = {{"x.pki", "a folder", 0, {}}}});
    case RemarkKind::without_request:
      return leave_channel_with({.stuck = {}, .without_request = 1});
    case RemarkKind::batch:
      return mistake_in_a_batch();
    case RemarkKind::bundle:
      return mistake_in_a_bundle();
    case RemarkKind::server: {
      write("secrets/password", "secret\n");
      std::ofstream(directory_ / "cmpost.toml", std::ios::app) << kMailChannel;
      connect_ = true;
      return;
    }
    case RemarkKind::disk:
      return insert_settings(directory_.path(), "profiles = [", "min_free = \"1024GiB\"\n");
    case RemarkKind::waiting:
      return put_job(JobState::waiting);
    case RemarkKind::deferred:
      return put_job(JobState::deferred);
    case RemarkKind::held:
      return put_job(JobState::held);
    case RemarkKind::lease:
      return put_job(JobState::active);
    case RemarkKind::transaction:
      return add_late_transaction();
    case RemarkKind::order:
      return add_revocation_by_hand();
    case RemarkKind::run:
      return leave_a_run_killed();
    case RemarkKind::request_set:
      return leave_a_batch_half_made();
    case RemarkKind::device:
      return list_a_device_of_nobody();
    case RemarkKind::ledger:
      return go_back_to_an_older_ledger();
  }
}

ExitCode code_of(RemarkKind kind, const std::string& severity) {
  if (severity == to_string(Severity::note)) return ExitCode::ok;
  if (severity == to_string(Severity::warning)) return ExitCode::partly;
  return kind == RemarkKind::settings ? ExitCode::configuration : ExitCode::failed;
}

class EachRemarkTest : public EveryRemarkTest, public ::testing::WithParamInterface<RemarkKind> {};

TEST_P(EachRemarkTest, IsFoundWithWhatToDo) {
  // A fresh instance has remarks, too: that nobody has worked yet, or looked.
  const auto kind = std::string(to_string(GetParam()));
  const auto before = remarks_of(say(directory_.path(), {"check", "--json"}), kind);
  ASSERT_NO_FATAL_FAILURE(bring_about(GetParam()));
  instance_.reset();
  std::vector<std::string> words = {"check", "--json"};
  if (connect_) words.emplace_back("--connect");
  const auto seen = say(directory_.path(), words);
  auto found = remarks_of(seen, kind);
  std::erase_if(found, [&](const auto& one) { return std::ranges::count(before, one) > 0; });
  ASSERT_THAT(found, Not(IsEmpty())) << seen.out;
  EXPECT_EQ(seen.code, code_of(GetParam(), found.back().at("severity"))) << seen.out;
  words.erase(words.begin() + 1);
  const auto text = say(directory_.path(), words).err;
  const auto told = seen.json();
  for (const auto& one : told.at("findings")) {
    if (one.at("severity") == "note") continue;
    EXPECT_NE(one.at("hint"), "") << one;
    EXPECT_THAT(text, HasSubstr(one.at("hint").get<std::string>()));
  }
}

// Though both look for the same server, which says the same to both.
TEST_F(EveryRemarkTest, TroubleOfTwoChannelsIsToldOfBoth) {
  ASSERT_NO_FATAL_FAILURE(bring_about(RemarkKind::server));
  std::string other(kMailChannel);
  other.replace(other.find("\"mail\""), 6, "\"more\"");
  other.replace(other.find("INBOX"), 5, "Other");
  std::ofstream(directory_ / "cmpost.toml", std::ios::app) << other;
  const auto seen = say(directory_.path(), {"check", "--connect", "--json"});
  EXPECT_THAT(remarks_of(seen, "server"), SizeIs(2)) << seen.out;
}

INSTANTIATE_TEST_SUITE_P(Kinds, EachRemarkTest, ::testing::ValuesIn(all_of_type<RemarkKind>()),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

}  // namespace
}  // namespace cmpost
