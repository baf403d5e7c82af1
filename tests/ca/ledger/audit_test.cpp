#include "ca/ledger/audit.h"

#include <gmock/gmock.h>

#include "tests/ca/ca_fixture.h"

namespace cmpost {
namespace {

class AuditTest : public ::testing::Test {
 protected:
  void append(int count) {
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      for (int i = 0; i < count; ++i)
        TRY(writer.audit("event", "{\"n\":" + std::to_string(i) + "}"));
      return {};
    }),
                IsOk());
  }
  void tamper(const std::string& sql) {
    const auto connection =
        open_database("sqlite:ledger.db", directory.path(), OpenMode::read_write).value();
    ASSERT_THAT(connection->execute(sql), IsOk());
  }
  std::optional<std::int64_t> first_fault() { return ledger->verify_audit().value(); }

  FakeClock clock;
  TemporaryDirectory directory;
  std::unique_ptr<Ledger> ledger =
      Ledger::open("sqlite:ledger.db", directory.path(), clock).value();
};

TEST_F(AuditTest, OfAnEmptyLedgerFits) { EXPECT_EQ(first_fault(), std::nullopt); }

TEST_F(AuditTest, FitsAcrossCommitsAndReadsBack) {
  append(3);
  clock.advance(1s);
  append(2);
  EXPECT_EQ(first_fault(), std::nullopt);
  const auto reader = ledger->reader().value();
  const auto records = reader->audit(3, 10).value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].id, 4);
  EXPECT_EQ(records[0].time, clock.now());
  EXPECT_EQ(records[1].event, "event");
  EXPECT_EQ(records[1].detail, "{\"n\":1}");
  EXPECT_EQ(reader->audit_head()->id, 5);
  EXPECT_TRUE(equal(reader->audit_head()->hash, records[1].hash));
}

TEST_F(AuditTest, IsVerifiedOverManyPagesOfRecords) {
  append(2500);
  EXPECT_EQ(first_fault(), std::nullopt);
  tamper("UPDATE audit SET detail = '{}' WHERE id = 2345");
  EXPECT_EQ(first_fault(), 2345);
}

TEST_F(AuditTest, ShowsEveryKindOfTampering) {
  struct Case {
    const char* sql;
    std::int64_t first;
  };
  for (const auto& [sql, first] : {
           Case{"UPDATE audit SET detail = detail || ' ' WHERE id = 4", 4},
           Case{"UPDATE audit SET event = 'evenx' WHERE id = 4", 4},
           Case{"UPDATE audit SET time = time + 1 WHERE id = 4", 4},
           Case{"UPDATE audit SET hash = zeroblob(32) WHERE id = 4", 4},
           Case{"UPDATE audit SET event = 'even', detail = 't' || detail WHERE id = 4", 4},
           Case{"DELETE FROM audit WHERE id = 4", 5},
           Case{"DELETE FROM audit WHERE id = 1", 2},
           Case{"DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4", 4},
           Case{"UPDATE audit SET id = -1 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 5;"
                "UPDATE audit SET id = 5 WHERE id = -1",
                4},
           Case{"INSERT INTO audit SELECT 11, time, event, detail, hash FROM audit WHERE id = 10",
                11},
       }) {
    tamper("DELETE FROM audit");
    append(10);
    ASSERT_EQ(first_fault(), std::nullopt);
    tamper(sql);
    EXPECT_EQ(first_fault(), first) << sql;
  }
}

TEST_F(AuditTest, GoesOnBehindWhatAnotherProcessAppended) {
  append(1);
  const auto other = Ledger::open("sqlite:ledger.db", directory.path(), clock).value();
  ASSERT_THAT(other->write([](LedgerWriter& writer) { return writer.audit("other", "{}"); }),
              IsOk());
  append(1);
  EXPECT_EQ(first_fault(), std::nullopt);
  EXPECT_EQ(ledger->reader().value()->audit_head()->id, 3);
}

}  // namespace
}  // namespace cmpost
