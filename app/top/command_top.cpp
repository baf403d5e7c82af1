// `top`: an instance at work, looked at again and again. Writes nothing.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/service/process_signals.h"
#include "app/terminal/output.h"
#include "app/terminal/terminal.h"
#include "app/top/picture.h"
#include "app/top/top_commands.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kColumns = 80, kRows = 200;  // where there is no terminal
constexpr auto kBetweenKeys = 100ms;

// The second screen of a terminal and single keys, until the end.
class Screen {
 public:
  Screen() {
    print("\x1b[?1049h\x1b[?25l");
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    auto single = before_;
    single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &single);
  }
  ~Screen() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    print("\x1b[?25h\x1b[?1049l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static void show(const std::vector<std::string>& lines) {
    std::string text = "\x1b[H";
    for (const auto& line : lines) text += line + "\x1b[K\r\n";
    print(text + "\x1b[J");
  }
  // Whether somebody wants to go.
  bool asked_to_end() const {
    pollfd keys = {STDIN_FILENO, POLLIN, 0};
    char key = 0;
    if (!known_ || ::poll(&keys, 1, 0) != 1) return false;
    return ::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
  }

 private:
  static void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  termios before_{};
  bool known_ = false;
};

Result<void> look_into(LedgerReader& reader, Glance& glance) {
  ASSIGN_OR_RETURN(glance.certificates, reader.count());
  ASSIGN_OR_RETURN(glance.ageing, TransactionTable(reader.connection()).ageing());
  ASSIGN_OR_RETURN(glance.undecided, WaitTable(reader.connection()).backlog());
  RunTable runs(reader.connection());
  ASSIGN_OR_RETURN(const auto under_way, runs.under_way());
  if (under_way.empty()) return {};
  RunTable::Progress progress;
  TRY(runs.look(under_way.front().number, progress));
  glance.run = {under_way.front(), progress};
  return {};
}

void look_at_ledger(Instance& instance, Glance& glance) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return glance.findings.add(RemarkKind::database, "the ledger", reader.error());
  if (const auto looked = look_into(**reader, glance); !looked) {
    glance.findings.add(RemarkKind::database, "the ledger", looked.error());
  }
}

void count_answers(Instance& instance, Glance& glance) {
  for (const auto& channel : instance.settings().channels) {
    glance.kinds.emplace_back(channel.name, channel.kind());
  }
  const auto spool = instance.look_into_spool();
  if (!spool) return;  // told of the queues
  for (const auto& channel : instance.settings().channels) {
    const auto counts = (*spool)->replies().counts_of(channel.name);
    if (!counts) return;
    glance.to_send.emplace_back(channel.name, counts->waiting + counts->active + counts->deferred);
  }
}

Result<Glance> look(const CommonOptions& options, const Clock& steady) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  Glance glance;
  glance.at = steady.now();
  glance.now = SystemClock().now();
  glance.instance = instance->settings().instance.name;
  glance.role = instance->is_ca() ? "CA" : "RA";
  glance.jobs = look_at_jobs(*instance, glance.findings);
  glance.work = look_at_work(*instance, glance.findings);
  look_at_ledger(*instance, glance);
  look_at_runs(*instance, glance.findings);
  count_answers(*instance, glance);
  return glance;
}

// Two looks, a second apart.
Result<ExitCode> print_once(const CommonOptions& options, ProcessSignals& signals) {
  const SteadyClock steady;
  ASSIGN_OR_RETURN(const auto before, look(options, steady));
  (void)signals.wait(1s);
  ASSIGN_OR_RETURN(const auto now, look(options, steady));
  const auto rates = rates_of(&before, now);
  if (options.json) {
    print_json(to_json(now, rates));
  } else {
    const auto columns = terminal_columns().value_or(kColumns);
    for (const auto& line : picture_of(now, rates, columns, kRows)) print_line(line);
  }
  return ExitCode::ok;
}

// False: that is the end.
bool wait_a_while(Duration every, ProcessSignals& signals, const Screen& screen) {
  const SteadyClock steady;
  for (const auto end = steady.now() + every; steady.now() < end;) {
    if (signals.wait(kBetweenKeys) == Asked::stop || screen.asked_to_end()) return false;
  }
  return true;
}

Result<ExitCode> watch(const CommonOptions& options, Duration every, ProcessSignals& signals) {
  const SteadyClock steady;
  std::optional<Glance> before;
  ASSIGN_OR_RETURN(auto glance, look(options, steady));
  const Screen screen;
  for (;;) {
    const auto rates = rates_of(before ? &*before : nullptr, glance);
    const auto columns = terminal_columns().value_or(kColumns);
    const auto rows = terminal_rows().value_or(24);
    auto lines = picture_of(glance, rates, columns, rows - std::min<std::size_t>(rows, 2));
    lines.push_back(fitted("q: end; `cmpost status` tells more", columns));
    Screen::show(lines);
    if (!wait_a_while(every, signals, screen)) return ExitCode::ok;
    before = std::move(glance);
    ASSIGN_OR_RETURN(glance, look(options, steady));
  }
}

Result<ExitCode> top(const CommonOptions& options, int every, bool once) {
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::stop));
  if (once || options.json || !terminal_columns()) return print_once(options, *signals);
  return watch(options, std::chrono::seconds(every), *signals);
}

}  // namespace

void add_top(CommandLine line) {
  auto* command = line.app.add_subcommand("top", "queues, rates and channels, while they work");
  auto every = std::make_shared<int>(2);
  auto once = std::make_shared<bool>(false);
  command->add_option("--every", *every, "seconds between two looks (2)")
      ->check(CLI::Range(1, 3600));
  command->add_flag("--once", *once, "one picture, of a second; also where there is no terminal");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return top(*common, *every, *once); }; });
}

}  // namespace cmpost
