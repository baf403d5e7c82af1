// An Ingress that watches a directory, its clocks and its queue.
#pragma once

#include "base/log.h"
#include "carrier/channel_notes.h"
#include "config/channel_settings.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "watcher/ingress.h"

namespace cmpost {

// `Source`: the Ingress, which the test puts into ingress_ when its settings are complete.
template <typename Source>
class WatchedInput : public ::testing::Test {
 protected:
  WatchedInput(const std::string& channel, const std::string& in, Duration settle)
      : in_(directory_ / in) {
    log::configure({.level = log::Level::error});
    std::filesystem::create_directories(in_);
    settings_.name = channel;
    settings_.state = directory_ / "state";
    settings_.directory()->in = in_;
    settings_.directory()->settle = settle;
    settings_.max_message = 1000;
  }

  Intake look() {
    auto intake = ingress_->poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }
  Intake look_later() {
    steady_.advance(settings_.directory()->settle);
    return look();
  }
  Intake look_twice() {
    look();
    return look_later();
  }
  std::vector<JobStatus> jobs(std::optional<JobState> state = {}) {
    return queue_.list({.state = state, .channel = {}}).value();
  }
  std::size_t waiting() { return queue_.counts()->waiting; }
  // What `work` has written to the log, without the level "debug".
  template <typename Work>
  static std::string logged(const Work& work) {
    ::testing::internal::CaptureStderr();
    log::configure({});
    work();
    log::configure({.level = log::Level::error});
    return ::testing::internal::GetCapturedStderr();
  }
  static std::size_t count_of(std::string_view what, std::string_view text) {
    std::size_t times = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++times;
    return times;
  }
  // What lies in the directory, or in ".done" or ".quarantine" below it; nothing of our own.
  std::set<std::string> in(const std::string& below = {}) {
    auto names = names_in(below.empty() ? in_ : in_ + "/" + below);
    for (const auto* own : {".work", ".done", ".quarantine", ".cmpost-medium"}) names.erase(own);
    return names;
  }
  std::string note() {
    const auto notes = read_notes(settings_.state).value();
    return notes.empty() ? "" : notes.front().text;
  }

  std::string note_on(const std::string& subject) {
    const auto notes = read_notes(settings_.state).value();
    for (const auto& note : notes) {
      if (note.subject == subject) return note.text;
    }
    return {};
  }

  TemporaryDirectory directory_;
  const std::string in_;
  FakeClock wall_{SystemClock().now()};
  FakeClock steady_;
  FakeJobQueue queue_{wall_};
  ChannelSettings settings_;
  std::optional<Source> ingress_;
};

}  // namespace cmpost
