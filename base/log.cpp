#include "base/log.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/patient_sink.h"

namespace cmpost::log {
namespace {

std::atomic<bool> json_lines = false;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string lost_lines(std::size_t lines);

// Never destroyed: other threads may log until the process is gone.
const std::shared_ptr<PatientSink>& sink() {
  static const auto* const kSink =
      new std::shared_ptr<PatientSink>(std::make_shared<PatientSink>(lost_lines));
  return *kSink;
}

spdlog::logger& logger() {
  static auto* const instance = [] {
    auto* const made = new spdlog::logger("cmpost", sink());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

std::string in_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text + "\"";
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"\\") != std::string_view::npos;
}

std::string line_of(spdlog::level::level_enum level, std::string_view event, Fields fields) {
  const auto now = to_iso8601(SystemClock().now());
  const auto name = spdlog::level::to_string_view(level);
  std::string line;
  if (json_lines) {
    line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", now,
                       std::string_view(name.data(), name.size()), in_quotes(event));
    for (const auto& field : fields) {
      line += fmt::format(",{}:{}", in_quotes(field.key), in_quotes(printable(field.value, 2000)));
    }
    return line + "}";
  }
  line = fmt::format("{} {} {}", now, std::string_view(name.data(), name.size()), event);
  for (const auto& field : fields) {
    const auto value = printable(field.value, 2000);
    line += fmt::format(" {}={}", field.key, needs_quotes(value) ? in_quotes(value) : value);
  }
  return line;
}

std::string lost_lines(std::size_t lines) {
  return line_of(spdlog::level::warn, "log.lines_lost",
                 {{"lines", lines}, {"reason", "nobody read the log fast enough"}});
}

}  // namespace

void configure(const Settings& settings) {
  json_lines = settings.json;
  logger().set_level(to_spdlog(settings.level));
}

void write(Level level, std::string_view event, Fields fields) {
  const auto spdlog_level = to_spdlog(level);
  if (!logger().should_log(spdlog_level)) return;
  logger().log(spdlog_level, "{}", line_of(spdlog_level, event, fields));
}

bool keeps_lines() { return ::isatty(STDERR_FILENO) == 1; }

void keep_below(std::string line) { sink()->keep_below(std::move(line)); }

void flush(std::chrono::microseconds limit) { sink()->flush_within(limit); }

}  // namespace cmpost::log
