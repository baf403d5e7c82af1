#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"

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

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("cmpost",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

std::string quoted(std::string_view value) {
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

}  // namespace

void configure(const Settings& settings) {
  json_lines = settings.json;
  logger().set_level(to_spdlog(settings.level));
}

void write(Level level, std::string_view event, Fields fields) {
  const auto spdlog_level = to_spdlog(level);
  if (!logger().should_log(spdlog_level)) return;
  const auto now = to_iso8601(SystemClock().now());
  const auto name = spdlog::level::to_string_view(spdlog_level);
  std::string line;
  if (json_lines) {
    line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", now,
                       std::string_view(name.data(), name.size()), quoted(event));
    for (const auto& field : fields) {
      line += fmt::format(",{}:{}", quoted(field.key), quoted(printable(field.value, 2000)));
    }
    line += "}";
  } else {
    line = fmt::format("{} {} {}", now, std::string_view(name.data(), name.size()), event);
    for (const auto& field : fields) {
      const auto value = printable(field.value, 2000);
      line += fmt::format(" {}={}", field.key, needs_quotes(value) ? quoted(value) : value);
    }
  }
  logger().log(spdlog_level, "{}", line);
}

}  // namespace cmpost::log
