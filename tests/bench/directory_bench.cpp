// How fast files are taken in, without the queue, and how fast answers become durable files:
//   directory_bench [FILES] [DIRECTORY]      default: 10000 files below the current directory
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "outbox/directory_egress.h"
#include "tests/support/directory_tools.h"
#include "watcher/directory_ingress.h"

namespace cmpost {
namespace {

constexpr std::size_t kOctets = 1500, kGroup = 500;

// Takes everything and keeps nothing.
class NoQueue final : public JobQueue {
 public:
  Result<std::size_t> put(std::span<const Job> jobs) override { return jobs.size(); }
  Result<void> put_held(const Job&, std::string_view) override { return {}; }
  Result<std::vector<Lease>> take(std::size_t) override { return std::vector<Lease>(); }
  Result<std::vector<Lease>> take_of(std::string_view, std::size_t) override {
    return std::vector<Lease>();
  }
  Result<QueueCounts> counts_of(std::string_view) override { return QueueCounts{}; }
  Result<void> finish(std::span<const JobId>, std::string_view) override { return {}; }
  Result<void> defer(const JobId&, Time, std::string_view) override { return {}; }
  Result<void> defer_all(std::span<const JobId>, Time, std::string_view) override { return {}; }
  Result<void> hold(const JobId&, std::string_view) override { return {}; }
  Result<bool> bounce(const JobId&, std::string_view) override { return false; }
  Result<std::vector<JobStatus>> list(const JobFilter&) override {
    return std::vector<JobStatus>();
  }
  Result<std::int64_t> for_each(const JobFilter&,
                                const std::function<Result<void>(const JobStatus&)>&) override {
    return 0;
  }
  Result<std::vector<JobId>> ids_beginning(std::string_view, std::size_t) override {
    return std::vector<JobId>();
  }
  Result<std::optional<JobStatus>> find(const JobId&) override { return std::nullopt; }
  Result<Bytes> payload(const JobId&) override { return Bytes(); }
  Result<std::optional<JobStatus>> newest_done(std::string_view, std::string_view) override {
    return std::nullopt;
  }
  Result<bool> retry(const JobId&) override { return false; }
  Result<bool> release(const JobId&) override { return false; }
  Result<bool> drop(const JobId&, std::string_view) override { return false; }
  Result<QueueCounts> counts() override { return QueueCounts{}; }
  Result<std::size_t> hanging() override { return 0; }
  Result<std::size_t> pending(std::string_view) override { return 0; }
  Result<std::size_t> wake(std::string_view) override { return 0; }
  Result<std::size_t> purge(Time) override { return 0; }
  void wait_for_work(Duration) override {}
  void end_wait() override {}
};

// SEQUENCE, long form of the length, zeros.
std::string message(std::size_t number) {
  std::string der(kOctets, '\0');
  der[0] = '\x30';
  der[1] = '\x82';
  der[2] = static_cast<char>((kOctets - 4) >> 8);
  der[3] = static_cast<char>((kOctets - 4) & 0xff);
  for (std::size_t i = 0; i < 8; ++i) der[4 + i] = static_cast<char>(number >> (8 * i));
  return der;
}

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void report(const char* what, std::size_t count, double seconds) {
  std::printf("%-40s %8zu files %7.3f s %9.0f files/s\n", what, count, seconds,
              static_cast<double>(count) / seconds);
}

void bench_ingress(const ChannelSettings& settings, std::size_t count, const char* what) {
  for (std::size_t i = 0; i < count; ++i) {
    write_and_rename(settings.directory()->in, "f" + std::to_string(i) + ".pki", message(i));
  }
  NoQueue queue;
  const SystemClock wall;
  const SteadyClock steady;
  DirectoryIngress ingress(settings, queue, wall, steady);
  std::size_t taken = 0;
  const auto seconds = seconds_of([&] { taken = ingress.poll({}).value().deposited; });
  report(what, taken, seconds);
}

void bench_egress(const ChannelSettings& settings, std::size_t count) {
  DirectoryEgress egress(settings);
  std::size_t sent = 0;
  double seconds = 0;
  for (std::size_t first = 0; first < count; first += kGroup) {
    std::vector<Lease> leases(std::min(kGroup, count - first));
    for (std::size_t i = 0; i < leases.size(); ++i) {
      auto& job = leases[i].job;
      const auto number = std::to_string(first + i);
      job.id = make_job_id({view_of(number)});
      job.envelope.reply.name = "f" + number;
      job.envelope.body = "ip";
      job.payload = to_bytes(message(first + i));
    }
    seconds += seconds_of([&] {
      for (const auto& delivery : egress.send(leases, {}).each) {
        sent += delivery.what == Delivery::What::sent ? 1 : 0;
      }
    });
  }
  report("outbox: durable answers, groups of 500", sent, seconds);
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  using namespace cmpost;
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  const std::string base = std::string(argc > 2 ? argv[2] : ".") + "/directory_bench.tmp";
  log::configure({.level = log::Level::error});
  std::filesystem::remove_all(base);
  std::filesystem::create_directories(base + "/in");
  std::filesystem::create_directories(base + "/out");
  ChannelSettings settings;
  settings.name = "drop";
  settings.directory()->in = base + "/in";
  settings.directory()->out = base + "/out";
  settings.directory()->settle = Duration::zero();
  bench_ingress(settings, count, "watcher: taken in, without the queue");
  bench_egress(settings, count);
  std::filesystem::remove_all(base);
}
