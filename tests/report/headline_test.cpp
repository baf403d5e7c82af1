#include "report/headline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/sample_run.h"

namespace cmpost {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Headline headline_of(const RunFacts& facts) { return headline(facts, facts.counts); }

std::vector<Task> tasks_of(const Headline& first) {
  std::vector<Task> tasks;
  for (const auto& entry : first.what_to_do) tasks.push_back(entry.task);
  return tasks;
}

TEST(Headline, SaysWhatHasBecomeOfAllRequests) {
  auto facts = quiet_run();
  facts.counts =
      counts_of({{ItemResult::granted, 11986}, {ItemResult::refused, 9}, {ItemResult::waiting, 5}});
  EXPECT_EQ(headline_of(facts).sentence,
            "Run nightly 214 on 21 Nov 2026: 11 986 of 12 000 requests got what they asked for; 9 "
            "were refused, 5 wait for a decision; nothing was lost.");
}

TEST(Headline, HasWordsForEveryResult) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 1},
                            {ItemResult::changed, 2},
                            {ItemResult::partly, 1},
                            {ItemResult::waiting, 3},
                            {ItemResult::refused, 1},
                            {ItemResult::held, 1}});
  facts.waiting_above = 2;
  facts.unlisted = 1000;
  facts.still_waiting = 1;
  EXPECT_EQ(headline_of(facts).sentence,
            "Run nightly 214 on 21 Nov 2026: 1 of 1 009 requests got what it asked for; 2 got it "
            "with changes, 1 got only a part of it, 1 001 were refused, 1 waits for a decision, 2 "
            "wait for the CA above, 1 could not be worked on and is kept, 1 was not worked on yet; "
            "nothing was lost.");
}

TEST(Headline, ReadsWellForNoneOneAndAll) {
  auto facts = quiet_run();
  EXPECT_EQ(headline_of(facts).sentence, "Run nightly 214 on 21 Nov 2026: there were no requests.");
  facts.counts[ItemResult::granted] = 1;
  EXPECT_THAT(headline_of(facts).sentence,
              HasSubstr(": the one request got what it asked for; nothing was lost."));
  facts.counts[ItemResult::granted] = 2;
  EXPECT_THAT(headline_of(facts).sentence,
              HasSubstr(": all 2 requests got what they asked for; nothing was lost."));
  facts.counts = counts_of({{ItemResult::refused, 1}});
  EXPECT_THAT(headline_of(facts).sentence, HasSubstr(": the one request was refused; nothing"));
  facts.counts = counts_of({{ItemResult::refused, 7}});
  EXPECT_THAT(headline_of(facts).sentence,
              HasSubstr(": none of 7 requests got what they asked for; 7 were refused;"));
}

TEST(Headline, SaysFirstThatARunDidNotComeToItsEnd) {
  auto facts = quiet_run();
  facts.still_waiting = 12000;
  for (const auto& [end, words] :
       {std::pair(RunEnd::stopped, "was stopped before its end: "),
        std::pair(RunEnd::interrupted, "was interrupted before its end: "),
        std::pair(RunEnd::failed, "failed before its end: ")}) {
    facts.end = end;
    EXPECT_EQ(headline_of(facts).sentence,
              "Run nightly 214 on 21 Nov 2026 " + std::string(words) +
                  "no request was worked on; 12 000 were not worked on yet; nothing was lost.");
  }
}

TEST(Headline, ClaimsThatNothingWasLostOnlyWhenTheSumsSaySo) {
  auto facts = quiet_run();
  facts.counts[ItemResult::granted] = 3;
  const auto first = headline(facts, counts_of({{ItemResult::granted, 2}}));
  EXPECT_THAT(first.sentence, HasSubstr("; the numbers do not add up."));
  EXPECT_THAT(first.sentence, Not(HasSubstr("nothing was lost")));
  EXPECT_EQ(first.light, Light::red);
  EXPECT_EQ(first.because, "The numbers do not add up: 3 requests were counted, 2 are listed.");
  EXPECT_THAT(tasks_of(first), ElementsAre(Task::add_up));
}

TEST(Headline, IsGreenWhenNobodyHasToDoAnything) {
  auto facts = quiet_run();
  facts.counts = counts_of({{ItemResult::granted, 7}, {ItemResult::changed, 1}});
  facts.sent = 8;
  const auto first = headline_of(facts);
  EXPECT_EQ(first.light, Light::green);
  EXPECT_EQ(first.because, "The run came to its end, and nobody has to do anything.");
  EXPECT_THAT(first.what_to_do, IsEmpty());
}

struct Condition {
  const char* name;
  void (*make)(RunFacts& facts);
  Task task;
  Light light;
  const char* what;
};

class HeadlineOf : public ::testing::TestWithParam<Condition> {};

TEST_P(HeadlineOf, LeadsToWhatHasToBeDone) {
  auto facts = quiet_run();
  GetParam().make(facts);
  const auto first = headline_of(facts);
  EXPECT_THAT(tasks_of(first), ElementsAre(GetParam().task));
  EXPECT_EQ(first.light, GetParam().light);
  EXPECT_EQ(first.what_to_do.at(0).what, GetParam().what);
  EXPECT_THAT(first.what_to_do.at(0).how, ::testing::EndsWith("."));
  EXPECT_THAT(first.what_to_do.at(0).commands, Contains(StartsWith("cmpost ")));
}

INSTANTIATE_TEST_SUITE_P(
    Conditions, HeadlineOf,
    ::testing::Values(
        Condition{"Stopped",
                  [](RunFacts& f) {
                    f.end = RunEnd::stopped;
                    f.why = "rejected > 2%";
                  },
                  Task::go_on, Light::red, "the run was stopped by a rule: rejected > 2%"},
        Condition{"Interrupted", [](RunFacts& f) { f.end = RunEnd::interrupted; }, Task::go_on,
                  Light::red, "the run was interrupted before its end"},
        Condition{"Failed", [](RunFacts& f) { f.end = RunEnd::failed; }, Task::go_on, Light::red,
                  "the run failed before its end"},
        Condition{"CrlEnded",
                  [](RunFacts& f) { f.crl->next_update = at_time("2026-11-21T04:00:00Z"); },
                  Task::renew_crl, Light::red,
                  "the revocation list (CRL) ended on Sat 21 Nov 2026, 04:00 UTC"},
        Condition{"CrlEndsBeforeTheNextRun",
                  [](RunFacts& f) { f.crl->next_update = at_time("2026-11-22T02:00:00Z"); },
                  Task::renew_crl, Light::yellow,
                  "the revocation list (CRL) ends on Sun 22 Nov 2026, 02:00 UTC, before the next "
                  "run"},
        Condition{"CrlEndsWithinADay",
                  [](RunFacts& f) {
                    f.next_run.reset();
                    f.crl->next_update = at_time("2026-11-22T04:00:00Z");
                  },
                  Task::renew_crl, Light::yellow,
                  "the revocation list (CRL) ends on Sun 22 Nov 2026, 04:00 UTC"},
        Condition{"OurCertificateEnded",
                  [](RunFacts& f) { f.ends[0].second = at_time("2026-11-20T00:00:00Z"); },
                  Task::renew_own, Light::red,
                  "the CA certificate ended on 20 Nov 2026, 28 hours ago"},
        Condition{"OurCertificateEndsSoon",
                  [](RunFacts& f) { f.ends[0].second = at_time("2026-12-12T12:00:00Z"); },
                  Task::renew_own, Light::yellow,
                  "the CA certificate ends on 12 Dec 2026, in 21 days"},
        Condition{"ChannelTrouble",
                  [](RunFacts& f) {
                    f.channels = {{"post", "mail", {}, "no such host"}, {"fine", "mail", {}, ""}};
                  },
                  Task::mend_channel, Light::yellow, "the channel post had trouble: no such host"},
        Condition{"Held", [](RunFacts& f) { f.counts[ItemResult::held] = 2; }, Task::free_held,
                  Light::yellow, "2 requests could not be worked on and wait for an operator"},
        Condition{"Waiting", [](RunFacts& f) { f.counts[ItemResult::waiting] = 1; }, Task::decide,
                  Light::yellow, "1 request waits for a decision"},
        Condition{"NotSendable", [](RunFacts& f) { f.not_sendable = 1; }, Task::send_undeliverable,
                  Light::yellow, "1 answer cannot be sent"},
        Condition{"OfBefore",
                  [](RunFacts& f) {
                    f.held_before = 2;
                    f.undecided_before = 1;
                  },
                  Task::help_before, Light::yellow,
                  "3 requests of before this run wait for people: 1 for a decision, 2 held for an "
                  "operator"},
        Condition{"Refused", [](RunFacts& f) { f.counts[ItemResult::refused] = 9; },
                  Task::look_at_refused, Light::yellow, "9 requests were refused"},
        Condition{"Partly", [](RunFacts& f) { f.counts[ItemResult::partly] = 1; },
                  Task::look_at_refused, Light::yellow, "1 request was granted only in part"},
        Condition{"RefusedAndPartly",
                  [](RunFacts& f) {
                    f.counts[ItemResult::refused] = 1;
                    f.counts[ItemResult::partly] = 2;
                  },
                  Task::look_at_refused, Light::yellow,
                  "1 request was refused, and 2 granted only in part"},
        Condition{"NotWorkedOn", [](RunFacts& f) { f.still_waiting = 120; }, Task::work_on_rest,
                  Light::yellow, "120 requests were not worked on yet"},
        Condition{"AnswersToSend", [](RunFacts& f) { f.still_to_send = 1; }, Task::send_answers,
                  Light::yellow, "1 answer has still to be sent"},
        Condition{"Courier", [](RunFacts& f) { f.for_the_courier = 40; }, Task::carry_answers,
                  Light::green, "40 answers wait for the courier"},
        Condition{"WaitingAbove",
                  [](RunFacts& f) {
                    f.counts[ItemResult::waiting] = 4;
                    f.waiting_above = 4;
                  },
                  Task::await_above, Light::green, "4 requests wait for the CA above"}),
    [](const auto& of) { return of.param.name; });

TEST(Headline, RefusalsThatAreNotListedAreToldOfTwice) {
  auto facts = quiet_run();
  facts.unlisted = 30;
  const auto first = headline_of(facts);
  EXPECT_THAT(tasks_of(first), ElementsAre(Task::look_at_refused, Task::look_at_unlisted));
  EXPECT_EQ(first.what_to_do[0].what, "30 requests were refused");
  EXPECT_EQ(first.what_to_do[1].what, "of the refused, 30 requests are counted but not listed");
}

TEST(Headline, TellsTheHeaviestFirstAndCountsTheOthers) {
  auto facts = quiet_run();
  facts.for_the_courier = 1;
  facts.counts[ItemResult::held] = 1;
  facts.counts[ItemResult::waiting] = 1;
  facts.crl->next_update = facts.ended;
  const auto first = headline_of(facts);
  EXPECT_THAT(tasks_of(first),
              ElementsAre(Task::renew_crl, Task::free_held, Task::decide, Task::carry_answers));
  EXPECT_EQ(first.light, Light::red);
  facts.crl.reset();
  const auto without = headline_of(facts);
  EXPECT_EQ(without.light, Light::yellow);
  EXPECT_EQ(
      without.because,
      "1 request could not be worked on and waits for an operator; and 1 other point as urgent.");
}

TEST(Headline, UsualWorkLeavesItGreen) {
  auto facts = quiet_run();
  facts.for_the_courier = 1;
  EXPECT_EQ(headline_of(facts).because,
            "The run came to its end; what is left to do is usual work.");
}

TEST(Headline, WordsOfOthersArePrintable) {
  auto facts = quiet_run();
  facts.name = "night\x1b[2Jly";
  facts.channels = {{"a", "mail", {}, "bad \xe2\x80\xae name\n"}};
  const auto first = headline_of(facts);
  EXPECT_THAT(first.sentence, HasSubstr("Run night\\x1b[2Jly 214"));
  EXPECT_EQ(first.what_to_do[0].what, "the channel a had trouble: bad \\xe2\\x80\\xae name\\x0a");
}

TEST(Headline, AStoppedRunTellsItsOwnHint) {
  auto facts = quiet_run();
  facts.end = RunEnd::stopped;
  facts.hint = "look at the refusals, then cmpost run --resume 214";
  EXPECT_EQ(headline_of(facts).what_to_do[0].how,
            "look at the refusals, then cmpost run --resume 214. All that had come was worked on.");
  EXPECT_THAT(headline_of(facts).sentence, HasSubstr("was stopped by a rule: "));
  facts.still_waiting = 3;
  EXPECT_THAT(headline_of(facts).sentence, HasSubstr("was stopped before its end: "));
  EXPECT_EQ(headline_of(facts).what_to_do[0].how,
            "look at the refusals, then cmpost run --resume 214. All requests that were not worked "
            "on are still in the queue.");
}

}  // namespace
}  // namespace cmpost
