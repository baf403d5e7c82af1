#include "processor/approval.h"

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Approval : public ::testing::Test {
 protected:
  Decided agree(Office& ca, const Bytes& tid, const std::string& who, const std::string& account) {
    Vote vote;
    vote.approves = true;
    vote.who = who;
    vote.account = account;
    vote.uid = 1001;
    vote.sudo_user = "anna";
    return must(decide(*ca.spool, *ca.ledger, &ca.channels.at("drop").settings, ca.clock,
                       ca.transaction(tid), {}, vote))
        .decided;
  }
  static Bytes asked(Office& ca) {
    const auto request = with_mac(ca, ir(Credential()));
    ca.post(request);
    return *decode(request)->header.transactionID;
  }
};

TEST_F(Approval, NamesThatDifferInCaseOnlyAreOnePerson) {
  Office ca("approve = \"two\"\n");
  const auto tid = asked(ca);
  EXPECT_EQ(agree(ca, tid, "root", "root"), Decided::one_more);
  EXPECT_EQ(agree(ca, tid, "ROOT", "root"), Decided::said_before);
  EXPECT_EQ(agree(ca, tid, " Root ", "root"), Decided::said_before);
  EXPECT_EQ(agree(ca, tid, "bob", "root"), Decided::done);
}

TEST_F(Approval, WhereAccountsCountOneAccountIsOnePersonWhateverItIsCalled) {
  Office ca("approve = \"two\"\napprove_accounts = true\n");
  const auto tid = asked(ca);
  EXPECT_EQ(agree(ca, tid, "alice", "root"), Decided::one_more);
  EXPECT_EQ(agree(ca, tid, "bob", "root"), Decided::said_before);
  EXPECT_EQ(agree(ca, tid, "alice", "bob"), Decided::done);
}

TEST_F(Approval, TheAuditRecordHasWhoeverIsSaidAndWhoeverIsKnown) {
  Office ca("approve = \"one\"\n");
  EXPECT_EQ(agree(ca, asked(ca), "Alice", "ops"), Decided::done);
  std::string detail;
  for (const auto& record : must(ca.reader->audit(0, 100))) {
    if (record.event == "request.approved") detail = record.detail;
  }
  EXPECT_THAT(detail, AllOf(HasSubstr("\"who\":\"Alice\""), HasSubstr("\"account\":\"ops\""),
                            HasSubstr("\"uid\":\"1001\""), HasSubstr("\"sudo_user\":\"anna\"")));
}

}  // namespace
}  // namespace cmpost
