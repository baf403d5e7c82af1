#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/ca/ca_fixture.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

class LedgerConcurrencyTest : public ::testing::Test {
 protected:
  // Its own connection, as another process has one.
  std::unique_ptr<Ledger> open() {
    return Ledger::open("sqlite:ledger.db", directory.path(), ca.clock).value();
  }
  static Result<void> add_group(Ledger& ledger, const std::vector<CertificateRecord>& records) {
    return ledger.write([&](LedgerWriter& writer) -> Result<void> {
      for (const auto& record : records) {
        TRY(writer.add(record));
        TRY(writer.audit("certificate.issued", "{}"));
      }
      return {};
    });
  }
  std::vector<CertificateRecord> group(int size) {
    std::vector<CertificateRecord> records;
    for (int i = 0; i < size; ++i) records.push_back(synthetic.next(ca.clock.now()));
    return records;
  }

  TestCa ca;
  SyntheticCertificates synthetic{ca.issue("CN=model"), ca.random};
  TemporaryDirectory directory;
};

TEST_F(LedgerConcurrencyTest, WritersOfSeveralProcessesKeepIdsAndAuditWhole) {
  constexpr int kWriters = 3, kGroups = 15, kSize = 4;
  const auto shared = open();
  std::vector<std::vector<CertificateRecord>> groups;
  for (int i = 0; i < kWriters * kGroups; ++i) groups.push_back(group(kSize));
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        // Two threads share one Ledger, the third has its own.
        const auto own = i == 2 ? open() : nullptr;
        for (int g = 0; g < kGroups; ++g) {
          EXPECT_THAT(add_group(own ? *own : *shared, groups[i * kGroups + g]), IsOk());
        }
      });
    }
  }
  const auto reader = shared->reader().value();
  EXPECT_EQ(reader->count().value(), kWriters * kGroups * kSize);
  const auto any = [](const CertificateRecord&) -> Result<void> { return {}; };
  EXPECT_THAT(reader->for_each({}, any), IsOkAnd(kWriters * kGroups * kSize));
  EXPECT_EQ(reader->audit_head()->id, kWriters * kGroups * kSize);
  EXPECT_EQ(shared->verify_audit().value(), std::nullopt);
}

TEST_F(LedgerConcurrencyTest, OfTwoWhoRevokeOneSucceeds) {
  const auto records = group(40);
  const auto first = open();
  ASSERT_THAT(add_group(*first, records), IsOk());
  std::vector<std::atomic<int>> successes(records.size());
  const auto revoke_all = [&](Ledger& ledger) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      EXPECT_THAT(ledger.write([&](LedgerWriter& writer) -> Result<void> {
        ASSIGN_OR_RETURN(const bool done, writer.revoke(records[i].serial, CRLReason::superseded,
                                                        ca.clock.now(), {}));
        if (done) ++successes[i];
        return {};
      }),
                  IsOk());
    }
  };
  {
    std::jthread one([&] { revoke_all(*first); });
    std::jthread two([&] { revoke_all(*open()); });
  }
  for (const auto& count : successes) EXPECT_EQ(count.load(), 1);
}

TEST_F(LedgerConcurrencyTest, AReaderSeesWholeCommitsWhileAWriterIsBusy) {
  const auto ledger = open();
  const auto records = group(5);
  ASSERT_THAT(add_group(*ledger, records), IsOk());
  const auto reader = ledger->reader().value();
  ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.add(synthetic.next(ca.clock.now())));
    EXPECT_EQ(reader->count().value(), 5);
    EXPECT_TRUE(reader->find(records[0].serial).value().has_value());
    return {};
  }),
              IsOk());
  EXPECT_EQ(reader->count().value(), 6);
}

}  // namespace
}  // namespace cmpost
