// An HttpEgress, its queues in memory and its peer.
#pragma once

#include "base/log.h"
#include "http/http_egress.h"
#include "tests/http/scripted_http_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

inline HttpUrl url_at(int port) { return {false, "127.0.0.1", port, "/.well-known/cmp"}; }

class HttpEgressTest : public ::testing::Test {
 protected:
  using What = Delivery::What;

  HttpEgressTest() {
    log::configure({.level = log::Level::error});
    settings_.name = "above";
    settings_.state = directory_ / "state";
    settings_.max_message = 1000;
    settings_.direction = Direction::upstream;
    settings_.transport = HttpSettings{};
    http().url = url_at(server_.port());
    http().connect_limit = std::chrono::seconds(20);
    http().time_limit = std::chrono::seconds(20);
  }
  HttpSettings& http() { return *settings_.http(); }
  // As of a process that was just started.
  void start() {
    egress_ = std::make_unique<HttpEgress>(settings_, HttpEgress::Queues{requests_, replies_},
                                           wall_, steady_);
  }
  Lease message(const std::string& text, int attempts = 1, int releases = 0) {
    Lease lease;
    lease.job.id = make_job_id({view_of(text)});
    lease.job.envelope.reply.channel = "above";
    lease.job.envelope.body = "ir";
    lease.job.envelope.tid = "0102";
    lease.job.payload = to_bytes(text);
    lease.attempts = attempts;
    lease.releases = releases;
    lease.arrived = wall_.now();
    return lease;
  }
  Deliveries send(const std::vector<Lease>& leases, const std::stop_token& stop = {}) {
    if (!egress_) start();
    for (const auto& lease : leases) EXPECT_THAT(replies_.put(std::vector{lease.job}), IsOk());
    auto deliveries = egress_->send(leases, stop);
    EXPECT_THAT(deliveries.each, ::testing::SizeIs(leases.size()));
    return deliveries;
  }
  Deliveries send(const std::string& text, int attempts = 1, int releases = 0) {
    return send(std::vector{message(text, attempts, releases)});
  }
  std::vector<std::string> answers() {
    std::vector<std::string> all;
    const auto jobs = requests_.list({.state = {}, .channel = {}}).value();
    for (const auto& job : jobs) {
      EXPECT_EQ(job.envelope.channel, "above");
      all.emplace_back(text_of(requests_.payload(job.id).value()));
    }
    return all;
  }

  TemporaryDirectory directory_;
  ScriptedHttpServer server_;
  FakeClock wall_{SystemClock().now()}, steady_;
  FakeJobQueue requests_{wall_}, replies_{wall_};
  ChannelSettings settings_;
  std::unique_ptr<HttpEgress> egress_;
};

}  // namespace cmpost
