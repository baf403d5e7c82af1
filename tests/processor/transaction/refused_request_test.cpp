#include "processor/transaction/refused_request.h"

#include "processor/explanation/explain.h"
#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using Judged = CheckVerdict::Verdict;

std::vector<RefusedRequest> refused_in(CaUnderTest& ca) {
  const auto sql = "SELECT " + std::string(kRefusedColumns) + " FROM refused ORDER BY id";
  return must(all(ca.reader->connection(), sql, read_refused));
}

RefusedRequest only_refused(CaUnderTest& ca) {
  const auto all = refused_in(ca);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? RefusedRequest() : all.front();
}

const CheckVerdict& failed_check(const CheckVerdicts& verdicts) {
  const auto found = std::ranges::find(verdicts, Judged::failed, &CheckVerdict::verdict);
  EXPECT_NE(found, verdicts.end());
  return found == verdicts.end() ? verdicts.front() : *found;
}

Secret secret_named(const char* reference) {
  Secret secret;
  secret.reference = reference;
  secret.value = to_bytes(std::string_view(CaUnderTest::kSecret));
  secret.subject = "CN=dev*";
  return secret;
}

TEST(RefusedRequest, AWrongMacIsKeptWithWhatTheMessageClaims) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential()), {}, "a wrong secret"));
  const auto refused = only_refused(ca);
  EXPECT_EQ(refused.stage, Milestone::sender);
  EXPECT_EQ(refused.failInfo, "badMessageCheck");
  EXPECT_FALSE(refused.known);
  EXPECT_EQ(refused.requester, "mac:dev1");
  EXPECT_EQ(refused.subject, "CN=dev1");
  EXPECT_EQ(refused.body, "ir");
  EXPECT_EQ(refused.channel, "drop");
  EXPECT_EQ(refused.transactionID.size(), 16U);
  EXPECT_EQ(refused.reply_body, "error");
  EXPECT_THAT(refused.note, HasSubstr("the MAC is wrong"));
}

TEST(RefusedRequest, AnUnknownReferenceHasNoNote) {
  CaUnderTest ca;
  ca.ask(with_mac(
      ca, ir(Credential()),
      {.edit = [](PKIHeader& header) { header.sender = GeneralName::of(name("CN=nobody")); }},
      CaUnderTest::kSecret, "nobody"));
  EXPECT_EQ(only_refused(ca).note, "");
}

TEST(RefusedRequest, AUsedUpSecretIsKeptOfWhoIsKnown) {
  CaUnderTest ca;
  auto secret = secret_named("once");
  secret.max_uses = 1;
  ca.add(secret);
  ca.ask(with_mac(ca, ir(Credential()), {}, CaUnderTest::kSecret, "once"));
  EXPECT_TRUE(refused_in(ca).empty());
  ca.ask(with_mac(ca, ir(Credential()), {}, CaUnderTest::kSecret, "once"));
  const auto refused = only_refused(ca);
  EXPECT_TRUE(refused.known);
  EXPECT_EQ(refused.requester, "mac:once");
  EXPECT_EQ(refused.stage, Milestone::credential);
  EXPECT_THAT(refused.reason, HasSubstr("used up"));
}

TEST(RefusedRequest, AnUnknownSignerIsNamedAsItNamesItself) {
  CaUnderTest ca;
  OtherRoot stranger("CN=Stranger", ca.clock.now(), ca.random);
  Credential device;
  stranger.certify(device, "CN=made up", ca.clock.now(), ca.random);
  ca.ask(signed_by(ca, device, ir(device, "CN=dev7")));
  const auto refused = only_refused(ca);
  EXPECT_FALSE(refused.known);
  EXPECT_EQ(refused.requester, "cert:CN=made up");
  EXPECT_EQ(refused.subject, "CN=dev7");
  EXPECT_EQ(refused.stage, Milestone::sender);
}

TEST(RefusedRequest, WhatCannotBeReadIsKeptToo) {
  CaUnderTest ca;
  EXPECT_TRUE(ca.commit(ca.decide(to_bytes(std::string_view("no PKIMessage")))));
  const auto refused = only_refused(ca);
  EXPECT_EQ(refused.stage, Milestone::encoding);
  EXPECT_THAT(refused.reason, HasSubstr("not a PKIMessage"));
  EXPECT_EQ(refused.reply_body, "");
}

TEST(RefusedRequest, AFollowUpOfNothingNamesItsTransaction) {
  CaUnderTest ca;
  auto device = enrolled(ca);
  ca.clock.advance(std::chrono::hours(24));
  auto late = ca.arrival(with_mac(ca, cert_conf(*device.certificate)));
  late.arrived = ca.clock.now() - std::chrono::hours(24);
  EXPECT_TRUE(ca.commit(must(respond(late, *ca.reader, ca.services()))));
  const auto refused = only_refused(ca);
  EXPECT_EQ(refused.stage, Milestone::transaction);
  EXPECT_EQ(refused.body, "certConf");
}

TEST(RefusedRequest, WhatIsKeptWithATransactionIsNotKeptTwice) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential(), "CN=server")));
  EXPECT_TRUE(refused_in(ca).empty());
}

TEST(RefusedRequest, ItIsExplainedByHowFarItCame) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential()), {}, "a wrong secret"));
  const auto verdicts = explain(only_refused(ca));
  const auto& failed = failed_check(verdicts);
  EXPECT_EQ(failed.check, "protection and sender");
  EXPECT_THAT(failed.detail, HasSubstr("badMessageCheck"));
  EXPECT_EQ(verdicts.front().verdict, Judged::passed);
  EXPECT_EQ(verdicts.back().verdict, Judged::skipped);
}

TEST(RefusedRequest, TextsOfStrangersAreCutAndPrintable) {
  CaUnderTest ca;
  const std::string reference = std::string(250, 'x') + "\x1b[2J";
  ca.ask(with_mac(ca, ir(Credential(), "CN=" + std::string(60, 'y')), {}, "wrong", reference));
  const auto refused = only_refused(ca);
  EXPECT_LE(refused.requester.size(), 220U);
  EXPECT_EQ(refused.requester.find('\x1b'), std::string::npos);
}

TEST(RefusedRequest, StrangersPushOutOnlyStrangersOfTheirChannel) {
  CaUnderTest ca;
  RefusedRequest known{.channel = "drop", .job = {1}, .known = true};
  RefusedRequest elsewhere{.channel = "mail", .job = {2}};
  RefusedRequest stranger{.channel = "drop"};
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    RefusalTable table(writer.connection());
    TRY(table.add(known));
    TRY(table.add(elsewhere));
    for (std::int64_t i = 0; i < RefusalTable::kMostKept + 5; ++i) {
      stranger.job = ca.random.bytes(16);
      TRY(table.add(stranger));
    }
    return {};
  }));
  const auto all = refused_in(ca);
  EXPECT_EQ(all.size(), RefusalTable::kMostKept + 2U);
  EXPECT_TRUE(all.at(0).known);
  EXPECT_EQ(all.at(1).channel, "mail");
}

TEST(RefusedRequest, ThatIsWorkedOnAgainIsThereOnce) {
  CaUnderTest ca;
  const RefusedRequest one{.channel = "drop", .job = {1}, .reason = "first"};
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    RefusalTable table(writer.connection());
    TRY(table.add(one));
    return table.add(one);
  }));
  EXPECT_EQ(refused_in(ca).size(), 1U);
}

TEST(RefusedRequest, IsForgottenByAge) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential()), {}, "a wrong secret"));
  std::int64_t forgotten = -1;
  const auto forget = [&](Time before) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(forgotten, RefusalTable(writer.connection()).forget(before));
      return {};
    }));
  };
  forget(ca.clock.now());
  EXPECT_EQ(forgotten, 0);
  forget(ca.clock.now() + std::chrono::hours(1));
  EXPECT_EQ(forgotten, 1);
  EXPECT_TRUE(refused_in(ca).empty());
}

}  // namespace
}  // namespace cmpost
