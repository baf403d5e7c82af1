// An RA that re-protects, from durable request to durable message for the CA, and from its durable
// answer to the durable answer for the requester; and the CA alone in between. Prints requests per
// second of the RA for both ways together, for each way, and of the CA:
//
//   ra_bench RA-CONFIG CA-CONFIG DIRECTORY
//
// Both are instances that have nothing else to do; DIRECTORY holds prepared *.pki requests.
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

using Seconds = std::chrono::duration<double>;

// What comes by `channel`.
Job arrived(Bytes payload, std::string_view channel, std::string_view name) {
  Job job;
  job.payload = std::move(payload);
  job.envelope.channel = channel;
  job.envelope.source = name;
  job.envelope.reply.channel = channel;
  job.envelope.reply.name = name;
  job.id = make_job_id({view_of(job.envelope.source), job.payload});
  return job;
}

Result<std::vector<Job>> read_requests(const std::string& directory) {
  std::vector<Job> jobs;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".pki") continue;
    ASSIGN_OR_RETURN(auto request, read_file(entry.path(), 1 << 20));
    jobs.push_back(arrived(std::move(request), "drop", entry.path().stem().string()));
  }
  return jobs;
}

class Stage {
 public:
  static Result<std::unique_ptr<Stage>> open(const std::string& config) {
    CommonOptions options;
    options.config = config;
    options.quiet = true;
    auto stage = std::make_unique<Stage>();
    ASSIGN_OR_RETURN(stage->instance_, Instance::open(options));
    return stage;
  }

  // How long it works on them.
  Result<Seconds> work_on(const std::vector<Job>& jobs) {
    ASSIGN_OR_RETURN(auto* const spool, instance_->spool());
    ASSIGN_OR_RETURN(auto* const ledger, instance_->ledger());
    ASSIGN_OR_RETURN(const auto services, instance_->services());
    TRY(spool->requests().put(jobs));
    const auto start = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(const auto processor, Processor::create(*spool, *ledger, services, {}, [] {}));
    ASSIGN_OR_RETURN(const auto totals, processor->drain({}));
    if (totals.refused + totals.held + totals.deferred > 0) return hold("some were refused");
    return Seconds(std::chrono::steady_clock::now() - start);
  }

  // All that is to leave, as it arrives by `channel` elsewhere.
  Result<std::vector<Job>> take_what_leaves(std::string_view channel) {
    ASSIGN_OR_RETURN(auto* const spool, instance_->spool());
    std::vector<Job> jobs;
    std::vector<JobId> ids;
    ASSIGN_OR_RETURN(auto leases, spool->replies().take(1'000'000));
    for (auto& lease : leases) {
      ids.push_back(lease.job.id);
      jobs.push_back(arrived(std::move(lease.job.payload), channel, lease.job.id.text()));
    }
    TRY(spool->replies().finish(ids, "sent"));
    return jobs;
  }

 private:
  std::unique_ptr<Instance> instance_;
};

Result<void> measure(const std::string& ra_config, const std::string& ca_config,
                     const std::string& directory) {
  ASSIGN_OR_RETURN(const auto ra, Stage::open(ra_config));
  ASSIGN_OR_RETURN(const auto ca, Stage::open(ca_config));
  ASSIGN_OR_RETURN(const auto requests, read_requests(directory));
  ASSIGN_OR_RETURN(const auto up, ra->work_on(requests));
  ASSIGN_OR_RETURN(const auto asked, ra->take_what_leaves("drop"));
  ASSIGN_OR_RETURN(const auto between, ca->work_on(asked));
  ASSIGN_OR_RETURN(const auto answers, ca->take_what_leaves("vault"));
  ASSIGN_OR_RETURN(const auto down, ra->work_on(answers));
  ASSIGN_OR_RETURN(const auto heard, ra->take_what_leaves(""));
  const auto count = requests.size();
  if (asked.size() != count || answers.size() != count || heard.size() != count) {
    return hold(std::to_string(asked.size()) + " asked, " + std::to_string(answers.size()) +
                " answered and " + std::to_string(heard.size()) + " heard of " +
                std::to_string(count));
  }
  const auto rate = [&](Seconds took) { return static_cast<double>(count) / took.count(); };
  std::printf("%.0f %.0f %.0f %.0f\n", rate(up + down), rate(up), rate(down), rate(between));
  return {};
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: ra_bench RA-CONFIG CA-CONFIG DIRECTORY\n");
    return 64;
  }
  const auto done = cmpost::measure(argv[1], argv[2], argv[3]);
  if (done) return 0;
  std::fprintf(stderr, "ra_bench: %s\n", cmpost::to_string(done.error()).c_str());
  return 1;
}
