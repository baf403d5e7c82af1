// Messages of ended transactions go after a time, their transactionIDs stay in use.
#include "processor/transaction/retention.h"

#include <nlohmann/json.hpp>

#include "tests/processor/office.h"
#include "tests/support/crash_child.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kRetentionDay = hours(24);

std::vector<StoredMessage> messages_of(CaUnderTest& ca, const PKIMessage& answer) {
  TransactionTable table(ca.reader->connection());
  const auto transaction = must(table.find(ByteView(*answer.header.transactionID)));
  return must(table.messages(transaction.value().id));
}

std::size_t forget_older_than(CaUnderTest& ca, Duration age) {
  return must(forget_messages(*ca.ledger, ca.clock.now() - age, 1000));
}

TEST(Retention, OldMessagesGoAndTheSameRequestIsRefusedThen) {
  CaUnderTest ca;
  const auto request = with_mac(ca, ir(Credential()));
  const auto answer = ca.ask(request);
  ca.clock.advance(10 * kRetentionDay);
  const auto young = ca.ask(with_mac(ca, ir(Credential())));
  EXPECT_EQ(forget_older_than(ca, 11 * kRetentionDay), 0U);
  EXPECT_THAT(messages_of(ca, answer), SizeIs(1));
  EXPECT_EQ(forget_older_than(ca, 9 * kRetentionDay), 1U);
  EXPECT_THAT(messages_of(ca, answer), IsEmpty());
  EXPECT_THAT(messages_of(ca, young), SizeIs(1));
  EXPECT_THAT(ca.ask(request), Refuses("error", PKIFailureInfo::transactionIdInUse));
  EXPECT_EQ(ca.certificates(), 2) << "nothing is issued again";
  EXPECT_EQ(forget_older_than(ca, 9 * kRetentionDay), 0U);
}

TEST(Retention, WhatHasNotEndedIsKept) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  ca.clock.advance(500 * kRetentionDay);
  EXPECT_EQ(forget_older_than(ca, kRetentionDay), 0U);
  EXPECT_THAT(messages_of(ca, answer), SizeIs(1));
}

TEST(Retention, TransactionGoesAsAWholeWhenItsLastMessageIsOld) {
  CaUnderTest ca("age = \"100d\"\n");
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  ca.clock.advance(20 * kRetentionDay);
  ca.ask(with_mac(ca, cert_conf(certificate_in(answer)), following(answer)));
  ca.clock.advance(5 * kRetentionDay);
  EXPECT_EQ(forget_older_than(ca, 10 * kRetentionDay), 0U);
  EXPECT_THAT(messages_of(ca, answer), SizeIs(2));
  EXPECT_EQ(forget_older_than(ca, 4 * kRetentionDay), 1U);
  EXPECT_THAT(messages_of(ca, answer), IsEmpty());
}

TEST(Retention, WhatWasNotedWhileARequestWaitedGoesToo) {
  Office ca("approve = \"one\"\n");
  const auto request = with_mac(ca, ir(Credential()));
  ca.post(request);
  ca.say(*decode(request)->header.transactionID, true);
  EXPECT_THAT(ca.work_and_send(), SizeIs(1));
  ca.timers();
  ca.clock.advance(30 * kRetentionDay);
  EXPECT_EQ(forget_older_than(ca, kRetentionDay), 1U);
  for (const auto* table : {"wait", "wait_part", "message"}) {
    EXPECT_EQ(rows_of(ca, table), 0) << table;
  }
}

// Ended transactions with one message each.
void fill(Ledger& ledger, std::size_t count, Random& random, Time now) {
  must(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    TransactionTable table(writer.connection());
    for (std::size_t i = 0; i < count; ++i) {
      Transaction transaction;
      transaction.transactionID = random.bytes(16);
      transaction.opened = now;
      ASSIGN_OR_RETURN(const auto id, table.open(transaction));
      StoredMessage message;
      message.digest = sha256(transaction.transactionID);
      message.request = message.reply = to_bytes(std::string_view("octets"));
      TRY(table.add(*id, message, now));
    }
    return {};
  }));
}

// How many transactions the audit log says have lost their messages, one entry a commit.
std::vector<std::size_t> audited(LedgerReader& reader) {
  std::vector<std::size_t> counts;
  for (const auto& entry : must(reader.audit(0, 1000))) {
    if (entry.event != "messages.removed") continue;
    counts.push_back(nlohmann::json::parse(entry.detail)["transactions"]);
  }
  return counts;
}

TEST(Retention, ManyAreRemovedInSmallCommits) {
  CaUnderTest ca;
  fill(*ca.ledger, 1200, ca.random, ca.clock.now());
  ca.clock.advance(2 * kRetentionDay);
  EXPECT_EQ(must(forget_messages(*ca.ledger, ca.clock.now() - kRetentionDay, 600)), 1000U);
  EXPECT_EQ(forget_older_than(ca, kRetentionDay), 200U);
  EXPECT_THAT(audited(*ca.reader), ::testing::ElementsAre(500, 500, 200));
}

std::unique_ptr<Ledger> open_ledger(const std::string& directory, const Clock& clock) {
  return must(
      Ledger::open("sqlite:ledger.db", directory, clock,
                   {{"processor", kProcessorMigrations}, {"upstream", kUpstreamMigrations}}));
}
void forget_all(const std::string& directory) {
  const SystemClock clock;
  must(forget_messages(*open_ledger(directory, clock), clock.now() + kRetentionDay, 100'000));
}

TEST(Retention, DISABLED_ForgetsAll) { forget_all(crash_directory()); }

TEST(Retention, WhereverItDiesTheRestGoesNextTime) {
  const SystemClock clock;
  SystemRandom random;
  const int steps = killed_at_each_step(
      "Retention.DISABLED_ForgetsAll",
      [&](const std::string& directory) {
        fill(*open_ledger(directory, clock), 600, random, clock.now());
      },
      [&](const std::string& directory, bool) {
        forget_all(directory);
        const auto reader = must(open_ledger(directory, clock)->reader());
        EXPECT_THAT(audited(*reader), ::testing::ElementsAre(500, 100));
      });
  EXPECT_GE(steps, 5) << "before and after each of the two commits";
}

}  // namespace
}  // namespace cmpost
