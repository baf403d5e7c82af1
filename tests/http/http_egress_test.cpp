#include "http/http_egress.h"

#include "tests/http/http_channel_under_test.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

HttpReaction cut(const HttpRequest&) { return {"", true}; }
ScriptedHttpServer::Script always(HttpReaction reaction) {
  return [reaction](const HttpRequest&) { return reaction; };
}

TEST_F(HttpEgressTest, PostsTheMessageAndPutsItsAnswerIntoTheQueue) {
  const auto deliveries = send("ir1");
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(deliveries.each.at(0).what, What::sent) << deliveries.each.at(0).detail;
  EXPECT_THAT(answers(), ElementsAre(answer_for("ir1")));
  const auto request = server_.requests().at(0);
  EXPECT_EQ(request.line, "POST /.well-known/cmp HTTP/1.1");
  EXPECT_EQ(request.body, "ir1");
  EXPECT_TRUE(request.has_field("Content-Type: application/pkixcmp"));
  EXPECT_TRUE(request.has_field("Content-Length: 3"));
  EXPECT_THAT(request.fields, Not(HasSubstr("Expect")));
  const auto job = requests_.list({.state = {}, .channel = {}})->at(0);
  EXPECT_EQ(job.envelope.source, "answer to " + message("ir1").job.id.text());
  EXPECT_EQ(job.envelope.reply.channel, "above");
  EXPECT_THAT(job.envelope.body, IsEmpty());
}

TEST_F(HttpEgressTest, TheSameAnswerToTheSameMessageIsOneJob) {
  send("ir1");
  send("ir1", 2);
  EXPECT_THAT(answers(), SizeIs(1));
  server_.answer([](const HttpRequest&) {
    return http_answer("200 OK", "application/pkixcmp", answer_for("something else"));
  });
  send("ir1", 3);
  EXPECT_THAT(answers(), SizeIs(2)) << "other octets are another answer";
  send("ir2");
  EXPECT_THAT(answers(), SizeIs(3)) << "to another message";
}

TEST_F(HttpEgressTest, SeveralAreOnTheirWayAtATimeOnConnectionsThatAreKept) {
  http().sessions = 3;
  server_.answer([](const HttpRequest& request) {
    auto reaction = cmp_answer(request);
    reaction.before = 50ms;
    return reaction;
  });
  std::vector<Lease> leases;
  for (int i = 0; i < 12; ++i) leases.push_back(message("ir" + std::to_string(i)));
  const auto deliveries = send(leases);
  for (const auto& each : deliveries.each) EXPECT_EQ(each.what, What::sent) << each.detail;
  EXPECT_THAT(answers(), SizeIs(12));
  EXPECT_EQ(server_.most_at_once(), 3);
  EXPECT_EQ(server_.connections(), 3);
}

TEST_F(HttpEgressTest, AnAnswerMayComeInChunksOrEndWithTheConnection) {
  const auto body = answer_for("x");
  const auto half = body.size() / 2;
  const auto chunk = [](const std::string& octets) {
    return std::string(1, "0123456789abcdef"[octets.size()]) + "\r\n" + octets + "\r\n";
  };
  ASSERT_LT(body.size(), 30U);
  server_.answer(
      always({"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\n"
              "Transfer-Encoding: chunked\r\n\r\n" +
                  chunk(body.substr(0, half)) + chunk(body.substr(half)) + "0\r\n\r\n",
              false}));
  EXPECT_EQ(send("ir1").each.at(0).what, What::sent);
  server_.answer(
      always({"HTTP/1.0 200 OK\r\nContent-Type: application/pkixcmp\r\n\r\n" + body, true}));
  EXPECT_EQ(send("ir2").each.at(0).what, What::sent);
  EXPECT_THAT(answers(), ElementsAre(body, body));
}

TEST_F(HttpEgressTest, AnErrorStatusMayCarryAnAnswer) {
  server_.answer([](const HttpRequest& request) {
    return http_answer("500 Oops", "application/pkixcmp", answer_for(request.body));
  });
  EXPECT_EQ(send("ir1").each.at(0).what, What::sent);
  EXPECT_THAT(answers(), SizeIs(1));
}

TEST_F(HttpEgressTest, WhereNobodyListensTheChannelRestsAndNothingIsLost) {
  for (const auto rule : {OnUnknown::repeat, OnUnknown::hold}) {
    http().on_unknown = rule;
    http().url.port = 1;
    start();
    auto deliveries = send("ir1");
    ASSERT_TRUE(deliveries.trouble);
    EXPECT_THAT(deliveries.trouble->what, HasSubstr("http://127.0.0.1:1/.well-known/cmp"));
    EXPECT_THAT(deliveries.trouble->what, HasSubstr("cannot be reached"));
    EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
    http().url.port = server_.port();
    start();
    EXPECT_EQ(send("ir1", 2).each.at(0).what, What::sent) << "it had certainly not arrived";
  }
}

TEST_F(HttpEgressTest, ANameThatNobodyKnowsIsTroubleOfTheChannel) {
  http().url.host = "nowhere.invalid";
  const auto deliveries = send("ir1");
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("nowhere.invalid"));
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
}

TEST_F(HttpEgressTest, ACutConnectionIsTriedAgainWithTheSameOctets) {
  server_.answer(cut);
  const auto deliveries = send("ir1");
  EXPECT_FALSE(deliveries.trouble) << "one may be the message's own";
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
  server_.answer(cmp_answer);
  EXPECT_EQ(send("ir1", 2).each.at(0).what, What::sent);
  EXPECT_THAT(server_.bodies(), Each("ir1"));
  EXPECT_THAT(answers(), SizeIs(1));
}

TEST_F(HttpEgressTest, HalfAnAnswerIsNone) {
  const auto body = answer_for("x");
  const auto whole = http_answer("200 OK", "application/pkixcmp", body).octets;
  for (const std::size_t missing : {std::size_t{1}, body.size(), whole.size() - 20}) {
    server_.answer(always({whole.substr(0, whole.size() - missing), true}));
    EXPECT_EQ(send("ir" + std::to_string(missing)).each.at(0).what, What::deferred);
  }
  server_.answer(always({"HTTP/1.0 200 OK\r\nContent-Type: application/pkixcmp\r\n\r\n" +
                             body.substr(0, body.size() - 1),
                         true}));
  EXPECT_EQ(send("ir").each.at(0).what, What::deferred);
  EXPECT_THAT(answers(), IsEmpty());
}

TEST_F(HttpEgressTest, AServerThatFailsAllTheTimeIsTroubleOfTheChannel) {
  http().sessions = 1;
  server_.answer(cut);
  const auto deliveries = send({message("ir1"), message("ir2"), message("ir3"), message("ir4")});
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(server_.bodies(), SizeIs(::testing::Lt(9U)));
  EXPECT_THAT(server_.bodies(), Not(::testing::Contains("ir3"))) << "the rest is not tried";
  for (const auto& each : deliveries.each) EXPECT_EQ(each.what, What::deferred);
}

TEST_F(HttpEgressTest, ASlowServerIsGivenUp) {
  http().time_limit = 300ms;
  server_.answer(always({"", false, 10min}));
  const auto deliveries = send("ir1");
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("too long"));
}

TEST_F(HttpEgressTest, AStopEndsASlowExchangeWithinASecondAndIsNoTrouble) {
  std::stop_source stop;
  server_.answer([&](const HttpRequest&) {
    stop.request_stop();
    return HttpReaction{"", false, 10min};
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto deliveries = send({message("ir1")}, stop.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
}

TEST_F(HttpEgressTest, AnAnswerThatComesWhileItStopsIsTaken) {
  std::stop_source stop;
  server_.answer([&](const HttpRequest& request) {
    stop.request_stop();
    auto reaction = cmp_answer(request);
    reaction.before = 20ms;
    return reaction;
  });
  EXPECT_EQ(send({message("ir1")}, stop.get_token()).each.at(0).what, What::sent);
  EXPECT_THAT(answers(), SizeIs(1));
}

TEST_F(HttpEgressTest, ATooLargeAnswerIsNotReadAndHeld) {
  for (const std::string length : {"", "Content-Length: 100000000\r\n"}) {
    server_.answer(always({"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\n" + length +
                               "\r\n" + std::string(200'000, 'x'),
                           true}));
    const auto deliveries = send("ir1");
    EXPECT_FALSE(deliveries.trouble);
    EXPECT_EQ(deliveries.each.at(0).what, What::held);
    EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("more than 1000 octets"));
    EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("max_message"));
  }
  EXPECT_THAT(answers(), IsEmpty());
}

TEST_F(HttpEgressTest, EndlessHeaderFieldsAreNotRead) {
  std::string fields;
  for (int i = 0; i < 100; ++i)
    fields += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
  server_.answer(always({"HTTP/1.1 200 OK\r\n" + fields + "\r\n", true}));
  const auto deliveries = send("ir1");
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("64 KiB"));
}

TEST_F(HttpEgressTest, ARedirectIsNotFollowed) {
  ScriptedHttpServer other;
  server_.answer(always(
      http_answer("301 Moved Permanently", "", "",
                  "Location: http://127.0.0.1:" + std::to_string(other.port()) + "/cmp\r\n")));
  const auto deliveries = send("ir1");
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("/cmp"));
  EXPECT_THAT(deliveries.trouble->hint, HasSubstr("redirects"));
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(HttpEgressTest, AWrongPathIsTroubleOfTheChannelAndTheRestIsNotTried) {
  http().sessions = 1;
  server_.answer(always(http_answer("404 Not Found", "text/html", "<html>")));
  const auto deliveries = send({message("ir1"), message("ir2")});
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->hint, HasSubstr(".well-known/cmp"));
  EXPECT_THAT(deliveries.each.at(1).detail, HasSubstr("404"));
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1"));
}

TEST_F(HttpEgressTest, ARefusedMessageIsHeldAndStopsNothingBesideIt) {
  server_.answer([](const HttpRequest& request) {
    return request.body == "ir2" ? http_answer("400 Bad Request", "", "") : cmp_answer(request);
  });
  const auto deliveries = send({message("ir1"), message("ir2"), message("ir3")});
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(deliveries.each.at(0).what, What::sent);
  EXPECT_EQ(deliveries.each.at(1).what, What::held);
  EXPECT_EQ(deliveries.each.at(2).what, What::sent);
}

TEST_F(HttpEgressTest, AServerThatAsksForTimeGetsIt) {
  for (const std::string when : {"120", "Wed, 21 Oct 2150 07:28:00 GMT"}) {
    server_.answer(
        always(http_answer("503 Service Unavailable", "", "", "Retry-After: " + when + "\r\n")));
    start();
    const auto before = server_.bodies().size();
    auto deliveries = send("ir1");
    ASSERT_TRUE(deliveries.trouble);
    EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
    const auto wait = deliveries.each.at(0).after.value_or(0s);
    EXPECT_EQ(wait, when == "120" ? Duration(120s) : Duration(6h)) << "six hours are the longest";
    steady_.advance(wait - 1s);
    deliveries = send({message("ir1", 2), message("ir2")});
    EXPECT_EQ(server_.bodies().size(), before + 1) << "asked too early";
    EXPECT_TRUE(deliveries.trouble);
    for (const auto& each : deliveries.each) EXPECT_EQ(each.after, Duration(1s));
    server_.answer(cmp_answer);
    steady_.advance(1s);
    EXPECT_EQ(send("ir1", 3, 1).each.at(0).what, What::sent);
  }
}

TEST_F(HttpEgressTest, WhatCannotBeSentForLongIsHeld) {
  http().url.port = 1;
  auto lease = message("ir1");
  wall_.advance(http().lifetime + 1s);
  const auto deliveries = send({lease});
  EXPECT_EQ(deliveries.each.at(0).what, What::held);
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("not sent within 120 hours"));
}

TEST_F(HttpEgressTest, WhatIsNotEvenTriedForLongIsHeldToo) {
  const auto old = message("ir1");
  wall_.advance(http().lifetime + 1s);
  const auto young = message("ir2");
  const auto expect_old_is_held = [](const Deliveries& deliveries, const std::string& why) {
    EXPECT_TRUE(deliveries.trouble) << why;
    EXPECT_EQ(deliveries.each.at(0).what, What::held) << why;
    EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("not sent within 120 hours: "));
    EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr(why));
    EXPECT_EQ(deliveries.each.at(1).what, What::deferred) << why;
  };
  http().url.host = "nowhere.invalid";
  expect_old_is_held(send({old, young}), "nowhere.invalid");
  http().url = url_at(server_.port());
  http().sessions = 1;
  start();
  server_.answer(always(http_answer("503 Service Unavailable", "", "", "Retry-After: 120\r\n")));
  // The first is asked about, the second waits for the time that is over then.
  auto deliveries = send({young, old});
  EXPECT_EQ(deliveries.each.at(1).what, What::held);
  expect_old_is_held(send({old, young}), "503");
  EXPECT_THAT(server_.bodies(), ElementsAre("ir2"));
}

TEST_F(HttpEgressTest, AnOldMessageWhoseAnswerIsHereIsNotHeld) {
  const auto old = message("ir1");
  wall_.advance(http().lifetime + 1s);
  server_.answer([&](const HttpRequest& request) {
    requests_.fail_with({Recovery::retry, "database is locked", ""});
    return cmp_answer(request);
  });
  EXPECT_EQ(send({old}).each.at(0).what, What::deferred);
  EXPECT_EQ(send({old}).each.at(0).what, What::deferred);
  requests_.go_on();
  EXPECT_EQ(send({old}).each.at(0).what, What::sent);
}

TEST_F(HttpEgressTest, AnAnswerThatTheQueueDoesNotTakeIsKeptAndNotAskedForAgain) {
  for (const auto rule : {OnUnknown::repeat, OnUnknown::hold}) {
    http().on_unknown = rule;
    start();
    const std::string text = rule == OnUnknown::hold ? "ir1" : "ir2";
    const auto before = server_.bodies().size();
    server_.answer([&](const HttpRequest& request) {
      requests_.fail_with({Recovery::retry, "database is locked", ""});
      return cmp_answer(request);
    });
    auto deliveries = send(text);
    ASSERT_TRUE(deliveries.trouble);
    EXPECT_THAT(deliveries.trouble->what, HasSubstr("database is locked"));
    EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
    EXPECT_TRUE(send(text, 2).trouble) << "still locked";
    requests_.go_on();
    deliveries = send(text, 3);
    EXPECT_FALSE(deliveries.trouble);
    EXPECT_EQ(deliveries.each.at(0).what, What::sent);
    EXPECT_EQ(server_.bodies().size(), before + 1);
    EXPECT_THAT(answers(), ::testing::Contains(answer_for(text)));
  }
}

TEST_F(HttpEgressTest, NothingIsAskedWhoseAnswerWouldFindNoRoom) {
  settings_.limits.max_pending = 1;
  auto deliveries = send({message("ir1"), message("ir2")});
  EXPECT_EQ(deliveries.each.at(0).what, What::sent);
  EXPECT_EQ(deliveries.each.at(1).what, What::deferred);
  EXPECT_TRUE(deliveries.each.at(1).after);
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1"));
  const auto lease = requests_.take(1)->at(0);
  ASSERT_THAT(requests_.finish({&lease.job.id, 1}, "answered"), IsOk());
  steady_.advance(1h);
  EXPECT_EQ(send("ir2", 2).each.at(0).what, What::sent);
}

class NeverTwice : public HttpEgressTest {
 protected:
  using Sign = Unanswered::Sign::What;
  NeverTwice() { http().on_unknown = OnUnknown::hold; }
};

TEST_F(NeverTwice, ACutConnectionHoldsTheMessageWithAReasonAndAHint) {
  server_.answer(cut);
  const auto deliveries = send("ir1");
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(deliveries.each.at(0).what, What::held);
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("nobody knows whether it has arrived"));
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("0102"));
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1"));
}

TEST_F(NeverTwice, AConnectionThatWasKeptAndIsCutHoldsTheMessageToo) {
  EXPECT_EQ(send("ir1").each.at(0).what, What::sent);
  server_.answer(cut);
  EXPECT_EQ(send("ir2").each.at(0).what, What::held);
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1", "ir2"));
}

TEST_F(NeverTwice, WhatAnOperatorReleasesIsSentOnceMore) {
  server_.answer(cut);
  EXPECT_EQ(send("ir1").each.at(0).what, What::held);
  start();
  EXPECT_EQ(send("ir1", 2).each.at(0).what, What::held) << "the queue did not hear of it";
  server_.answer(cmp_answer);
  EXPECT_EQ(send("ir1", 1).each.at(0).what, What::held) << "put anew, and released by nobody";
  EXPECT_EQ(send("ir1", 1, 1).each.at(0).what, What::sent) << "released";
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1", "ir1"));
}

TEST_F(NeverTwice, WhatIsTriedAnewByOneWhoKnowsOfNothingIsHeldFirst) {
  server_.answer([&](const HttpRequest& request) {
    requests_.fail_with({Recovery::retry, "database is locked", ""});
    return cmp_answer(request);
  });
  EXPECT_EQ(send("ir1").each.at(0).what, What::deferred);
  requests_.go_on();
  start();
  server_.answer(cmp_answer);
  // `queue retry` of a deferred job: the attempts count anew.
  const auto deliveries = send("ir1", 1);
  EXPECT_EQ(deliveries.each.at(0).what, What::held);
  EXPECT_THAT(deliveries.each.at(0).detail, HasSubstr("nobody knows whether it has arrived"));
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1"));
  EXPECT_EQ(send("ir1", 1, 1).each.at(0).what, What::sent) << "released by one who was asked";
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1", "ir1"));
}

TEST_F(NeverTwice, WhatAnOperatorReleasesIsSentOnceMoreThoughNotAtOnce) {
  server_.answer(cut);
  EXPECT_EQ(send("ir1").each.at(0).what, What::held);
  http().url.port = 1;
  start();
  EXPECT_EQ(send("ir1", 1, 1).each.at(0).what, What::deferred);
  http().url.host = "nowhere.invalid";
  start();
  EXPECT_EQ(send("ir1", 2, 1).each.at(0).what, What::deferred);
  http().url = url_at(server_.port());
  start();
  server_.answer(cmp_answer);
  EXPECT_EQ(send("ir1", 3, 1).each.at(0).what, What::sent);
}

TEST_F(NeverTwice, AServerErrorIsNoAnswer) {
  server_.answer(always(http_answer("502 Bad Gateway", "text/html", "<html>")));
  EXPECT_EQ(send("ir1").each.at(0).what, What::held);
  server_.answer(always(http_answer("503 Service Unavailable", "text/html", "<html>")));
  EXPECT_EQ(send("ir2").each.at(0).what, What::deferred) << "it was not worked on";
  server_.answer(cmp_answer);
  EXPECT_EQ(send("ir2", 2).each.at(0).what, What::sent);
}

TEST_F(NeverTwice, AnAnswerThatIsInTheQueueIsFoundThere) {
  auto lease = message("ir1");
  send({lease});
  // As if the process had died before the sign was taken away and the job ended.
  ASSERT_THAT(Unanswered(settings_.state + "/unanswered").add(lease.job.id), IsOk());
  start();
  lease.attempts = 2;
  EXPECT_EQ(send({lease}).each.at(0).what, What::sent);
  EXPECT_THAT(server_.bodies(), ElementsAre("ir1"));
}

TEST_F(NeverTwice, AStopAfterTheMessageHasLeftHoldsIt) {
  std::stop_source stop;
  server_.answer([&](const HttpRequest&) {
    stop.request_stop();
    return HttpReaction{"", false, 10min};
  });
  const auto deliveries = send({message("ir1")}, stop.get_token());
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(deliveries.each.at(0).what, What::held);
}

TEST_F(NeverTwice, SignsOfJobsThatAreOverAreTakenAway) {
  Unanswered signs(settings_.state + "/unanswered");
  const auto gone = message("gone"), there = message("there");
  ASSERT_THAT(replies_.put(std::vector{there.job}), IsOk());
  ASSERT_THAT(signs.add(gone.job.id), IsOk());
  ASSERT_THAT(signs.add(there.job.id), IsOk());
  const auto lease = message("ir1");
  ASSERT_EQ(send({lease}).each.at(0).what, What::sent);
  EXPECT_EQ(signs.find(gone.job.id).value().what, Sign::none);
  EXPECT_EQ(signs.find(there.job.id).value().what, Sign::perhaps_sent);
  EXPECT_EQ(signs.find(lease.job.id).value().what, Sign::perhaps_sent)
      << "the queue does not know yet";
  ASSERT_THAT(replies_.drop(lease.job.id, "sent"), IsOk());
  send(std::vector<Lease>{});
  EXPECT_EQ(signs.find(lease.job.id).value().what, Sign::none);
}

}  // namespace
}  // namespace cmpost
