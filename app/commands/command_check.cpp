#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/channel_kinds.h"
#include "app/instance/instance.h"
#include "app/looking/inspection.h"
#include "app/terminal/output.h"

namespace cmpost {
namespace {

using nlohmann::json;

// Of the answers in the spool; `cmpost restore-check` looks at all.
constexpr std::size_t kNewestAnswers = 10'000;

// What a server of a channel says to a log-in.
struct LogIn {
  std::string channel, text;
};

std::string hosts_of(const ChannelSettings& channel) {
  const auto& server = *kind_of(channel).server;
  const auto in = server.host(channel, Way::in), out = server.host(channel, Way::out);
  return in == out ? in : in + " and " + out;
}

// Logs in wherever there is something to log in to, whoever cannot.
std::vector<LogIn> log_in_everywhere(const Instance& instance, Remarks& findings) {
  std::vector<LogIn> well;
  for (const auto& channel : instance.settings().channels) {
    const auto& server = kind_of(channel).server;
    if (!server) continue;
    if (const auto done = server->log_in(channel); !done) {
      findings.add(RemarkKind::server, RemarkSubject::of_channel(channel.name), done.error());
    } else {
      well.push_back({channel.name, std::string(server->reached) + " " + hosts_of(channel)});
    }
  }
  return well;
}

// What goes on is for `status`; who may do what is decided in the settings.
bool is_said(const Remark& finding) {
  return finding.severity != Severity::note || finding.kind == RemarkKind::rights;
}

void print(const Remark& finding) {
  const bool placed = !finding.place.empty();
  if (placed || finding.severity != Severity::error) {
    return print_warning((placed ? "" : "cmpost: ") + to_string(finding) +
                         (finding.hint.empty() ? "" : " (" + finding.hint + ")"));
  }
  print_error(Error{Recovery::hold, to_string(finding), finding.hint, Blame::world});
}

void print(const Remarks& findings, const std::vector<LogIn>& log_ins, const std::string& file,
           const CommonOptions& options) {
  if (options.json) {
    auto well = json::array();
    for (const auto& one : log_ins) well.push_back({{"channel", one.channel}, {"text", one.text}});
    return print_json({{"file", file},
                       {"exit_code", static_cast<int>(findings.exit_code())},
                       {"findings", to_json(findings)},
                       {"logged_in", std::move(well)}});
  }
  for (const auto& finding : findings.all()) {
    if (is_said(finding)) print(finding);
  }
  if (findings.exit_code() == ExitCode::configuration) {
    print_error(Error{Recovery::hold, "the settings have mistakes",
                      "docs/configuration.md describes every key", Blame::settings});
  }
  if (options.quiet) return;
  for (const auto& one : log_ins) print_line("channel " + one.channel + ": " + one.text);
  if (findings.exit_code() != ExitCode::ok) return;
  print_line(file +
             (std::ranges::none_of(findings.all(), is_said) ? ": all well" : ": no mistakes"));
}

// Every mistake that can be found without working, each layer whatever the others say.
Result<ExitCode> check(const CommonOptions& options, bool connect) {
  Remarks findings;
  std::vector<LogIn> log_ins;
  ASSIGN_OR_RETURN(auto loaded, read_settings(options));
  std::string file;
  if (!loaded) {
    for (const auto& complaint : loaded.error()) findings.add(complaint);
    file = loaded.error().empty() ? options.config : loaded.error().front().file;
  } else {
    Instance instance(std::move(*loaded));
    file = instance.settings().file;
    look_at_clock(instance, findings);
    look_at_settings(instance, findings);
    look_at_devices(instance, findings);
    look_at_authority(instance, kNewestAnswers, findings);
    look_at_work(instance, findings);
    look_at_jobs(instance, findings);
    if (connect) log_ins = log_in_everywhere(instance, findings);
  }
  print(findings, log_ins, file, options);
  return findings.exit_code();
}

}  // namespace

void add_check(CommandLine line) {
  auto* command = line.app.add_subcommand("check", "find every mistake in the configuration");
  auto connect = std::make_shared<bool>(false);
  command->add_flag("--connect", *connect, "also log in at the servers of every channel");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return check(*common, *connect); }; });
}

}  // namespace cmpost
