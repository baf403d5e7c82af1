// The dispatcher is killed at its n-th durable step, for every n, and started again.
#include "base/log.h"
#include "http/http_egress.h"
#include "outbox/dispatcher.h"
#include "queue/spool.h"
#include "tests/http/scripted_http_server.h"
#include "tests/support/crash_child.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

const std::vector<std::string> kMessages = {"ir 0", "ir 1", "ir 2"};

// What one process does that was just started. The peer's port is in a file.
void send_by_http(const std::string& directory, OnUnknown rule) {
  log::configure({.level = log::Level::error});
  ChannelSettings settings;
  settings.name = "above";
  settings.state = directory + "/state/above";
  settings.direction = Direction::upstream;
  settings.transport = HttpSettings{};
  auto& http = *settings.http();
  const auto port = std::stoi(std::string(text_of(read_file(directory + "/port", 10).value())));
  http.url = {false, "127.0.0.1", port, "/"};
  http.sessions = 2;
  http.on_unknown = rule;
  const SystemClock clock;
  SystemRandom random;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  WayBook ways(directory + "/state", clock);
  HttpEgress egress(settings, {spool->requests(), spool->replies()}, clock, clock);
  Dispatcher dispatcher(spool->replies(), {&egress}, clock, clock, random, ways);
  ASSERT_THAT(send_all(dispatcher, {}), IsOk());
}

TEST(HttpEgressCrash, DISABLED_Repeats) { send_by_http(crash_directory(), OnUnknown::repeat); }
TEST(HttpEgressCrash, DISABLED_NeverTwice) { send_by_http(crash_directory(), OnUnknown::hold); }

auto fill(const ScriptedHttpServer& peer) {
  return [&peer](const std::string& directory) {
    ASSERT_THAT(
        write_file(directory + "/port", view_of(std::to_string(peer.port())), 0600, IfExists::fail),
        IsOk());
    std::vector<Job> jobs;
    for (const auto& message : kMessages) {
      Job job;
      job.id = make_job_id({view_of(message)});
      job.envelope.reply.channel = "above";
      job.envelope.body = "ir";
      job.payload = to_bytes(message);
      jobs.push_back(job);
    }
    const SystemClock clock;
    const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
    ASSERT_THAT(spool->replies().put(jobs), IsOk());
  };
}

struct Outcome {
  std::multiset<std::string> answers;  // in the queue of requests
  std::map<std::string, JobState> messages;
};
Outcome outcome_in(const std::string& directory) {
  const SystemClock clock;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  Outcome outcome;
  const auto answers = spool->requests().list({}).value();
  for (const auto& job : answers) {
    outcome.answers.emplace(text_of(spool->requests().payload(job.id).value()));
  }
  for (const auto& message : kMessages) {
    outcome.messages[message] =
        spool->replies().find(make_job_id({view_of(message)})).value()->state;
  }
  return outcome;
}

TEST(HttpEgressCrash, APeerThatKnowsWhatItHasAnsweredLosesNothing) {
  ScriptedHttpServer peer;
  const auto look = [](const std::string& directory, bool) {
    send_by_http(directory, OnUnknown::repeat);
    const auto outcome = outcome_in(directory);
    for (const auto& message : kMessages) {
      EXPECT_EQ(outcome.messages.at(message), JobState::done) << message;
      EXPECT_EQ(outcome.answers.count(answer_for(message)), 1U) << message;
    }
    EXPECT_EQ(outcome.answers.size(), kMessages.size());
  };
  EXPECT_GT(killed_at_each_step("HttpEgressCrash.DISABLED_Repeats", fill(peer), look), 8);
}

TEST(HttpEgressCrash, AMessageThatMayHaveArrivedIsHeldAndNotSentTwice) {
  ScriptedHttpServer peer;
  std::size_t held = 0, seen = 0;
  const auto look = [&](const std::string& directory, bool) {
    send_by_http(directory, OnUnknown::hold);
    const auto outcome = outcome_in(directory);
    std::map<std::string, int> posted;
    for (const auto& body : peer.bodies()) ++posted[body];
    for (const auto& message : kMessages) {
      const auto state = outcome.messages.at(message);
      const auto answered = outcome.answers.count(answer_for(message));
      EXPECT_EQ(answered, state == JobState::done ? 1U : 0U) << message;
      EXPECT_TRUE(state == JobState::done || state == JobState::held) << to_string(state);
      held += state == JobState::held ? 1 : 0;
    }
    // Of this run: every message once at most.
    const auto bodies = peer.bodies();
    std::multiset<std::string> of_this_run(bodies.begin() + static_cast<std::ptrdiff_t>(seen),
                                           bodies.end());
    seen = bodies.size();
    for (const auto& message : kMessages) EXPECT_LE(of_this_run.count(message), 1U) << message;
  };
  EXPECT_GT(killed_at_each_step("HttpEgressCrash.DISABLED_NeverTwice", fill(peer), look), 12);
  EXPECT_GT(held, 0U);
}

}  // namespace
}  // namespace cmpost
