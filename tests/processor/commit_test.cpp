#include "processor/commit.h"

#include <future>

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

// A group of one batch, whose members are made by the test.
struct CommitTest : ::testing::Test {
  explicit CommitTest(std::size_t count = 65) : members(std::make_shared<MemberStream>(count)) {
    ca.put(with_mac(ca, ir(Credential())));
    auto leases = must(ca.spool->requests().take(1));
    group.resize(1);
    group[0].lease = std::move(leases.at(0));
    group[0].members = members;
  }
  void put(std::size_t member) {
    Effects effects;
    effects.audit.push_back({"test", std::to_string(member)});
    members->put(member, std::move(effects));
  }
  void end() {
    Decision decision;
    decision.job = group[0].lease.job.id;
    decision.what = Decision::Silence{};
    group[0].decision = std::move(decision);
    members->end();
  }
  std::vector<std::string> written() {
    std::vector<std::string> found;
    for (const auto& record : must(ca.reader->audit(0, 1000))) {
      if (record.event == "test") found.push_back(record.detail);
    }
    return found;
  }

  Office ca;
  std::shared_ptr<MemberStream> members;
  Group group;
  ProcessorServices services = ca.services();
  GroupCommit commit{*ca.spool, *ca.ledger, services, [] {}};
};

TEST_F(CommitTest, OthersMayWriteWhereABatchTakesLongerThanItSeemed) {
  for (std::size_t i = 0; i < 64; ++i) put(i);  // the last one should come at once
  const auto committed = std::async(std::launch::async, [&] { return must(commit.commit(group)); });
  const auto other =
      must(open_database("sqlite:ledger.db", ca.directory.path(), OpenMode::read_write));
  std::this_thread::sleep_for(200ms);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(other->begin(), IsOk()) << "within the ten seconds that it waits";
  EXPECT_GT(std::chrono::steady_clock::now() - start, 2s) << "it was locked";
  EXPECT_THAT(written(), SizeIs(0));
  other->rollback();
  put(64);
  end();
  committed.wait();
  EXPECT_THAT(written(), SizeIs(65)) << "each once";
  EXPECT_EQ(must(ca.ledger->verify_audit()), std::nullopt);
  EXPECT_THAT(must(ca.spool->requests().take(1)), SizeIs(0));
}

TEST_F(CommitTest, BatchThatDoesNotComeToItsEndChangesNothing) {
  for (std::size_t i = 0; i < 64; ++i) put(i);
  members->end();
  const auto committed = must(commit.commit(group));
  EXPECT_EQ(committed.deferred + committed.held, 1U);
  EXPECT_THAT(written(), SizeIs(0));
}

}  // namespace
}  // namespace cmpost
