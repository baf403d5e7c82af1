#include "processor/batches/batch_plan.h"

#include <map>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using enum BatchFinding;

// A request for CN=`name` with a key and a transactionID that are named.
ArrivedRequest request(const std::string& file, const std::string& name, const std::string& key,
                       const std::string& tid) {
  RequestFacts facts;
  facts.digest = sha256(view_of(name + key + tid));
  facts.transactionID = to_bytes(tid);
  facts.body = "ir";
  facts.subject = Name::from_text("CN=" + name).value();
  facts.keys = {sha256(view_of(key))};
  return {file, facts, facts.digest, {}};
}
ArrivedRequest request(const std::string& name) {
  return request(name + ".pki", name, "key of " + name, "id of " + name);
}
ManifestRow row(const std::string& file, const std::string& name, const std::string& subject = {}) {
  ManifestRow row;
  row.file = file;
  row.name = name;
  row.subject = subject;
  return row;
}

class BatchPlanTest : public ::testing::Test {
 protected:
  BatchPlan plan(const std::vector<ArrivedRequest>& arrived,
                 std::optional<std::vector<ManifestRow>> list = {},
                 const std::set<BatchFinding>& take = {}) {
    for (std::size_t i = 0; list && i < list->size(); ++i) (*list)[i].line = i + 2;
    const FindKnown known = [&](const RequestFacts& facts) -> Result<std::optional<std::string>> {
      if (known_.contains(facts.subject.text())) return std::optional<std::string>("it came once");
      return std::nullopt;
    };
    auto made = plan_batch("drop", arrived, list, take, known);
    EXPECT_THAT(made, IsOk());
    return std::move(made).value_or(BatchPlan{});
  }
  static std::map<std::string, BatchFinding> findings(const BatchPlan& plan) {
    std::map<std::string, BatchFinding> all;
    for (const auto& item : plan.items) {
      all[item.file.empty() ? item.row->name + item.row->file : item.file] = item.finding;
    }
    return all;
  }
  std::set<std::string> known_;
};

TEST_F(BatchPlanTest, WithoutAListWhatIsThereIsMeant) {
  const auto made = plan({request("a"), request("b")});
  EXPECT_THAT(findings(made), UnorderedElementsAre(Pair("a.pki", good), Pair("b.pki", good)));
  EXPECT_TRUE(made.items.front().taken);
}

TEST_F(BatchPlanTest, RowsAreFoundByFileByNameAndBySubject) {
  const auto odd = request("0001.bin", "c", "k", "t");
  const auto made =
      plan({request("a"), request("b"), odd}, {{row("a.pki", ""), row("", "b"), row("", "c")}});
  EXPECT_THAT(findings(made), UnorderedElementsAre(Pair("a.pki", good), Pair("b.pki", good),
                                                   Pair("0001.bin", good)));
}

TEST_F(BatchPlanTest, WhatListAndSetDoNotShareIsMissingOrExtra) {
  const auto made =
      plan({request("a"), request("b")}, {{row("", "a"), row("", "c"), row("", "a")}});
  EXPECT_EQ(findings(made)["b.pki"], extra);
  EXPECT_EQ(findings(made)["c"], missing);
  EXPECT_EQ(made.items.back().finding, duplicate);
  EXPECT_THAT(made.items.back().detail, HasSubstr("line 2"));
  EXPECT_EQ(made.items.size(), 4U) << "the second row for a is one, too";
}

TEST_F(BatchPlanTest, OfSeveralWithOneKeyNoneIsTaken) {
  const auto made = plan({request("a.pki", "a", "k", "1"), request("b.pki", "b", "k", "2"),
                          request("c.pki", "c", "other", "3")});
  EXPECT_THAT(findings(made), UnorderedElementsAre(Pair("a.pki", same_key), Pair("b.pki", same_key),
                                                   Pair("c.pki", good)));
  EXPECT_THAT(made.items[0].detail, HasSubstr("b.pki"));
  EXPECT_FALSE(made.items[0].taken);
  const auto all =
      plan({request("a.pki", "a", "k", "1"), request("b.pki", "b", "k", "2")}, {}, {same_key});
  EXPECT_TRUE(all.items[0].taken);
  EXPECT_EQ(all.items[0].finding, same_key) << "it is said all the same";
}

TEST_F(BatchPlanTest, TheSecondOfTwinsIsADuplicateAndNoSecondWithTheKey) {
  const auto made = plan({request("a.pki", "a", "k", "1"), request("again.pki", "a", "k", "1"),
                          request("other.pki", "x", "k2", "1")});
  EXPECT_THAT(findings(made),
              UnorderedElementsAre(Pair("a.pki", good), Pair("again.pki", duplicate),
                                   Pair("other.pki", duplicate)));
  EXPECT_THAT(made.items[2].detail, HasSubstr("transactionID of a.pki"));
}

TEST_F(BatchPlanTest, WhatWasHadBeforeOrAsksForAnotherSubjectIsLeftOut) {
  known_ = {"CN=a"};
  const auto made = plan({request("a"), request("b"), request("c")},
                         {{row("", "a"), row("", "b", "CN=x"), row("", "c", "CN=c*")}});
  EXPECT_THAT(findings(made), UnorderedElementsAre(Pair("a.pki", known), Pair("b.pki", differs),
                                                   Pair("c.pki", good)));
}

TEST_F(BatchPlanTest, OneBadItemKeepsNothingElseBack) {
  ArrivedRequest bad{"bad.txt", {}, sha256(view_of("x")), "neither DER nor PEM"};
  auto faulty = row("", "");
  faulty.fault = "no name";
  const auto made = plan({bad, request("a")}, {{faulty, row("", "a")}});
  EXPECT_EQ(findings(made)["a.pki"], good);
  EXPECT_EQ(findings(made)["bad.txt"], unreadable);
  EXPECT_EQ(made.items.back().finding, unreadable);
}

TEST_F(BatchPlanTest, TheDigestIsThatOfSetListAndChoice) {
  const std::vector<ArrivedRequest> set = {request("a"), request("b")};
  const auto digest = plan(set).digest;
  known_ = {"CN=a"};
  EXPECT_EQ(plan(set).digest, digest) << "whatever the ledger knows meanwhile";
  EXPECT_NE(plan({request("a")}).digest, digest);
  EXPECT_NE(plan(set, {{row("", "a")}}).digest, digest);
  EXPECT_NE(plan(set, {}, {extra}).digest, digest);
}

}  // namespace
}  // namespace cmpost
