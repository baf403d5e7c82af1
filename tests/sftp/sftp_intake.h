// An ingress at a server in memory, one look at a time.
#pragma once

#include "base/log.h"
#include "sftp/sftp_ingress.h"
#include "tests/sftp/memory_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

// The DER of something, `size` octets long in all (5 to 120).
inline std::string message(int number, int size = 10) {
  std::string text = {'\x30', static_cast<char>(size - 2), '\x04', static_cast<char>(size - 4)};
  text += static_cast<char>(number);
  text.resize(static_cast<std::size_t>(size), 'm');
  return text;
}

class SftpIngressTest : public ::testing::Test {
 protected:
  SftpIngressTest() {
    log::configure({.level = log::Level::error});
    settings_.name = "factory";
    settings_.transport = SftpSettings{};
    settings_.max_message = 100;
    settings_.state = directory_ / "state";
    settings_.sftp()->fetch.path = "/in";
    settings_.sftp()->send.path = "/out";
    settings_.sftp()->ready = SftpReady::rename;
    settings_.sftp()->ledger = directory_ / "ledger";
  }
  SftpIngress& ingress() {
    if (!ingress_) {
      ingress_ = std::make_unique<SftpIngress>(settings_, queue_, wall_, steady_, server_.dial());
    }
    return *ingress_;
  }
  // As after a restart of the service.
  void restart() { ingress_.reset(); }
  Intake poll() {
    auto intake = ingress().poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }
  Error failing_poll() {
    const auto intake = ingress().poll({});
    EXPECT_FALSE(intake.has_value());
    return intake ? Error{} : intake.error();
  }
  // Two looks that lie far enough apart.
  Intake poll_until_settled() {
    const auto first = poll();
    steady_.advance(settings_.sftp()->settle);
    auto both = poll();
    both.deposited += first.deposited;
    both.quarantined += first.quarantined;
    return both;
  }
  std::vector<JobStatus> jobs(JobState state = JobState::waiting) {
    return queue_.list({.state = state, .channel = {}}).value();
  }

  TemporaryDirectory directory_;
  MemoryServer server_;
  FakeClock wall_, steady_;
  FakeJobQueue queue_{wall_};
  ChannelSettings settings_;
  std::unique_ptr<SftpIngress> ingress_;
};

}  // namespace cmpost
