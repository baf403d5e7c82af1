#include "processor/commit.h"

#include <future>

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

// A group of one batch, whose members are made by the test.
struct CommitTest : ::testing::Test {
  CommitTest() {
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
  std::shared_ptr<MemberStream> members = std::make_shared<MemberStream>(65);
  Group group;
  ProcessorServices services = ca.services();
  GroupCommit commit{*ca.spool, *ca.ledger, services, [] {}};
};

TEST_F(CommitTest, OthersMayWriteWhereABatchTakesLongerThanItSeemed) {
  for (std::size_t i = 0; i < 64; ++i) put(i);  // the last one should come at once
  const auto committed = std::async(std::launch::async, [&] { return must(commit.commit(group)); });
  const auto other =
      must(open_database("sqlite:ledger.db", ca.directory.path(), OpenMode::read_write));
  std::chrono::steady_clock::duration waited{};
  for (int tries = 0; waited < 2s && tries < 1000; ++tries) {  // until the batch has the lock
    const auto start = std::chrono::steady_clock::now();
    const auto begun = other->begin();
    EXPECT_THAT(begun, IsOk()) << "within the ten seconds that it waits";
    if (!begun) break;
    waited = std::chrono::steady_clock::now() - start;
    other->rollback();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_GT(waited, 2s) << "it was locked";
  EXPECT_THAT(written(), SizeIs(0));
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
