#include "processor/batches/batch_standing.h"

#include "processor/transaction/operation_schema.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction_table.h"
#include "store/rows.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr Duration kRemembered = std::chrono::hours(24 * 30);

class BatchStandingTest : public ::testing::Test {
 protected:
  void write(const std::function<Result<void>(LedgerWriter&)>& work) {
    EXPECT_THAT(ledger_->write(work), IsOk());
  }
  std::int64_t begin(const std::string& name, const std::string& set = "a set") {
    std::int64_t id = 0;
    write([&](LedgerWriter& writer) -> Result<void> {
      BatchRow batch;
      batch.name = name;
      batch.digest = sha256(view_of(set));
      batch.channel = "drop";
      ASSIGN_OR_RETURN(id, BatchTable(writer.connection()).begin(batch));
      return {};
    });
    return id;
  }
  static BatchEntry entry(std::int64_t number, bool taken = true) {
    BatchEntry item;
    item.number = number;
    item.file = "dev" + std::to_string(number) + ".pki";
    item.taken = taken;
    if (!taken) item.finding = BatchFinding::missing;
    if (!taken) return item;
    item.request.attempt = 1;
    item.request.file = item.file;
    item.request.transactionID = Bytes(16, static_cast<std::uint8_t>(number));
    item.request.digest = sha256(view_of(item.file));
    return item;
  }
  void add(std::int64_t batch, const BatchEntry& item) {
    write([&](LedgerWriter& writer) {
      return BatchTable(writer.connection()).add(batch, item, {to_bytes("octets"), false});
    });
  }
  void put(std::int64_t batch, const BatchEntry& item) {
    write([&](LedgerWriter& writer) {
      return BatchTable(writer.connection()).note_put(batch, item, job(item), clock_.now());
    });
  }
  static JobId job(const BatchEntry& item) { return make_job_id({view_of(item.file)}); }
  // The answer to an item in its transaction.
  void answer(const BatchEntry& item, MessageResult result) {
    write([&](LedgerWriter& writer) -> Result<void> {
      TransactionTable table(writer.connection());
      Transaction transaction;
      transaction.transactionID = item.request.transactionID;
      ASSIGN_OR_RETURN(const auto id, table.open(transaction));
      StoredMessage message;
      message.digest = item.request.digest;
      message.body = "ir";
      message.outcome = "rejection badPOP";
      message.result = result;
      message.failInfo = is_refusal(result) ? "badPOP" : "";
      TRY(table.add(id.value_or(0), message, clock_.now()));
      return {};
    });
  }
  BatchStanding standing(std::int64_t batch, std::int64_t number) {
    const auto reader = ledger_->reader().value();
    BatchLook look(*reader, queue_, clock_.now(), kRemembered);
    std::optional<BatchStanding> found;
    EXPECT_THAT(BatchTable(reader->connection())
                    .for_each(batch,
                              [&](const BatchEntry& item) -> Result<void> {
                                if (item.number != number) return {};
                                ASSIGN_OR_RETURN(found, look.standing(item));
                                return {};
                              }),
                IsOk());
    return found.value_or(BatchStanding{});
  }

  const TemporaryDirectory directory_;
  FakeClock clock_;
  FakeJobQueue queue_{clock_};
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::open("sqlite:ledger.db", directory_.path(), clock_,
                   {{"processor", kProcessorMigrations},
                    {"operation", kOperationMigrations},
                    {"batch", kBatchMigrations}})
          .value();
};

TEST_F(BatchStandingTest, AnItemIsWhatLedgerAndQueueSay) {
  const auto batch = begin("weekend");
  for (std::int64_t number = 1; number <= 4; ++number) add(batch, entry(number));
  add(batch, entry(5, false));
  EXPECT_EQ(standing(batch, 1).state, BatchState::ready);
  EXPECT_EQ(standing(batch, 5).state, BatchState::missing);
  for (std::int64_t number = 1; number <= 4; ++number) put(batch, entry(number));
  answer(entry(1), MessageResult::changed);
  answer(entry(2), MessageResult::refused);
  Job waiting;
  waiting.id = job(entry(3));
  ASSERT_THAT(queue_.put({&waiting, 1}), IsOk());
  EXPECT_EQ(standing(batch, 1).state, BatchState::granted);
  const auto refused = standing(batch, 2);
  EXPECT_EQ(refused.state, BatchState::refused);
  EXPECT_EQ(refused.failInfo, "badPOP");
  EXPECT_FALSE(refused.judged_anew) << "its transaction keeps the answer";
  EXPECT_EQ(standing(batch, 3).state, BatchState::queued);
  EXPECT_EQ(standing(batch, 4).state, BatchState::ready) << "its queue is another one";
  clock_.advance(kRemembered);
  EXPECT_EQ(standing(batch, 4).state, BatchState::gone) << "it may have been done and forgotten";
}

TEST_F(BatchStandingTest, WhatWasRefusedBeforeAnyTransactionIsJudgedAnew) {
  const auto batch = begin("weekend");
  add(batch, entry(1));
  put(batch, entry(1));
  write([&](LedgerWriter& writer) {
    RefusedRequest refused;
    refused.channel = "drop";
    refused.job = to_bytes(ByteView(job(entry(1)).octets));
    refused.digest = entry(1).request.digest;
    refused.stage = Milestone::sender;
    refused.failInfo = "badMessageCheck";
    return RefusalTable(writer.connection()).add(refused);
  });
  const auto refused = standing(batch, 1);
  EXPECT_EQ(refused.state, BatchState::refused);
  EXPECT_TRUE(refused.judged_anew);
}

TEST_F(BatchStandingTest, WhatWasNotedStaysWhenTheLedgerForgets) {
  const auto batch = begin("weekend");
  add(batch, entry(1));
  put(batch, entry(1));
  auto item = entry(1);
  item.request.noted = "granted";
  item.request.noted_serials = "0a 0b";
  write([&](LedgerWriter& writer) {
    return BatchTable(writer.connection()).note(batch, item, false);
  });
  const auto noted = standing(batch, 1);
  EXPECT_EQ(noted.state, BatchState::granted);
  EXPECT_THAT(noted.serials, ElementsAre("0a", "0b"));
}

TEST_F(BatchStandingTest, OneThatIsHalfMadeIsBegunAnewAndAWholeOneStays) {
  const auto half = begin("weekend", "one set");
  add(half, entry(1));
  const auto again = begin("weekend", "another set");
  const auto reader = ledger_->reader().value();
  BatchTable table(reader->connection());
  EXPECT_THAT(table.last_item(again), IsOkAnd(0));
  EXPECT_THAT(table.count(), IsOkAnd(1));
  add(again, entry(1));
  add(again, entry(1));
  EXPECT_THAT(table.last_item(again), IsOkAnd(1)) << "twice is once";
  write([&](LedgerWriter& writer) {
    return BatchTable(writer.connection()).finish(again, clock_.now());
  });
  EXPECT_THAT(table.batch_with(entry(1).request.digest, "monday"),
              IsOkAnd(Optional(std::string("weekend"))));
  EXPECT_THAT(table.batch_with(entry(1).request.digest, "weekend"), IsOkAnd(Eq(std::nullopt)));
}

TEST_F(BatchStandingTest, AnotherTryTakesThePlaceOfTheFormer) {
  const auto batch = begin("weekend");
  add(batch, entry(1));
  put(batch, entry(1));
  answer(entry(1), MessageResult::refused);
  auto next = entry(1).request;
  next.attempt = 2;
  next.transactionID = Bytes(16, 9);
  next.digest = sha256(view_of("a new one"));
  write([&](LedgerWriter& writer) {
    return BatchTable(writer.connection()).add_try(batch, 1, next, {to_bytes("new"), false});
  });
  EXPECT_EQ(standing(batch, 1).state, BatchState::ready);
  const auto reader = ledger_->reader().value();
  BatchTable table(reader->connection());
  EXPECT_THAT(table.count_not_put(batch), IsOkAnd(1));
  EXPECT_EQ(text_of(table.octets(batch, 1, 2).value().octets), "new");
}

TEST_F(BatchStandingTest, WhatTheLedgerHasHadIsKnown) {
  answer(entry(1), MessageResult::granted);
  const auto reader = ledger_->reader().value();
  RequestFacts facts;
  facts.transactionID = entry(1).request.transactionID;
  facts.digest = entry(1).request.digest;
  EXPECT_THAT(find_known(*reader, facts, ""), IsOkAnd(Optional(HasSubstr("it came on"))));
  facts.digest = sha256(view_of("other octets"));
  EXPECT_THAT(find_known(*reader, facts, ""), IsOkAnd(Optional(HasSubstr("another request"))));
  facts.transactionID = Bytes(16, 77);
  EXPECT_THAT(find_known(*reader, facts, ""), IsOkAnd(Eq(std::nullopt)));
}

}  // namespace
}  // namespace cmpost
