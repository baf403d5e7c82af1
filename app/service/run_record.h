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

// The run that is to be worked on: the one of this name that is under way with these channels, or a
// new one. One of other channels, one of another name that was killed and has some of these
// channels, and those that the settings have no more are ended as interrupted. An Error (usage):
// the last one was stopped, and nobody says go on.
Result<RunRow> begin_run(Instance& instance, const NewRun& wanted, const std::string& settings);

struct EndedRun {
  RunEnd end = RunEnd::done;
  std::string why, hint;
};
// Durable; its channels are free. What is said of it from now on is what it returns.
Result<RunFacts> end_run(Instance& instance, const RunRow& run, const EndedRun& how,
                         const std::string& settings);
// Ends as interrupted what is under way and not in the settings any more, unless somebody works on
// a run just now, who does it then.
Result<void> end_orphans(Instance& instance, const std::string& settings);

// Writes the report of a run that has ended as `directory`/NAME-NUMBER, signed once for all times;
// where it is. Again: the same octets. An Error (retry): `directory` is not there; (hold): the
// records make another report than the one that was signed.
Result<std::string> report_run(Instance& instance, std::int64_t number,
                               const std::string& directory);
// Nobody wants one of this run.
Result<void> owe_no_report(Instance& instance, const RunRow& run);
// Makes the reports that processes owed when they died, or could not write. What cannot be written
// now is told in the log, by `status` and by `check`, and keeps nobody from work.
void report_owed(Instance& instance, const RunSettings& settings);

}  // namespace cmpost
