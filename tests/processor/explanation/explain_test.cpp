#include "processor/explanation/explain.h"

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using Judged = CheckVerdict::Verdict;

Transaction newest_transaction(TransactionTable& table, Connection& connection) {
  const auto id = must(only(connection, "SELECT max(id) FROM tx", column<std::int64_t>));
  return must(table.find(id)).value();
}

// The checks of the only message of the newest transaction.
CheckVerdicts explained(CaUnderTest& ca) {
  TransactionTable table(ca.reader->connection());
  const auto newest = newest_transaction(table, ca.reader->connection());
  const auto messages = must(table.messages(newest.id));
  const auto services = ca.services();
  return must(explain(newest, messages.at(0), *ca.reader, &services));
}

const CheckVerdict* find_check(const CheckVerdicts& verdicts, std::string_view name) {
  const auto found = std::ranges::find_if(
      verdicts, [&](const auto& one) { return one.check.find(name) != std::string::npos; });
  return found == verdicts.end() ? nullptr : &*found;
}

TEST(Explain, OfWhatWaitedItTellsWhatItCameTo) {
  for (const bool agreed : {true, false}) {
    for (const auto* waiting : {"", "waiting = \"always\"\n"}) {
      Office ca(std::string("approve = \"one\"\n") + waiting);
      const auto request = with_mac(ca, ir(Credential()));
      ca.post(request);
      const auto tid = *decode(request)->header.transactionID;
      EXPECT_EQ(find_check(explained(ca), "decision")->verdict, Judged::skipped);
      ca.say(tid, agreed);
      ca.work();
      const auto verdicts = explained(ca);
      EXPECT_EQ(find_check(verdicts, "lint") != nullptr, agreed) << waiting;
      const auto* refused = find_check(verdicts, "decision");
      EXPECT_EQ(refused != nullptr && refused->verdict == Judged::failed, !agreed) << waiting;
      const auto messages =
          must(TransactionTable(ca.reader->connection()).messages(ca.transaction(tid).id));
      EXPECT_EQ(messages.at(0).outcome.find("waits for approval"), std::string::npos)
          << messages.at(0).outcome;
    }
  }
}

TEST(Explain, GrantedRequestPassedEveryCheck) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential())));
  ca.clock.advance(std::chrono::hours(24 * 1000));
  const auto verdicts = explained(ca);
  for (const auto& one : verdicts) {
    EXPECT_EQ(one.verdict, Judged::passed) << one.check << ": " << one.detail;
  }
  EXPECT_EQ(find_check(verdicts, "protection and sender")->detail, "mac:dev1");
  for (const auto* name : {"pvno", "transactionID", "senderNonce", "messageTime", "template",
                           "proof of possession", "subject is", "rules of the profile", "lint"}) {
    EXPECT_NE(find_check(verdicts, name), nullptr) << name;
  }
}

TEST(Explain, RefusedRequestNamesTheCheckThatFailed) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential(), "CN=server")));
  const auto verdicts = explained(ca);
  const auto* subject = find_check(verdicts, "subject is the requester's");
  ASSERT_NE(subject, nullptr);
  EXPECT_EQ(subject->verdict, Judged::failed);
  EXPECT_THAT(subject->detail, HasSubstr("notAuthorized"));
  EXPECT_EQ(find_check(verdicts, "proof of possession")->verdict, Judged::passed);
}

TEST(Explain, WrongProofOfPossessionIsToldApartFromAWrongTemplate) {
  CaUnderTest ca;
  const RequestOptions wrong{.edit_signed = [](CertReqMsg& message) {
    std::get<POPOSigningKey>(*message.popo).signature.back() ^= 1;
  }};
  ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", wrong)));
  auto verdicts = explained(ca);
  EXPECT_EQ(find_check(verdicts, "template")->verdict, Judged::passed);
  EXPECT_EQ(find_check(verdicts, "proof of possession")->verdict, Judged::failed);
  EXPECT_EQ(find_check(verdicts, "certificate")->verdict, Judged::skipped);
  const RequestOptions serial{.edit = [](CertTemplate& wanted) { wanted.serialNumber = Bytes{1}; }};
  ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", serial)));
  verdicts = explained(ca);
  EXPECT_EQ(find_check(verdicts, "template")->verdict, Judged::failed);
  EXPECT_EQ(find_check(verdicts, "proof of possession")->verdict, Judged::passed);
}

// The template and the proof are as they should be.
TEST(Explain, AWrongTokenIsACheckOfItsOwn) {
  CaUnderTest ca;
  der::Writer token;
  token.utf8_string("mother's maiden name");
  const RequestOptions with_token{
      .controls = Controls{{oid::id_regCtrl_regToken, std::move(token).take()}}};
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), "CN=dev1", with_token))),
              Refuses("ip", PKIFailureInfo::notAuthorized));
  const auto verdicts = explained(ca);
  EXPECT_EQ(find_check(verdicts, "template")->verdict, Judged::passed);
  EXPECT_EQ(find_check(verdicts, "proof of possession")->verdict, Judged::passed);
  const auto* tokens = find_check(verdicts, "keys and tokens");
  ASSERT_NE(tokens, nullptr);
  EXPECT_EQ(tokens->verdict, Judged::failed);
  EXPECT_THAT(tokens->detail, HasSubstr("regToken is wrong"));
}

// The ledger as it is now says that the secret is used up: by this very request.
TEST(Explain, GrantedRequestIsExplainedAsItWasThen) {
  CaUnderTest ca;
  Secret secret;
  secret.reference = "once";
  secret.value = to_bytes(std::string_view(CaUnderTest::kSecret));
  secret.subject = "CN=dev*";
  secret.max_uses = 1;
  ca.add(secret);
  ca.ask(with_mac(ca, ir(Credential()), {}, CaUnderTest::kSecret, "once"));
  for (const bool removed : {false, true}) {
    if (removed) {
      must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
        TRY(SecretStore(writer.connection(), ca.sealing_key).remove("once", SecretPurpose::mac));
        return {};
      }));
    }
    for (const auto& one : explained(ca)) {
      EXPECT_EQ(one.verdict, Judged::passed) << one.check << ": " << one.detail;
    }
  }
}

// Who has no keys reads the outcome, without the name of the check.
TEST(Explain, NeedsNoKeys) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential(), "CN=server")));
  TransactionTable table(ca.reader->connection());
  const auto newest = newest_transaction(table, ca.reader->connection());
  const auto messages = must(table.messages(newest.id));
  const auto verdicts = must(explain(newest, messages.at(0), *ca.reader, nullptr));
  const auto* decision = find_check(verdicts, "decision");
  ASSERT_NE(decision, nullptr);
  EXPECT_EQ(decision->verdict, Judged::failed);
  EXPECT_THAT(decision->detail, HasSubstr("notAuthorized"));
}

TEST(Explain, RefusedRevocationHasNotPassed) {
  CaUnderTest ca;
  const auto device = enrolled(ca), other = enrolled(ca, "CN=dev2");
  EXPECT_THAT(ca.ask(signed_by(ca, device, revocation(*other.certificate))),
              Refuses("rp", PKIFailureInfo::notAuthorized));
  const auto verdicts = explained(ca);
  const auto* outcome = find_check(verdicts, "outcome");
  ASSERT_NE(outcome, nullptr);
  EXPECT_EQ(outcome->verdict, Judged::failed);
  EXPECT_THAT(outcome->detail, HasSubstr("notAuthorized"));
  ca.ask(signed_by(ca, device, revocation(*device.certificate)));
  EXPECT_EQ(find_check(explained(ca), "outcome")->verdict, Judged::passed);
}

TEST(Explain, RefusedRecoveryHasNotPassed) {
  Office ca("recovery = true\nwaiting = \"always\"\n");
  const auto device = enrolled(ca);
  const auto krr = [&] {
    CertReqMsg message;
    message.certReq.der = encode(message.certReq);
    return signed_by(ca, device, body::krr{{message}});
  };
  const auto request = krr();
  EXPECT_EQ(status_in(ca.talk(request)).status, PKIStatus::waiting);
  EXPECT_EQ(find_check(explained(ca), "request 0: decision")->verdict, Judged::skipped);
  ca.say(*decode(request)->header.transactionID, false, "alice", {}, "not in the list");
  ca.work();
  const auto verdicts = explained(ca);
  const auto* decision = find_check(verdicts, "request 0: decision");
  ASSERT_NE(decision, nullptr);
  EXPECT_EQ(decision->verdict, Judged::failed);
  EXPECT_THAT(decision->detail, HasSubstr("not in the list"));
}

TEST(Explain, WhatWaitsHasNotPassed) {
  Office ca("approve = \"one\"\napprove_for = [\"rr\"]\n");
  const auto device = enrolled(ca);
  ca.post(signed_by(ca, device, revocation(*device.certificate)));
  EXPECT_EQ(find_check(explained(ca), "outcome")->verdict, Judged::skipped);
}

TEST(Explain, NothingIsWrittenByIt) {
  CaUnderTest ca;
  ca.ask(with_mac(ca, ir(Credential())));
  const auto before = must(ca.reader->audit_head());
  explained(ca);
  EXPECT_EQ(must(ca.reader->audit_head()).id, before.id);
  EXPECT_EQ(ca.certificates(), 1);
}

}  // namespace
}  // namespace cmpost
