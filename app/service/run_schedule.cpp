#include "app/service/run_schedule.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "app/terminal/exit_code.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "base/pause.h"
#include "processor/runs/run_table.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstRest = 1min, kLongestRest = 1h;
// Whoever stops the service waits no longer than that (process_signals.h).
constexpr Duration kPatience = 8s;

// Its signals are not those that this process has blocked.
class Spawning {
 public:
  Spawning() {
    ::sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~Spawning() { ::posix_spawnattr_destroy(&attributes_); }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  Result<pid_t> start(std::vector<std::string> words) const {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int code =
        ::posix_spawn(&child, "/proc/self/exe", nullptr, &attributes_, arguments.data(), ::environ);
    if (code != 0) return retry(std::string("no process can be had: ") + std::strerror(code));
    return child;
  }

 private:
  ::posix_spawnattr_t attributes_{};
};

}  // namespace

std::optional<Time> due_time(const CronTime& at, Time last, Time now) {
  constexpr int kMost = 100'000;  // some ten weeks of minutes
  std::optional<Time> due;
  auto next = at.next(last);
  for (int i = 0; next && *next <= now && i < kMost; ++i) {
    due = next;
    next = at.next(*next);
  }
  return due;
}

RunSchedule::RunSchedule(Instance& instance, std::string config, const Clock& steady)
    : instance_(instance), config_(std::move(config)), steady_(steady) {
  for (const auto& run : instance.settings().runs) {
    if (run.at) entries_.push_back({&run, Time::min(), kFirstRest, false});
  }
}

RunSchedule::~RunSchedule() {
  if (child_ == 0) return;
  ending_ = true;
  ::kill(child_, SIGTERM);
  for (const auto end = steady_.now() + kPatience; child_ != 0 && steady_.now() < end;) {
    collect();
    if (child_ != 0) (void)pause(50ms, {});
  }
}

void RunSchedule::look() {
  collect();
  if (entries_.empty() || child_ != 0) return;
  // One by hand is under way: that is no failure.
  if (is_locked(lock_of_runs(instance_.settings().instance.state))) return;
  if (const auto noted = note_names(); !noted) {
    log::error("run.schedule_not_noted", {{"error", to_string(noted.error())}});
    return;
  }
  for (auto& entry : entries_) {
    if (child_ != 0) return;
    if (steady_.now() < entry.not_before) continue;
    const auto planned = when(entry);
    if (!planned) {
      rest(entry, to_string(planned.error()));
    } else if (*planned) {
      if (const auto started = start(entry, **planned); !started) {
        rest(entry, to_string(started.error()));
      }
    }
  }
}

// From now on their times count, whether somebody is there to keep them or not.
Result<void> RunSchedule::note_names() {
  if (noted_) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
  const auto now = instance_.likely_clock().now();
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    RunTable table(writer.connection());
    std::vector<std::string> names;
    for (const auto& entry : entries_) names.push_back(entry.settings->name);
    TRY(table.forget_others(names));
    for (const auto& name : names) TRY(table.know(name, now));
    return {};
  }));
  noted_ = true;
  return {};
}

Result<std::optional<Time>> RunSchedule::when(Entry& entry) {
  ASSIGN_OR_RETURN(auto* const ledger, instance_.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  RunTable table(reader->connection());
  const auto& run = *entry.settings;
  ASSIGN_OR_RETURN(const auto last, table.newest(run.name));
  if (last && !last->ended) return std::optional(last->planned.value_or(last->started));
  if (last && last->end == RunEnd::stopped) {
    ASSIGN_OR_RETURN(const auto next, table.continued_by(last->number));
    if (!next) {
      if (!std::exchange(entry.told_stopped, true)) {
        log::warning("run.waits_for_people", {{"run", run.name}, {"stopped", last->number}});
      }
      return std::optional<Time>();
    }
  }
  entry.told_stopped = false;
  ASSIGN_OR_RETURN(const auto known, table.known_since(run.name));
  const auto now = instance_.likely_clock().now();
  const auto before = last ? std::max(last->planned.value_or(last->started), known) : known;
  // What was done while the clock was ahead keeps nothing from its time.
  return due_time(*run.at, std::min(before, now), now);
}

Result<void> RunSchedule::start(Entry& entry, Time planned) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(planned).time_since_epoch();
  ASSIGN_OR_RETURN(child_, Spawning().start({"cmpost", "--config", config_, "--quiet", "run",
                                             entry.settings->name, "--planned",
                                             std::to_string(seconds.count())}));
  running_ = &entry;
  log::info("run.begins",
            {{"run", entry.settings->name}, {"planned", to_iso8601(planned)}, {"pid", child_}});
  return {};
}

// What has become of the one that is under way.
void RunSchedule::collect() {
  if (child_ == 0) return;
  int status = 0;
  const auto ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return;
  auto& entry = *std::exchange(running_, nullptr);
  child_ = 0;
  const bool orderly = ended > 0 && WIFEXITED(status);
  const auto code = orderly ? WEXITSTATUS(status) : -1;
  if (code == static_cast<int>(ExitCode::ok) || code == static_cast<int>(ExitCode::partly)) {
    entry.rest = kFirstRest;
    entry.not_before = Time::min();
    return;
  }
  if (ending_) return;  // it was asked to, and goes on next time
  rest(entry, orderly ? "it ended with exit code " + std::to_string(code) : "it was killed");
}

void RunSchedule::rest(Entry& entry, const std::string& why) {
  entry.not_before = steady_.now() + entry.rest;
  log::error("run.not_done",
             {{"run", entry.settings->name},
              {"reason", why},
              {"again_in_s", std::chrono::floor<std::chrono::seconds>(entry.rest).count()}});
  entry.rest = std::min(2 * entry.rest, kLongestRest);
}

}  // namespace cmpost
