// A run on record: begun, gone on with, ended, reported.
#pragma once

#include <functional>
#include <string>

#include "app/instance/instance.h"
#include "processor/runs/run_table.h"
#include "report/run_report.h"

namespace cmpost {

struct NewRun {
  std::string name;
  std::vector<std::string> channels;
  std::optional<Time> planned;
  std::string go_on;  // see NamedRunOptions
};

// The run that is to be worked on: the one of this name that is under way, or a new one. One of
// another name that was killed and has some of these channels, or that the settings have no more,
// is ended as interrupted. An Error (usage): the last one was stopped, and nobody says go on.
Result<RunRow> begin_run(Instance& instance, const NewRun& wanted, const std::string& settings);

struct EndedRun {
  RunEnd end = RunEnd::done;
  std::string why, hint;
};
// Durable; its channels are free. What is said of it from now on is what it returns.
Result<RunFacts> end_run(Instance& instance, const RunRow& run, const EndedRun& how,
                         std::uint64_t sent, const std::string& settings);

// Writes the report of a run that has ended as `directory`/NAME-NUMBER, signed once for all times;
// where it is. Again: the same octets.
Result<std::string> report_run(Instance& instance, std::int64_t number,
                               const std::string& directory);

}  // namespace cmpost
