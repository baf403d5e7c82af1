// The processor alone: from durable requests in the spool to durable replies in the spool. Prints
// requests per second:
//
//   processor_bench CONFIG DIRECTORY
//
// CONFIG is an instance that has nothing else to do; DIRECTORY holds prepared *.pki requests.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "base/files.h"
#include "processor/processor.h"

namespace cmpost {
namespace {

constexpr std::size_t kGroup = 1000;

Result<Job> read_job(const std::filesystem::path& file) {
  Job job;
  ASSIGN_OR_RETURN(job.payload, read_file(file, 1 << 20));
  job.envelope.channel = "drop";
  job.envelope.source = file.filename();
  job.envelope.reply.channel = "drop";
  job.envelope.reply.name = file.stem();
  job.id = make_job_id({view_of(job.envelope.source), job.payload});
  return job;
}

Result<std::size_t> fill_queue(JobQueue& requests, const std::string& directory) {
  std::vector<Job> group;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".pki") continue;
    ASSIGN_OR_RETURN(auto job, read_job(entry.path()));
    group.push_back(std::move(job));
    if (group.size() < kGroup) continue;
    ASSIGN_OR_RETURN(const std::size_t added, requests.put(group));
    count += added;
    group.clear();
  }
  ASSIGN_OR_RETURN(const std::size_t added, requests.put(group));
  return count + added;
}

Result<void> measure(const std::string& config, const std::string& directory) {
  CommonOptions options;
  options.config = config;
  options.quiet = true;
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto services, instance->services());
  ASSIGN_OR_RETURN(const std::size_t count, fill_queue(spool->requests(), directory));

  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const auto processor, Processor::create(*spool, *ledger, services, {}, [] {}));
  ASSIGN_OR_RETURN(const auto totals, processor->drain({}));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

  if (totals.answered != count || totals.refused != 0) {
    return hold(std::to_string(totals.answered) + " of " + std::to_string(count) +
                " answered, refused " + std::to_string(totals.refused));
  }
  std::printf("%.0f\n", static_cast<double>(count) / elapsed.count());
  return {};
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: processor_bench CONFIG DIRECTORY\n");
    return 64;
  }
  const auto done = cmpost::measure(argv[1], argv[2]);
  if (done) return 0;
  std::fprintf(stderr, "processor_bench: %s\n", cmpost::to_string(done.error()).c_str());
  return 1;
}
