#include "report/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/failure_words.h"
#include "report/html_charts.h"
#include "tests/report/sample_run.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string page_of(const RunFacts& facts, const std::vector<RunItem>& items) {
  std::string page;
  const auto put = [&](std::string_view more) -> Result<void> {
    page += more;
    return {};
  };
  EXPECT_THAT(print_html(facts, headline(facts, facts.counts), items_of(items), put), IsOk());
  return page;
}

std::size_t times(const std::string& page, std::string_view text) {
  std::size_t number = 0;
  for (auto at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++number;
  return number;
}

TEST(HtmlReport, StandsAlone) {
  const auto page = page_of(quiet_run(), {});
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
  EXPECT_THAT(page, ::testing::EndsWith("</body></html>\n"));
  for (const auto* word :
       {"<script", "<link", "<img", " src=", " href=", "http:", "https:", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
}

TEST(HtmlReport, BeginsWithTheSentenceTheLightAndWhatToDo) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 11986}, {ItemResult::waiting, 5}});
  const auto page = page_of(facts, {});
  const auto body = page.substr(page.find("<body>"));
  const auto light = body.find("aria-label=\"Traffic light: yellow\"");
  const auto sentence =
      body.find("<h1>Run nightly 214 on 21 Nov 2026: 11&nbsp;986 of 11&nbsp;991 ");
  const auto verdict = body.find("<b>Yellow: please look.</b> 5 requests wait for a decision.");
  const auto todo = body.find("<b>5 requests wait for a decision</b>");
  const auto command = body.find("<code><span>cmpost</span> <span>approve</span>");
  ASSERT_NE(command, std::string::npos);
  EXPECT_LT(light, sentence);
  EXPECT_LT(sentence, verdict);
  EXPECT_LT(verdict, todo);
  EXPECT_LT(todo, command);
}

TEST(HtmlReport, OfNothingSaysSo) {
  const auto page = page_of(quiet_run(), {});
  EXPECT_THAT(page, HasSubstr("<p>No request was worked on.</p>"));
  EXPECT_THAT(page, HasSubstr("<p>There are none.</p>"));
  EXPECT_THAT(page, HasSubstr("Nothing. No one waits for you."));
  EXPECT_THAT(page, Not(HasSubstr("Hour by hour")));
}

TEST(HtmlReport, ShowsWhatIsNotGrantedFirstAndNeverMoreThanItMay) {
  std::vector<RunItem> items = {sample_item(ItemResult::changed, "CN=changed"),
                                sample_item(ItemResult::granted, "CN=granted")};
  for (std::uint64_t i = 0; i < kItemsOnPage; ++i) {
    items.push_back(sample_item(ItemResult::refused, "CN=refused"));
  }
  const auto page = page_of(quiet_run(), items);
  EXPECT_EQ(times(page, "CN=refused"), kItemsOnPage);
  EXPECT_THAT(page, Not(HasSubstr("CN=changed")));
  EXPECT_THAT(page, Not(HasSubstr("CN=granted")));
  EXPECT_THAT(page, HasSubstr("<b>1 more request did not get all that was asked for.</b> The rest "
                              "stands in report.csv."));
  items.pop_back();
  EXPECT_THAT(page_of(quiet_run(), items), HasSubstr("CN=changed"));
  EXPECT_THAT(page_of(quiet_run(), items), Not(HasSubstr("The rest stands")));
}

TEST(HtmlReport, ItemsAreTextWhateverTheyContain) {
  auto item = sample_item(ItemResult::refused, "CN=<script>\xe2\x80\xaex");
  item.reason = item.source = item.transactionID = item.requester = item.body = "\"><b onload=1>";
  const auto page = page_of(quiet_run(), {item});
  EXPECT_THAT(page, HasSubstr("<bdi>CN=&lt;script&gt;\\xe2\\x80\\xaex</bdi>"));
  EXPECT_THAT(page, Not(HasSubstr("<b onload")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(HtmlReport, TellsTheAuditorWhatIsSummed) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 7}, {ItemResult::refused, 2}});
  facts.unlisted = 3;
  facts.continues = 213;
  facts.resumed = 2;
  const auto page = page_of(facts, {});
  EXPECT_THAT(page,
              HasSubstr("12 = 7 granted + 0 changed + 0 partly + 0 waiting + 5 refused + 0 held"));
  EXPECT_THAT(page, HasSubstr("9 in report.csv + 3 refused and not listed"));
  EXPECT_THAT(page, HasSubstr("<td>41002 to 66010</td>"));
  EXPECT_THAT(page, HasSubstr("(2026-11-21T04:15:31Z)"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">Goes on with run</th><td>213</td>"));
  EXPECT_THAT(page, HasSubstr("<td>2 times</td>"));
  EXPECT_THAT(page, HasSubstr("openssl cms -verify"));
  facts.audit = {};
  facts.crl.reset();
  facts.settings.clear();
  const auto unknown = page_of(facts, {});
  EXPECT_THAT(unknown, HasSubstr("<th scope=\"row\">CRL</th><td>none recorded</td>"));
  EXPECT_THAT(unknown,
              HasSubstr("<th scope=\"row\">SHA-256 of the settings</th><td>not known</td>"));
}

TEST(HtmlCharts, ReasonsAreEightAndTheRest) {
  auto facts = quiet_run();
  for (int i = 0; i < 10; ++i) facts.reasons.emplace_back("reason" + std::to_string(i), 20 - i);
  const auto section = reasons_section(facts);
  EXPECT_THAT(section, HasSubstr("reason7"));
  EXPECT_THAT(section, Not(HasSubstr("reason8")));
  EXPECT_THAT(section, HasSubstr("the rest: 2 other reasons</td><td class=\"n\">23</td>"));
  facts.reasons = {{"badPOP", 1}};
  EXPECT_THAT(
      reasons_section(facts),
      HasSubstr("did not prove that the sender has the key<br><span class=\"dim\"><bdi>badPOP"));
}

TEST(HtmlCharts, HoursAreTakenTogetherWhenTheyAreMany) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 1000}});
  for (int i = 0; i < 1000; ++i) {
    facts.hours.emplace_back(facts.started + std::chrono::hours(i),
                             counts_of({{ItemResult::granted, 1}}));
  }
  const auto section = hours_section(facts);
  EXPECT_LE(times(section, "<title>"), kHourColumns);
  EXPECT_THAT(section, HasSubstr("Each column is 14 hours"));
  facts.hours.resize(1);
  EXPECT_THAT(hours_section(facts),
              HasSubstr("The busiest began on Sat 21 Nov 2026, 02:00 UTC, with 1 request."));
}

TEST(HtmlCharts, RunsAreComparedInWords) {
  auto facts = quiet_run();
  EXPECT_THAT(runs_section(facts), IsEmpty());
  facts.counts = counts_of({{ItemResult::granted, 90}, {ItemResult::refused, 10}});
  facts.before = {{212, facts.started, RunEnd::stopped, {}},
                  {213, facts.started, RunEnd::done, counts_of({{ItemResult::granted, 4}})}};
  EXPECT_THAT(
      runs_section(facts),
      HasSubstr("Refused in this run: 10.0&nbsp;%; in the 2 runs before: 0.0&nbsp;%. Did not "
                "come to the end: run 212."));
  EXPECT_THAT(runs_section(facts), HasSubstr("The last 3 runs"));
}

TEST(HtmlCharts, MonthsAreCountedFromThatOfTheRun) {
  auto facts = quiet_run();
  facts.expiring = {0, 3, 1};
  const auto section = expiring_section(facts);
  EXPECT_THAT(section, HasSubstr("4 certificates expire within 3 months."));
  EXPECT_THAT(section, HasSubstr("<td>Dec 2026</td><td class=\"n\">3</td>"));
  facts.expiring = {0, 0};
  EXPECT_THAT(expiring_section(facts), IsEmpty());
}

TEST(HtmlCharts, AChannelSaysItsTrouble) {
  auto facts = quiet_run();
  facts.channels = {{"post", "mail", counts_of({{ItemResult::held, 2}}), "no <route>"}};
  EXPECT_THAT(channels_section(facts), HasSubstr("<b>trouble:</b> <bdi>no &lt;route&gt;</bdi>"));
}

TEST(FailureWords, KnowTheNamesOfTheStandardAndNoOther) {
  EXPECT_EQ(failure_words("badPOP"), "did not prove that the sender has the key");
  EXPECT_EQ(failure_words("duplicateCertReq"), "there is such a certificate already");
  EXPECT_EQ(failure_words("badpop"), "");
}

}  // namespace
}  // namespace cmpost
