#include "app/program.h"

#include <algorithm>

#include "app/assets/asset_commands.h"
#include "app/commands/commands.h"
#include "app/fleet/fleet_commands.h"
#include "app/officers/officer_commands.h"
#include "app/records/record_commands.h"
#include "app/service/service_commands.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "app/top/top_commands.h"

namespace cmpost {
namespace {

constexpr const char* kAbout =
    "CMP by post: a certificate authority reached by files and mail instead of a live connection.\n"
    "Start with `cmpost init DIR`, then see `cmpost COMMAND --help`.";

void add_commands(CommandLine line) {
  for (auto* add :
       {add_init,        add_check,         add_serve,   add_run,    add_status,  add_queue,
        add_transaction, add_approve,       add_reject,  add_secret, add_cert,    add_crl,
        add_ca,          add_announcement,  add_profile, add_audit,  add_channel, add_resend,
        add_bundle,      add_restore_check, add_inspect, add_clock,  add_report,  add_ra,
        add_order,       add_device,        add_batch,   add_top,    add_fleet,   add_rule,
        add_verdict,     add_orphan}) {
    add(line);
  }
}

ExitCode parse_error(const CLI::App& app, const CLI::ParseError& error,
                     const std::vector<std::string>& words) {
  const bool is_help = error.get_exit_code() == 0;
  // What CLI11 says of a misspelt command is that there is none.
  if (is_help) return app.exit(error) == 0 ? ExitCode::ok : ExitCode::usage;
  const auto unknown = find_unknown_word(app, words);
  print_error(unknown.value_or(
      Error{Recovery::hold, error.what(), "--help says what the command takes", Blame::usage}));
  return ExitCode::usage;
}

// `cmpost help secret add` is `cmpost secret add --help`, as people try it.
std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty()) return words;
  if (words.front() == "version") words.front() = "--version";
  if (words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

}  // namespace

void build_command_line(CommandLine line) {
  auto& [app, options, action] = line;
  app.description(kAbout);
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "cmpost " CMPOST_VERSION);
  app.add_option("--config", options.config,
                 "settings (default: ./cmpost.toml, then /etc/cmpost/cmpost.toml)");
  app.add_flag("--json", options.json, "print JSON where the command lists or shows something");
  app.add_flag("--quiet", options.quiet, "print errors only");
  app.add_option("--as", options.as, "who does it, kept in the audit log beside the account")
      ->check(CLI::Validator(
          [](std::string& name) {
            const bool blank = name.find_first_not_of(" \t") == std::string::npos;
            return blank ? std::string("the name is empty") : std::string();
          },
          "NAME"));
  app.add_option("--comment", options.comment, "why, kept in the audit log");
  add_commands(line);
}

ExitCode run_program(int argc, const char* const* argv) {
  CLI::App app("", "cmpost");
  CommonOptions options;
  Action action;
  build_command_line({app, options, action});
  const auto words = words_of(argc, argv);
  // Also of words that cannot be parsed.
  const bool json = std::ranges::find(words, "--json") != words.end();
  print_errors_as(json ? ErrorForm::json : ErrorForm::text);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    return parse_error(app, error, words);
  }
  const auto exit_code = action();
  if (exit_code) {
    const auto lost = find_lost_output();
    if (!lost) return *exit_code;
    print_error(*lost);
    return *exit_code == ExitCode::ok ? ExitCode::partly : *exit_code;
  }
  print_error(exit_code.error());
  return exit_code_of(exit_code.error());
}

}  // namespace cmpost
