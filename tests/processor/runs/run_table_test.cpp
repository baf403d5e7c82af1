#include "processor/runs/run_table.h"

#include "base/files.h"
#include "processor/runs/run_items.h"
#include "processor/runs/stored_facts.h"
#include "processor/transaction/operation_schema.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction_table.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/synthetic_certificates.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class RunTableTest : public ::testing::Test {
 protected:
  template <typename Work>
  auto write(const Work& work) {
    using Given = typename std::invoke_result_t<Work, LedgerWriter&>;
    std::optional<Given> given;
    EXPECT_THAT(ledger_->write([&](LedgerWriter& writer) -> Result<void> {
      given.emplace(work(writer));
      EXPECT_TRUE(*given) << (*given ? "" : to_string(given->error()));
      return {};
    }),
                IsOk());
    return **given;
  }
  std::int64_t begin(const std::string& name, std::optional<std::int64_t> continues = {}) {
    RunRow run;
    run.name = name;
    run.channels = {name + "-in", name + "-out"};
    run.started = clock_.now();
    run.continues = continues;
    return write([&](LedgerWriter& writer) { return RunTable(writer.connection()).begin(run); });
  }
  // A request on a channel that came to this; the row of its message.
  std::int64_t put(const std::string& channel, MessageResult result,
                   const std::string& body = "ir") {
    return write([&](LedgerWriter& writer) -> Result<std::int64_t> {
      TransactionTable table(writer.connection());
      Transaction transaction;
      transaction.transactionID = Bytes(16, static_cast<std::uint8_t>(++made_));
      transaction.channel = channel;
      transaction.body = body;
      ASSIGN_OR_RETURN(const auto opened, table.open(transaction));
      StoredMessage message;
      message.digest = sha256(transaction.transactionID);
      message.channel = channel;
      message.body = body;
      message.result = result;
      message.failInfo = is_refusal(result) ? "badPOP" : "";
      return table.add(opened.value_or(0), message, clock_.now());
    });
  }
  void issue(const std::string& channel) {
    write([&](LedgerWriter& writer) -> Result<bool> {
      auto record = synthetic_.next(clock_.now());
      record.channel = channel;
      TRY(writer.add(record));
      return true;
    });
  }
  RunFacts gather(std::int64_t number) {
    RunFacts facts;
    facts.number = number;
    facts.channels.push_back({"nightly-in", "directory", {}, {}});
    write([&](LedgerWriter& writer) -> Result<bool> {
      TRY(gather_items(writer, {}, facts));
      return RunTable(writer.connection())
          .end(number, RunEnd::done, clock_.now(), stored_facts(facts));
    });
    return facts;
  }

  const TemporaryDirectory directory_;
  FakeClock clock_;
  const std::unique_ptr<Ledger> ledger_ =
      Ledger::open("sqlite:ledger.db", directory_.path(), clock_,
                   {{"processor", kProcessorMigrations},
                    {"run", kRunMigrations},
                    {"operation", kOperationMigrations}})
          .value();
  FakeRandom random_;
  SyntheticCertificates synthetic_{
      Certificate::from_pem(
          text_of(ByteView(read_file(CMPOST_TEST_DATA "/crypto/ec-p256.pem", 1 << 16).value())))
          .value()
          .front(),
      random_};
  int made_ = 0;
};

TEST_F(RunTableTest, ARunHasWhatIsAnsweredOnItsChannelsWhileItIsUnderWay) {
  put("nightly-in", MessageResult::granted);
  const auto number = begin("nightly");
  put("nightly-in", MessageResult::granted);
  put("nightly-in", MessageResult::refused);
  put("elsewhere", MessageResult::granted);
  put("nightly-in", MessageResult::granted, "nested");
  const auto facts = gather(number);
  EXPECT_EQ(facts.counts[ItemResult::granted], 1U);
  EXPECT_EQ(facts.counts[ItemResult::refused], 1U);
  EXPECT_EQ(facts.counts.total(), 2U);
  EXPECT_EQ(facts.channels.front().counts, facts.counts);
  EXPECT_THAT(facts.reasons, ElementsAre(std::pair<std::string, std::uint64_t>("badPOP", 1)));
  put("nightly-in", MessageResult::granted);
  EXPECT_EQ(gather(begin("nightly")).counts.total(), 0U) << "that was between the two";
}

TEST_F(RunTableTest, ItsItemsStayWhatTheyWere) {
  const auto number = begin("nightly");
  put("nightly-in", MessageResult::waiting);
  gather(number);
  const auto next = begin("nightly");
  write([&](LedgerWriter& writer) -> Result<bool> {
    const Bytes transactionID(16, 1);
    TRY(TransactionTable(writer.connection())
            .set_outcome(1, sha256(transactionID), {"accepted", MessageResult::granted, ""}));
    return true;
  });
  EXPECT_EQ(gather(next).counts[ItemResult::granted], 1U) << "it was decided in this one";
  const auto reader = ledger_->reader().value();
  std::vector<ItemResult> results;
  ASSERT_THAT(for_each_item(reader->connection(), number,
                            [&](const RunItem& item) -> Result<void> {
                              results.push_back(item.result);
                              return {};
                            }),
              IsOk());
  EXPECT_THAT(results, ElementsAre(ItemResult::waiting));
}

TEST_F(RunTableTest, ProgressCountsWhatIsNew) {
  const auto number = begin("nightly");
  const auto reader = ledger_->reader().value();
  RunTable table(reader->connection());
  RunTable::Progress seen;
  put("nightly-in", MessageResult::granted);
  ASSERT_THAT(table.look(number, seen), IsOk());
  put("nightly-in", MessageResult::refused);
  put("nightly-in", MessageResult::granted, "certConf");
  ASSERT_THAT(table.look(number, seen), IsOk());
  ASSERT_THAT(table.look(number, seen), IsOk());
  EXPECT_EQ(seen.items, 2U);
  EXPECT_EQ(seen.refused, 1U);
}

// A request may bring none or a hundred; those of other channels and of before are none of it.
TEST_F(RunTableTest, ProgressCountsCertificates) {
  issue("nightly-in");
  const auto number = begin("nightly");
  issue("nightly-in");
  issue("nightly-in");
  issue("elsewhere");
  const auto reader = ledger_->reader().value();
  RunTable table(reader->connection());
  RunTable::Progress seen;
  ASSERT_THAT(table.look(number, seen), IsOk());
  issue("nightly-in");
  ASSERT_THAT(table.look(number, seen), IsOk());
  EXPECT_EQ(seen.issued, 3U);
}

TEST_F(RunTableTest, WhatIsHeldAgainIsNewsAgain) {
  JobStatus job;
  job.id = make_job_id({view_of("job")});
  job.envelope.channel = "nightly-in";
  const std::vector<std::string> channels = {"nightly-in"};
  const auto newly_held = [&](const std::vector<JobStatus>& held) {
    const auto reader = ledger_->reader().value();
    return count_newly_held(reader->connection(), held).value();
  };
  const auto look = [&](const std::vector<JobStatus>& held) {
    write([&](LedgerWriter& writer) -> Result<bool> {
      TRY(note_held_before(writer, channels, held));
      return true;
    });
  };
  EXPECT_EQ(newly_held({job}), 1U);
  look({job});
  EXPECT_EQ(newly_held({job}), 0U) << "an earlier run has told of it, or none";
  look({});
  EXPECT_EQ(newly_held({job}), 1U) << "it was released, and is held again";
}

TEST_F(RunTableTest, AReportIsOwedUntilItIsWhereItBelongs) {
  const auto number = begin("nightly");
  gather(number);
  const auto owed = [&] {
    const auto reader = ledger_->reader().value();
    return RunTable(reader->connection()).unreported("nightly").value().size();
  };
  write([&](LedgerWriter& writer) -> Result<bool> {
    TRY(RunTable(writer.connection()).sign(number, Bytes{1}, Bytes{2}));
    return true;
  });
  EXPECT_EQ(owed(), 1U) << "it is signed, and nobody knows whether it is there";
  write([&](LedgerWriter& writer) -> Result<bool> {
    TRY(RunTable(writer.connection()).note_reported(number, clock_.now()));
    return true;
  });
  EXPECT_EQ(owed(), 0U);
}

TEST_F(RunTableTest, TheTimesOfARunCountSinceItIsKnown) {
  const auto since = [&](const std::string& name) {
    const auto reader = ledger_->reader().value();
    return RunTable(reader->connection()).known_since(name).value();
  };
  const auto know = [&](const std::string& name) {
    write([&](LedgerWriter& writer) -> Result<bool> {
      RunTable table(writer.connection());
      TRY(table.forget_others({name}));
      TRY(table.know(name, clock_.now()));
      return true;
    });
  };
  EXPECT_EQ(since("nightly"), Time::max());
  const auto first = clock_.now();
  know("nightly");
  clock_.advance(1h);
  know("nightly");
  EXPECT_EQ(since("nightly"), first);
  know("weekly");
  EXPECT_EQ(since("nightly"), Time::max()) << "the settings do not have it any more";
}

TEST_F(RunTableTest, FactsOfAnOlderVersionAreReadable) {
  EXPECT_THAT(parse_facts(R"({"number": 7, "name": "nightly", "more": 1})"), IsOk());
  EXPECT_EQ(parse_facts(R"({"number": 7})").value().number, 7);
}

TEST_F(RunTableTest, WhatIsRefusedAndNotListedAnyMoreIsCounted) {
  const auto number = begin("nightly");
  write([&](LedgerWriter& writer) -> Result<bool> {
    RefusalTable table(writer.connection());
    for (std::int64_t i = 0; i < RefusalTable::kMostKept + 3; ++i) {
      RefusedRequest refused;
      refused.channel = "nightly-in";
      refused.job = Bytes{static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
      TRY(table.add(refused));
    }
    return true;
  });
  const auto facts = gather(number);
  EXPECT_EQ(facts.unlisted, 3U);
  EXPECT_EQ(facts.counts[ItemResult::refused], static_cast<std::uint64_t>(RefusalTable::kMostKept));
}

TEST_F(RunTableTest, OneThatHasEndedCannotGoOn) {
  const auto number = begin("nightly");
  const auto resume = [&](LedgerWriter& writer) {
    return RunTable(writer.connection()).resume(number);
  };
  EXPECT_TRUE(write(resume));
  gather(number);
  EXPECT_FALSE(write(resume));
  const auto reader = ledger_->reader().value();
  RunTable table(reader->connection());
  EXPECT_EQ(table.find(number).value()->resumed, 1);
  EXPECT_EQ(table.continued_by(number).value(), std::nullopt);
  const auto next = begin("nightly", number);
  EXPECT_EQ(table.continued_by(number).value(), next);
  EXPECT_EQ(table.newest("nightly").value()->number, next);
  EXPECT_EQ(table.under_way().value().size(), 1U);
}

TEST(StoredFacts, AreReadAsTheyWereWritten) {
  RunFacts facts;
  facts.number = 7;
  facts.name = "nightly";
  facts.end = RunEnd::stopped;
  facts.why = "rejected > 2%: \"x\"\n";
  facts.planned = Time(1s);
  facts.crl = RunFacts::Crl{"12", Time(2s), Time(3s)};
  facts.ends.emplace_back("CA certificate", Time(4s));
  facts.counts[ItemResult::held] = 5;
  facts.hours.emplace_back(Time(0s), facts.counts);
  facts.before.push_back({6, Time(0s), RunEnd::done, {}});
  facts.reasons.emplace_back("badPOP", 2);
  const auto text = stored_facts(facts);
  const auto read = parse_facts(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(stored_facts(*read), text);
  EXPECT_EQ(read->why, facts.why);
  EXPECT_EQ(read->end, RunEnd::stopped);
  EXPECT_EQ(read->planned, facts.planned);
  EXPECT_EQ(read->continues, std::nullopt);
  EXPECT_EQ(read->counts, facts.counts);
  EXPECT_FALSE(parse_facts("{}"));
  EXPECT_FALSE(parse_facts("no JSON"));
}

}  // namespace
}  // namespace cmpost
