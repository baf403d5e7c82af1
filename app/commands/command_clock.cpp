// `clock`: what is made of the wall clock, and a person's word that it is right.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/operator_act.h"
#include "app/looking/clock_notes.h"
#include "app/looking/doubted_times.h"
#include "app/terminal/output.h"
#include "ca/ledger/clock_record.h"

namespace cmpost {
namespace {

constexpr std::size_t kDoubtedTimes = 3;

nlohmann::json to_json(const DoubtedTime& time) {
  return {{"doubt", time.doubt},
          {"since", to_iso8601(time.since)},
          {"until", time.until ? nlohmann::json(to_iso8601(*time.until)) : nlohmann::json()},
          {"certificates", time.certificates},
          {"command", time.command}};
}

void print(const DoubtedTime& time) {
  print_line("it was " + time.doubt + " from " + to_iso8601(time.since) + " to " +
             (time.until ? to_iso8601(*time.until) : "now") + " by its own word; " +
             std::to_string(time.certificates) + " certificates are of that time" +
             (time.certificates == 0 ? "" : ": `" + time.command + "`"));
}

void print(const DoubtedTimes& times) {
  for (const auto& time : times.newest) print(time);
  if (times.more > 0) {
    print_line("... and " + std::to_string(times.more) +
               " more in the audit log: `cmpost audit show --event clock.doubted`");
  }
}

Result<ExitCode> show_clock(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto known, read_clock(reader->connection()));
  ASSIGN_OR_RETURN(const auto notes, find_clock_notes(*instance));
  ASSIGN_OR_RETURN(const auto doubted, find_doubted_times(*reader, kDoubtedTimes));
  const auto& clock = instance->watched_clock();
  const auto now = clock.read();
  const auto before = known.value_or(ClockState{now, ClockDoubt::none, {}});
  const auto state = judge(before, now, clock.rules());
  const auto sure = sure_time(state, now, clock.rules());
  const bool same_start = before.accepted.boot == now.boot;
  if (common.json) {
    nlohmann::json value = {{"clock", to_iso8601(now.wall)},
                            {"believed", to_iso8601(sure)},
                            {"last_look", to_iso8601(before.accepted.wall)},
                            {"same_start_of_machine", same_start},
                            {"synchronized", now.synchronized},
                            {"doubt", to_string(state.doubt)},
                            {"notes", nlohmann::json::array()}};
    for (const auto& note : notes) value["notes"].push_back(note.text);
    value["urgent"] = std::ranges::any_of(notes, &ClockNote::urgent);
    value["doubted"] = nlohmann::json::array();
    for (const auto& time : doubted.newest) value["doubted"].push_back(to_json(time));
    value["doubted_more"] = doubted.more;
    print_json(value);
  } else {
    print_line("the clock of this machine: " + to_iso8601(now.wall) +
               (now.synchronized ? ", kept right by a time service" : ""));
    print_line("believed:                  " + to_iso8601(sure));
    print_line("last believed and noted:   " + to_iso8601(before.accepted.wall) +
               (same_start ? "" : ", before this machine was started"));
    for (const auto& note : notes) print_line((note.urgent ? "URGENT: " : "warning: ") + note.text);
    if (notes.empty()) print_line("all well");
    print(doubted);
  }
  if (std::ranges::any_of(notes, &ClockNote::urgent)) return ExitCode::failed;
  return notes.empty() ? ExitCode::ok : ExitCode::partly;
}

Result<ExitCode> confirm(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  TRY(confirm_clock(*ledger, instance->watched_clock(),
                    by(instance->person(), nlohmann::json::object())));
  if (!common.quiet) {
    print_line("the clock is believed from now on: " + to_iso8601(instance->clock().now()));
    print_line("a running service notices within half a minute");
  }
  return ExitCode::ok;
}

}  // namespace

void add_clock(CommandLine line) {
  auto* clock = line.app.add_subcommand("clock", "whether the clock is right, as far as is known");
  auto* common = &line.options;
  clock->callback([=] {
    if (!line.action) line.action = [=] { return show_clock(*common); };
  });
  auto* confirming = clock->add_subcommand("confirm", "say that the clock is right as it is now");
  confirming->callback([=] { line.action = [=] { return confirm(*common); }; });
}

}  // namespace cmpost
