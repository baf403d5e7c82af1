// Who guesses secrets is stopped, and what strangers send leaves little behind.
#include "processor/credentials/protection_tables.h"

#include "tests/processor/keys.h"

namespace cmpost {
namespace {

TEST(SecretLock, StopsWhoGuessesAndNobodyElse) {
  CaUnderTest ca("mac = { lock_after = 3 }\n");
  const auto arrives_from = [&](const char* peer, std::string_view secret) {
    auto lease = ca.arrival(with_mac(ca, ir(Credential()), {}, secret));
    lease.job.envelope.reply.address = peer;
    const auto decision = must(respond(lease, *ca.reader, ca.services()));
    EXPECT_TRUE(ca.commit(decision));
    return *decode(std::get<Decision::Reply>(decision.what).job.payload);
  };
  for (int i = 0; i < 3; ++i) arrives_from("stranger@a.example", "guess");
  EXPECT_THAT(arrives_from("stranger@a.example", CaUnderTest::kSecret),
              Refuses("error", PKIFailureInfo::badMessageCheck))
      << "the right secret, found too late";
  EXPECT_EQ(status_in(arrives_from("dev1@b.example", CaUnderTest::kSecret)).status,
            PKIStatus::accepted);
  ca.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(status_in(arrives_from("stranger@a.example", CaUnderTest::kSecret)).status,
            PKIStatus::accepted);
}

TEST(SecretLock, ManyStrangersTogetherAreStoppedUntilAnOperatorUnlocks) {
  CaUnderTest ca("mac = { lock_after = 3, lock_after_all = 4 }\n");
  for (int i = 0; i < 6; ++i) {
    auto lease = ca.arrival(with_mac(ca, ir(Credential()), {}, "guess"));
    lease.job.envelope.reply.address = std::to_string(i);
    EXPECT_TRUE(ca.commit(must(respond(lease, *ca.reader, ca.services()))));
  }
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  must(ca.ledger->write([](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(const auto forgiven, SecretStore::forgive(writer.connection(), "dev1"));
    EXPECT_EQ(forgiven.macs, 4) << "what comes after the limit is not counted";
    return {};
  }));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, ASecretAddedLaterUnderTheReferenceIsNotLocked) {
  CaUnderTest ca("mac = { lock_after_all = 2 }\n");
  for (int i = 0; i < 2; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess"));
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
  const auto remove = [&](SecretPurpose purpose) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(SecretStore(writer.connection(), ca.sealing_key)
              .remove(CaUnderTest::kReference, purpose));
      return {};
    }));
  };
  remove(SecretPurpose::regToken);
  EXPECT_EQ(rows_of(ca, "secret_failure"), 2) << "a token of that name is another secret";
  remove(SecretPurpose::mac);
  EXPECT_EQ(rows_of(ca, "secret_failure"), 0);
  Secret next;
  next.reference = CaUnderTest::kReference;
  next.value = to_bytes(std::string_view("another secret"));
  next.subject = "CN=dev*";
  ca.add(next);
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential()), {}, "another secret"))).status,
            PKIStatus::accepted);
}

// Between the plan and the commit the reference was given to somebody else.
TEST(SecretUses, AreOfTheSecretAndNotOfWhoHasItsReferenceLater) {
  CaUnderTest ca;
  const auto decision = ca.decide(with_mac(ca, ir(Credential())));
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    EXPECT_THAT(SecretStore(writer.connection(), ca.sealing_key).remove(CaUnderTest::kReference),
                IsOk());
    return {};
  }));
  Secret next;
  next.reference = CaUnderTest::kReference;
  next.value = to_bytes(std::string_view("the secret of somebody else"));
  next.subject = "CN=dev*";
  ca.add(next);
  EXPECT_FALSE(ca.commit(decision));
  EXPECT_EQ(ca.certificates(), 0);
}

// Nobody is answered, and the guess counts all the same.
TEST(SecretFailures, OfAnErrorMessageCount) {
  CaUnderTest ca;
  ErrorMsgContent content;
  content.pKIStatusInfo.status = PKIStatus::rejection;
  EXPECT_TRUE(ca.exchange(with_mac(ca, body::error{content}, {}, "guessed")).empty());
  EXPECT_EQ(rows_of(ca, "secret_failure"), 1);
}

TEST(SecretLock, SameWrongMessageAgainCountsOnce) {
  CaUnderTest ca("mac = { lock_after = 2 }\n");
  const auto wrong = with_mac(ca, ir(Credential()), {}, "guess");
  for (int i = 0; i < 5; ++i) ca.ask(wrong);
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, WhereAllShareOnePeerAFewWrongMacsLockNobodyOut) {
  CaUnderTest ca("mac = { lock_after = 3 }\n");
  for (int i = 0; i < 20; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess"));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential())))).status, PKIStatus::accepted);
}

TEST(SecretLock, SecretThatIsNoPasswordIsAlwaysBelieved) {
  CaUnderTest ca("mac = { lock_after = 3, lock_after_all = 4 }\n");
  Secret key;
  key.reference = "key";
  key.value = to_bytes(kKey);
  key.is_key = true;
  key.channels.any = true;
  ca.add(key);
  for (int i = 0; i < 10; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess", "key"));
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential()), {}, kKey, "key"))).status,
            PKIStatus::accepted);
  EXPECT_EQ(rows_of(ca, "secret_failure"), 4) << "what an operator sees is bounded";
}

TEST(SecretLock, WhatSomebodyTypedMayBeAPasswordHoweverLong) {
  constexpr std::string_view kPhrase = "four score and seven years ago our fathers";
  CaUnderTest ca("mac = { lock_after_all = 4 }\n");
  add_key(ca, "phrase", kPhrase);
  for (int i = 0; i < 5; ++i) ca.ask(with_mac(ca, ir(Credential()), {}, "guess", "phrase"));
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()), {}, kPhrase, "phrase")),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(SecretLock, WhereNothingLocksFailuresAreStillBounded) {
  CaUnderTest ca;
  MacSettings never;
  never.lock_after = never.lock_after_all = 0;
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    SecretLock lock(writer.connection());
    for (std::uint8_t i = 0; i < 250; ++i) {
      for (std::uint8_t j = 0; j < 4; ++j) {
        SecretFailure failure{"dev1", "drop", "", {}, ca.clock.now()};
        failure.message = {i, j};
        TRY(lock.count(failure, Time::min()));
      }
    }
    ASSIGN_OR_RETURN(const auto state, lock.state("dev1", "drop", "", never, ca.clock.now()));
    EXPECT_EQ(state, SecretLock::State::full);
    return {};
  }));
}

// What strangers send leaves little behind.

TEST(Strangers, AuditRecordsOfAnHourAreBoundedAndTheRestIsCounted) {
  CaUnderTest ca;
  const auto before = rows_of(ca, "audit");
  const auto send = [&](int count) {
    Effects effects;
    effects.audit.push_back({"message.answered", "{}", "drop"});
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      for (int i = 0; i < count; ++i) TRY(apply(effects, writer, ca.clock.now()));
      return {};
    }));
  };
  send(1005);
  EXPECT_EQ(rows_of(ca, "audit") - before, StrangerCount::kRecordedAnHour);
  ca.clock.advance(std::chrono::hours(1));
  send(1);
  const auto all = must(audit_records(ca.reader->connection(), before + 1000, 10));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].event, "message.not_recorded");
  EXPECT_THAT(all[0].detail, ::testing::HasSubstr("\"count\":\"5\""));
}

TEST(Strangers, OnlyWhatNobodyProvesToHaveSentIsOfAStranger) {
  CaUnderTest ca;
  const auto wrong = ca.decide(with_mac(ca, ir(Credential()), {}, "guess"));
  EXPECT_EQ(wrong.effects.audit.back().stranger_on, "drop");
  const auto right = ca.decide(with_mac(ca, ir(Credential())));
  EXPECT_EQ(right.effects.audit.back().stranger_on, "");
}

}  // namespace
}  // namespace cmpost
