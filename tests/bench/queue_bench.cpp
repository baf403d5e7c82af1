// Jobs a second through the spool, their whole life: put the request, take it, exchange it for a
// reply, take the reply, finish it. In groups, on one thread, with every commit synced.
//   queue_bench [JOBS [GROUP [DONE]]]     DONE: jobs that are done already
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/random.h"
#include "queue/spool.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

struct Plan {
  std::size_t jobs = 50'000;
  std::size_t group = 500;
  std::size_t done = 1'000'000;
};

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "queue_bench: %s\n", to_string(result.error()).c_str());
  std::exit(1);
}
void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "queue_bench: %s\n", to_string(result.error()).c_str());
  std::exit(1);
}

Job new_job(std::size_t size) {
  static SystemRandom random;
  static const Bytes payload = random.bytes(1 << 16);
  Job job;
  random.fill(job.id.octets);
  job.envelope.channel = "drop";
  job.envelope.source = "device-0123456789.pki";
  job.envelope.reply.channel = "drop";
  job.envelope.reply.name = "device-0123456789";
  job.payload.assign(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
  return job;
}

std::vector<Job> new_jobs(std::size_t count, std::size_t size) {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < count; ++i) jobs.push_back(new_job(size));
  return jobs;
}

std::vector<JobId> ids_of(const std::vector<Lease>& leases) {
  std::vector<JobId> ids;
  for (const auto& lease : leases) ids.push_back(lease.job.id);
  return ids;
}

double cpu_seconds() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
  const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
  return now.count();
}

// Time that making the jobs takes is not counted.
struct Stopwatch {
  double wall = 0, cpu = 0;
  template <typename Work>
  void operator()(const Work& work) {
    const auto wall_start = wall_seconds(), cpu_start = cpu_seconds();
    work();
    wall += wall_seconds() - wall_start;
    cpu += cpu_seconds() - cpu_start;
  }
};

// A whole life of one group.
void live(Spool& spool, Stopwatch (&watches)[5], std::size_t group, std::size_t size) {
  const auto requests = new_jobs(group, size);
  const auto answers = new_jobs(group, size);
  Spool::Exchange exchange;
  for (const auto& answer : answers) exchange.replies.push_back(&answer);
  std::vector<Lease> replies;
  watches[0]([&] { must(spool.requests().put(requests)); });
  watches[1]([&] { exchange.answered = ids_of(must(spool.requests().take(group))); });
  watches[2]([&] { must(spool.exchange(exchange)); });
  watches[3]([&] { replies = must(spool.replies().take(group)); });
  watches[4]([&] { must(spool.replies().finish(ids_of(replies), "sent")); });
  if (exchange.answered.size() != group || replies.size() != group) std::exit(1);
}

void measure(Spool& spool, const Plan& plan, std::size_t done) {
  Stopwatch watches[5];
  for (std::size_t n = 0; n < plan.jobs; n += plan.group) live(spool, watches, plan.group, 1500);
  Stopwatch sum;
  for (const auto& watch : watches) sum.wall += watch.wall, sum.cpu += watch.cpu;
  const auto jobs = static_cast<double>(plan.jobs);
  std::printf("done=%zu group=%zu: %.0f jobs/s, %.0f jobs per CPU second; CPU us per job:", done,
              plan.group, jobs / sum.wall, jobs / sum.cpu);
  const char* names[] = {"put", "take", "exchange", "take", "finish"};
  for (int i = 0; i < 5; ++i) std::printf(" %s %.1f", names[i], 1e6 * watches[i].cpu / jobs);
  std::printf("\n");
}

void run(const Plan& plan) {
  const TemporaryDirectory directory;
  const SystemClock clock;
  const auto spool = must(open_spool({"sqlite:spool.db", directory.path()}, clock));
  measure(*spool, plan, 0);
  if (plan.done == 0) return;
  Stopwatch ignored[5];
  for (std::size_t n = plan.jobs; n < plan.done; n += 5000) live(*spool, ignored, 5000, 10);
  const auto counts = must(spool->requests().counts());
  measure(*spool, plan, counts.done);
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("most memory: %ld MiB\n", usage.ru_maxrss / 1024);
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  cmpost::Plan plan;
  if (argc > 1) plan.jobs = std::strtoul(argv[1], nullptr, 10);
  if (argc > 2) plan.group = std::strtoul(argv[2], nullptr, 10);
  if (argc > 3) plan.done = std::strtoul(argv[3], nullptr, 10);
  cmpost::run(plan);
}
