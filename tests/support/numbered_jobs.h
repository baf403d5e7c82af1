// Jobs that tell one from another.
#pragma once

#include <string>
#include <vector>

#include "queue/job.h"

namespace cmpost {

inline Job numbered_job(int number, const std::string& channel = "drop") {
  Job job;
  const auto text = std::to_string(number);
  job.id = make_job_id({view_of(text)});
  job.envelope = {channel, text + ".pki", {channel, "a", text, "<m@x>", "<r@x>"}, "ip", "00ff"};
  job.payload = to_bytes("payload " + text);
  return job;
}

inline std::vector<Job> numbered_jobs(int first, int last) {
  std::vector<Job> jobs;
  for (int number = first; number <= last; ++number) jobs.push_back(numbered_job(number));
  return jobs;
}

}  // namespace cmpost
