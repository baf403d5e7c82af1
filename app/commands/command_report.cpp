// `report`: the runs that were, and their reports.
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/service/run_record.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "processor/runs/stored_facts.h"
#include "report/headline.h"

namespace cmpost {
namespace {

constexpr std::size_t kUsual = 20;

std::string end_of(const RunRow& run) {
  return run.ended ? std::string(to_string(run.end)) : "under way";
}

Result<std::optional<RunFacts>> facts_in(const RunRow& run) {
  if (run.facts.empty()) return std::optional<RunFacts>();
  ASSIGN_OR_RETURN(auto facts, parse_facts(run.facts));
  return std::optional(std::move(facts));
}

nlohmann::json to_json(const RunRow& run, const std::optional<RunFacts>& facts) {
  nlohmann::json value = {{"number", run.number},   {"run", run.name},
                          {"state", end_of(run)},   {"started", to_iso8601(run.started)},
                          {"resumed", run.resumed}, {"who", run.who}};
  value["ended"] = run.ended ? nlohmann::json(to_iso8601(*run.ended)) : nlohmann::json();
  if (!facts) return value;
  const auto head = headline(*facts, facts->counts);
  value["headline"] = head.sentence;
  value["light"] = to_string(head.light);
  value["because"] = head.because;
  value["what_to_do"] = nlohmann::json::array();
  for (const auto& one : head.what_to_do) {
    value["what_to_do"].push_back(
        {{"what", one.what}, {"how", one.how}, {"commands", one.commands}});
  }
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    value["counts"][std::string(to_string(result))] = facts->counts[result];
  }
  return value;
}

Result<ExitCode> list(const std::string& name, std::size_t limit, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto runs, RunTable(reader->connection()).list(name, limit));
  auto all = nlohmann::json::array();
  Table table({"number", "run", "started", "state", "requests", "refused", "light"});
  for (const auto& run : runs) {
    ASSIGN_OR_RETURN(const auto facts, facts_in(run));
    if (common.json) {
      all.push_back(to_json(run, facts));
      continue;
    }
    const auto number = [&](std::uint64_t count) { return facts ? std::to_string(count) : ""; };
    table.add({std::to_string(run.number), run.name, to_iso8601(run.started), end_of(run),
               number(facts ? requests_of(*facts) : 0), number(facts ? refused_of(*facts) : 0),
               facts ? std::string(to_string(headline(*facts, facts->counts).light)) : ""});
  }
  if (common.json) {
    print_json(all);
  } else {
    table.print("no run has been started: `cmpost run NAME`, with a [[run]] in the settings");
  }
  return ExitCode::ok;
}

Result<RunRow> find_run(RunTable table, std::int64_t number) {
  ASSIGN_OR_RETURN(auto run, table.find(number));
  if (!run) {
    return wrong_usage("there is no run " + std::to_string(number), "`cmpost report list`");
  }
  return *std::move(run);
}

void print(const RunRow& run, const RunFacts& facts) {
  const auto head = headline(facts, facts.counts);
  print_line(head.sentence);
  print_line(std::string(to_string(head.light)) + ": " + head.because);
  for (const auto& one : head.what_to_do) {
    print_line("- " + one.what + ". " + one.how);
    for (const auto& command : one.commands) print_line("    " + command);
  }
  print_line("from " + to_iso8601(run.started) + " to " + to_iso8601(facts.ended) + ", by " +
             printable(run.who) +
             (run.resumed == 0 ? "" : ", gone on with " + std::to_string(run.resumed) + " times"));
}

Result<ExitCode> show(std::int64_t number, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto run, find_run(RunTable(reader->connection()), number));
  ASSIGN_OR_RETURN(const auto facts, facts_in(run));
  if (common.json) {
    print_json(to_json(run, facts));
  } else if (facts) {
    print(run, *facts);
  } else {
    print_line("run " + run.name + " " + std::to_string(number) + " is under way since " +
               to_iso8601(run.started) + "; one that was killed goes on: `cmpost run " + run.name +
               "`");
  }
  return ExitCode::ok;
}

Result<ExitCode> make(std::int64_t number, std::string directory, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto run, find_run(RunTable(reader->connection()), number));
  const auto* const settings = instance->settings().run(run.name);
  if (!directory.empty()) TRY(make_directories(directory));
  if (directory.empty() && settings != nullptr) directory = settings->report;
  if (directory.empty()) {
    return wrong_usage("nobody says where the report belongs", "name a directory with --to");
  }
  ASSIGN_OR_RETURN(const auto path, report_run(*instance, number, directory));
  if (common.json) {
    print_json({{"report", path}});
  } else if (!common.quiet) {
    print_line("report: " + path);
  }
  return ExitCode::ok;
}

}  // namespace

void add_report(CommandLine line) {
  struct Options {
    std::string name, to;
    std::size_t limit = kUsual;
    std::int64_t number = 0;
  };
  auto options = std::make_shared<Options>();
  auto* const common = &line.options;
  auto* report = line.app.add_subcommand("report", "the runs that were, and their reports");
  report->require_subcommand(1);
  auto* listing = report->add_subcommand("list", "the newest runs");
  listing->add_option("name", options->name, "only those of this [[run]]");
  listing->add_option("--limit", options->limit, "so many")->check(CLI::Range(1, 100'000));
  listing->callback(
      [=] { line.action = [=] { return list(options->name, options->limit, *common); }; });
  auto* showing = report->add_subcommand("show", "what a run has come to, and what is to be done");
  showing->add_option("number", options->number, "of the run")->required();
  showing->callback([=] { line.action = [=] { return show(options->number, *common); }; });
  auto* making = report->add_subcommand(
      "make", "write the report of a run that has ended; again: the same octets");
  making->add_option("number", options->number, "of the run")->required();
  making->add_option("--to", options->to, "directory; that of the [[run]] if it is left out");
  making->callback(
      [=] { line.action = [=] { return make(options->number, options->to, *common); }; });
}

}  // namespace cmpost
