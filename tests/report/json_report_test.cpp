#include "report/json_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/report/sample_run.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

std::string json_text(const RunFacts& facts, const RunItems& items) {
  std::string text;
  const auto put = [&](std::string_view more) -> Result<void> {
    text += more;
    return {};
  };
  EXPECT_THAT(print_json_report(facts, headline(facts, facts.counts), items, put), IsOk());
  return text;
}

TEST(JsonReport, OfNoItemsIsValid) {
  const auto value = nlohmann::json::parse(json_text(quiet_run(), items_of({})));
  EXPECT_EQ(value["format"], 1);
  EXPECT_EQ(value["items"], nlohmann::json::array());
  EXPECT_EQ(value["headline"]["light"], "green");
  EXPECT_EQ(value["headline"]["toDo"], nlohmann::json::array());
  EXPECT_EQ(value["facts"]["continues"], nullptr);
  EXPECT_EQ(value["facts"]["started"], "2026-11-21T02:00:01Z");
  EXPECT_EQ(value["facts"]["crl"]["number"], "77");
  EXPECT_EQ(value["facts"]["audit"]["last"], 66010);
}

TEST(JsonReport, HasEveryFactAndNumbersAsTheyAre) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 12000}, {ItemResult::held, 1}});
  facts.channels = {{"line-3", "directory", facts.counts, "gone"}};
  facts.hours = {{facts.started, facts.counts}};
  facts.reasons = {{"badPOP", 3}};
  facts.before = {{213, facts.started, RunEnd::stopped, facts.counts}};
  facts.expiring = {1, 2};
  const auto value = nlohmann::json::parse(json_text(facts, items_of({})))["facts"];
  EXPECT_EQ(value.size(), 40U);
  EXPECT_EQ(value["counts"]["granted"], 12000);
  EXPECT_EQ(value["channels"][0]["trouble"], "gone");
  EXPECT_EQ(value["hours"][0]["counts"]["held"], 1);
  EXPECT_EQ(value["reasons"][0], (nlohmann::json{{"reason", "badPOP"}, {"count", 3}}));
  EXPECT_EQ(value["before"][0]["end"], "stopped");
  EXPECT_EQ(value["expiring"], (nlohmann::json{1, 2}));
  EXPECT_EQ(value["profiles"][0]["name"], "device");
  EXPECT_EQ(value["ends"][0]["at"], "2031-06-01T00:00:00Z");
}

TEST(JsonReport, HasAllItemsWhateverTheyContain) {
  auto item = sample_item(ItemResult::changed, "CN=\"</script>\x01\xff");
  item.serials = {"01", "02"};
  const auto text = json_text(quiet_run(), items_of({item, item}));
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 32 && c < 127); }));
  const auto items = nlohmann::json::parse(text)["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["subject"], "CN=\"</script>\x01\xef\xbf\xbd");
  EXPECT_EQ(items[0]["result"], "changed");
  EXPECT_EQ(items[0]["serials"], (nlohmann::json{"01", "02"}));
}

}  // namespace
}  // namespace cmpost
