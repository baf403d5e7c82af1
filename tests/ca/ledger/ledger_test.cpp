#include "ca/ledger/ledger.h"

#include <gmock/gmock.h>

#include "ca/ledger/ledger_schema.h"
#include "tests/ca/ca_fixture.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = CertificateState;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() : ledger(open()), reader(ledger->reader().value()) {}

  std::unique_ptr<Ledger> open(const std::vector<Ledger::Schema>& more = {}) {
    return Ledger::open("sqlite:ledger.db", directory.path(), ca.clock, more).value();
  }
  Result<void> add(const CertificateRecord& record) {
    return ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(record));
      return {};
    });
  }
  CertificateRecord added(std::string_view subject, State state = State::valid) {
    auto record = synthetic.next(ca.clock.now());
    record.subject = subject;
    record.state = state;
    EXPECT_THAT(add(record), IsOk());
    return record;
  }
  // What `change` does to a record, in a transaction of its own.
  bool changed(const std::function<Result<bool>(LedgerWriter&)>& change) {
    bool result = false;
    EXPECT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(result, change(writer));
      return {};
    }),
                IsOk());
    return result;
  }
  CertificateRecord found(ByteView serial) { return reader->find(serial).value().value(); }
  bool revoke(const CertificateRecord& record, CRLReason reason,
              std::optional<Time> invalidity = {}) {
    return changed([&](LedgerWriter& writer) {
      return writer.revoke(record.serial, reason, ca.clock.now(), invalidity);
    });
  }
  std::vector<std::string> subjects(const ListFilter& filter) {
    std::vector<std::string> result;
    EXPECT_THAT(reader->for_each(filter,
                                 [&](const CertificateRecord& record) -> Result<void> {
                                   result.push_back(record.subject);
                                   return {};
                                 }),
                IsOk());
    return result;
  }

  TestCa ca;
  SyntheticCertificates synthetic{ca.issue("CN=model"), ca.random};
  TemporaryDirectory directory;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<LedgerReader> reader;
};

TEST_F(LedgerTest, GivesBackWhatWasStored) {
  auto record = ca.record(ca.issue("CN=dev1,O=Grid"));
  record.state = State::held;
  record.revoked_at = ca.clock.now();
  record.reason = CRLReason::certificateHold;
  record.invalidity_date = ca.clock.now() - 1h;
  ASSERT_THAT(add(record), IsOk());
  const auto back = found(record.serial);
  EXPECT_EQ(back.id, 1);
  EXPECT_EQ(back.der, record.der);
  EXPECT_EQ(back.subject, "CN=dev1,O=Grid");
  EXPECT_EQ(back.profile, record.profile);
  EXPECT_EQ(back.channel, record.channel);
  EXPECT_EQ(back.requester, record.requester);
  EXPECT_EQ(back.tid, record.tid);
  EXPECT_EQ(back.issued, record.issued);
  EXPECT_EQ(back.not_after, record.not_after);
  EXPECT_EQ(back.state, State::held);
  EXPECT_EQ(back.revoked_at, record.revoked_at);
  EXPECT_EQ(back.reason, record.reason);
  EXPECT_EQ(back.invalidity_date, record.invalidity_date);
}

TEST_F(LedgerTest, KnowsNothingOfOtherSerialNumbers) {
  EXPECT_EQ(reader->find(Bytes{1}).value(), std::nullopt);
}

TEST_F(LedgerTest, FindsNoMoreSerialNumbersThanWanted) {
  for (const auto* serial : {"12ab", "0012ab", "12cd"}) {
    auto record = synthetic.next(ca.clock.now());
    record.serial = from_hex(serial).value();
    ASSERT_THAT(add(record), IsOk());
  }
  EXPECT_EQ(reader->serials_beginning("12", 9).value().size(), 3u);
  EXPECT_EQ(reader->serials_beginning("12", 2).value().size(), 2u);
}

TEST_F(LedgerTest, KeepsNothingOfATransactionThatFails) {
  const auto record = synthetic.next(ca.clock.now());
  EXPECT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.add(record));
    TRY(writer.audit("certificate.issued", "{}"));
    return hold("something else went wrong");
  }),
              Fails("something else went wrong"));
  EXPECT_EQ(reader->count().value(), 0);
  EXPECT_EQ(reader->audit_head()->id, 0);
  EXPECT_THAT(add(record), IsOk());
  EXPECT_EQ(reader->count().value(), 1);
}

TEST_F(LedgerTest, RefusesTheSameSerialNumberTwice) {
  const auto record = added("CN=a");
  EXPECT_FALSE(add(record));
  EXPECT_EQ(reader->count().value(), 1);
}

TEST_F(LedgerTest, RefusesWhatIsNoCertificate) {
  auto record = synthetic.next(ca.clock.now());
  record.der.resize(40);
  EXPECT_THAT(add(record), Fails(HasSubstr("malformed")));
}

TEST_F(LedgerTest, IsStillThereAfterOpeningAgain) {
  const auto record = added("CN=a");
  reader.reset();
  ledger.reset();
  ledger = open();
  reader = ledger->reader().value();
  EXPECT_EQ(found(record.serial).subject, "CN=a");
}

TEST_F(LedgerTest, MakesTablesOfOtherFoldersAndWritesThemInTheSameCommit) {
  ledger = open({{"guests", {{1, "CREATE TABLE guest (name TEXT NOT NULL)"}}}});
  const auto visit = [&](bool well) {
    return ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.connection().execute("INSERT INTO guest VALUES ('x')"));
      TRY(writer.add(synthetic.next(ca.clock.now())));
      if (!well) return hold("no");
      return {};
    });
  };
  EXPECT_FALSE(visit(false));
  EXPECT_THAT(visit(true), IsOk());
  auto* const query = reader->connection().statement("SELECT count(*) FROM guest").value();
  ASSERT_TRUE(query->step().value());
  EXPECT_EQ(query->integer(0), 1);
  query->reset();
  EXPECT_EQ(reader->count().value(), 1);
}

// --- keys ---

TEST_F(LedgerTest, FindsTheCertificatesOfAKey) {
  const auto one = added("CN=a");
  const auto spki = to_bytes(Certificate::from_der(one.der)->spki());
  auto two = one;  // the same key again
  two.serial[15] ^= 1;
  ASSERT_THAT(add(two), IsOk());
  added("CN=other");
  EXPECT_EQ(reader->with_key(spki, ca.clock.now())->size(), 2u);
  EXPECT_THAT(reader->with_key(spki, one.not_after + 1s).value(), IsEmpty());
  ASSERT_TRUE(revoke(one, CRLReason::superseded));
  const auto left = reader->with_key(spki, ca.clock.now()).value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].serial, two.serial);
  ASSERT_TRUE(revoke(two, CRLReason::certificateHold));
  EXPECT_EQ(reader->with_key(spki, ca.clock.now())->size(), 1u) << "held is not revoked";
}

TEST_F(LedgerTest, FindsKeysInEveryGeneration) {
  constexpr int kCount = (1 << kGenerationBits) + 100;
  std::vector<CertificateRecord> some;
  ASSERT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    for (int i = 0; i < kCount; ++i) {
      const auto record = synthetic.next(ca.clock.now());
      if (i == 0 || i == kCount - 1) some.push_back(record);
      TRY(writer.add(record));
    }
    return {};
  }),
              IsOk());
  EXPECT_EQ(reader->count().value(), kCount);
  for (const auto& record : some) {
    const auto spki = to_bytes(Certificate::from_der(record.der)->spki());
    EXPECT_EQ(reader->with_key(spki, ca.clock.now())->size(), 1u);
    EXPECT_EQ(found(record.serial).tid, record.tid);
  }
}

TEST_F(LedgerTest, DoesNotMistakeAnEqualHashForAnEqualKey) {
  const auto record = added("CN=a");
  added("CN=b");
  const auto spki = to_bytes(Certificate::from_der(record.der)->spki());
  const auto hash = lookup_hash(spki);
  ASSERT_THAT(ledger->write([&](LedgerWriter& writer) {
    return writer.connection().execute("UPDATE certificate SET key_hash = " + std::to_string(hash));
  }),
              IsOk());
  EXPECT_EQ(reader->with_key(spki, ca.clock.now())->size(), 1u);
}

TEST_F(LedgerTest, UsesAnIndexForEveryLookUp) {
  const auto plan = [&](std::string sql) {
    auto* const query = reader->connection().statement("EXPLAIN QUERY PLAN " + sql).value();
    std::string text;
    while (query->step().value()) text += std::string(query->text(3)) + "\n";
    query->reset();
    return text;
  };
  const std::string select = "SELECT * FROM certificate WHERE ";
  EXPECT_THAT(plan(select + "serial = ?"), HasSubstr("INDEX certificate_serial"));
  EXPECT_THAT(plan(select + "generation = ? AND key_hash = ?"), HasSubstr("INDEX certificate_key"));
  EXPECT_THAT(plan(select + "state <> 'valid' AND state IN ('held', 'revoked') "
                            "AND not_after >= ? ORDER BY id"),
              HasSubstr("INDEX certificate_state"));
  EXPECT_THAT(plan(select + "id > ? AND state = 'held' AND state <> 'valid' ORDER BY id LIMIT ?"),
              HasSubstr("INDEX certificate_state"));
}

// --- lists ---

TEST_F(LedgerTest, ListsByEachFilter) {
  added("CN=dev1,O=Grid");
  added("CN=100%_sure,O=Grid", State::unconfirmed);
  auto other = synthetic.next(ca.clock.now());
  other.subject = "CN=dev3,O=Plant";
  other.channel = "mail";
  other.profile = "server";
  other.not_after = ca.clock.now() + 1h;
  ASSERT_THAT(add(other), IsOk());

  EXPECT_EQ(subjects({}).size(), 3u);
  ListFilter filter{.subject = "o=grid"};
  EXPECT_THAT(subjects(filter), ElementsAre("CN=dev1,O=Grid", "CN=100%_sure,O=Grid"));
  filter.subject = "%_s";
  EXPECT_THAT(subjects(filter), ElementsAre("CN=100%_sure,O=Grid"));
  filter.state = "valid";
  EXPECT_THAT(subjects(filter), IsEmpty());
  EXPECT_THAT(subjects({.state = "unconfirmed"}), ElementsAre("CN=100%_sure,O=Grid"));
  EXPECT_THAT(
      subjects({.channel = "mail", .profile = "server", .expires_before = ca.clock.now() + 2h}),
      ElementsAre("CN=dev3,O=Plant"));
}

TEST_F(LedgerTest, ListsPageByPage) {
  for (const char* subject : {"CN=1", "CN=2", "CN=3"}) added(subject);
  EXPECT_THAT(subjects({.limit = 2}), ElementsAre("CN=1", "CN=2"));
  EXPECT_THAT(subjects({.after_row = 2, .limit = 2}), ElementsAre("CN=3"));
}

// --- states ---

TEST_F(LedgerTest, ChangesAStateOnlyFromAnExpectedOne) {
  const auto record = added("CN=a", State::unconfirmed);
  const auto change = [&](const std::vector<State>& expected, State state) {
    return changed(
        [&](LedgerWriter& writer) { return writer.change_state(record.serial, expected, state); });
  };
  EXPECT_FALSE(change({State::valid, State::updated}, State::updated));
  EXPECT_EQ(found(record.serial).state, State::unconfirmed);
  EXPECT_TRUE(change({State::unconfirmed}, State::valid));
  EXPECT_FALSE(change({State::unconfirmed}, State::valid));
  EXPECT_TRUE(change({State::valid, State::unconfirmed, State::updated}, State::updated));
  EXPECT_FALSE(change({}, State::valid));
  EXPECT_EQ(found(record.serial).state, State::updated);
}

TEST_F(LedgerTest, DatesARevocationThatCameByAChangeOfState) {
  const auto record = added("CN=a", State::unconfirmed);
  EXPECT_TRUE(changed([&](LedgerWriter& writer) {
    return writer.change_state(record.serial, {State::unconfirmed}, State::revoked);
  }));
  EXPECT_EQ(found(record.serial).revoked_at, ca.clock.now());
  EXPECT_EQ(reader->revoked(ca.clock.now())->size(), 1u);
}

TEST_F(LedgerTest, RevokesOnce) {
  const auto record = added("CN=a");
  const Time date = ca.clock.now() - 24h;
  EXPECT_TRUE(revoke(record, CRLReason::keyCompromise, date));
  const auto revoked = found(record.serial);
  EXPECT_EQ(revoked.state, State::revoked);
  EXPECT_EQ(revoked.revoked_at, ca.clock.now());
  EXPECT_EQ(revoked.reason, CRLReason::keyCompromise);
  EXPECT_EQ(revoked.invalidity_date, date);
  EXPECT_FALSE(revoke(record, CRLReason::superseded));
  EXPECT_FALSE(revoke(record, CRLReason::certificateHold));
  EXPECT_EQ(found(record.serial).reason, CRLReason::keyCompromise);
}

TEST_F(LedgerTest, HoldsAndReleases) {
  const auto record = added("CN=a");
  const auto release = [&] {
    return changed([&](LedgerWriter& writer) { return writer.unrevoke(record.serial); });
  };
  EXPECT_FALSE(release());
  EXPECT_TRUE(revoke(record, CRLReason::certificateHold));
  EXPECT_EQ(found(record.serial).state, State::held);
  EXPECT_FALSE(revoke(record, CRLReason::certificateHold)) << "held already";
  EXPECT_TRUE(release());
  EXPECT_EQ(found(record.serial).state, State::valid);
  EXPECT_EQ(found(record.serial).revoked_at, std::nullopt);
  EXPECT_EQ(found(record.serial).reason, std::nullopt);
  EXPECT_TRUE(revoke(record, CRLReason::unspecified));
  EXPECT_FALSE(release()) << "revoked is for good";
}

TEST_F(LedgerTest, KeepsTheDateOfAHoldThatBecomesARevocation) {
  const auto record = added("CN=a");
  const Time held_at = ca.clock.now();
  ASSERT_TRUE(revoke(record, CRLReason::certificateHold));
  ca.clock.advance(48h);
  EXPECT_TRUE(revoke(record, CRLReason::keyCompromise));
  EXPECT_EQ(found(record.serial).state, State::revoked);
  EXPECT_EQ(found(record.serial).revoked_at, held_at);
  EXPECT_EQ(found(record.serial).reason, CRLReason::keyCompromise);
}

TEST_F(LedgerTest, TakesNoRemovalForARevocation) {
  const auto record = added("CN=a");
  EXPECT_THAT(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.revoke(record.serial, CRLReason::removeFromCRL, ca.clock.now(), {}));
    return {};
  }),
              Fails(HasSubstr("removeFromCRL")));
}

TEST_F(LedgerTest, KeepsTheNewestCrlsOnly) {
  EXPECT_EQ(reader->newest_crl().value(), std::nullopt);
  for (std::uint64_t number = 1; number <= 12; ++number) {
    ASSERT_THAT(ledger->write([&](LedgerWriter& writer) {
      return writer.add_crl(number, Bytes{static_cast<std::uint8_t>(number)}, ca.clock.now(),
                            ca.clock.now() + 1h);
    }),
                IsOk());
  }
  EXPECT_EQ(reader->newest_crl().value(), std::pair(std::uint64_t{12}, Bytes{12}));
  auto* const query = reader->connection().statement("SELECT count(*) FROM crl").value();
  ASSERT_TRUE(query->step().value());
  EXPECT_EQ(query->integer(0), 10);
}

}  // namespace
}  // namespace cmpost
