// One event, one line: `<time> <level> <event> key=value key="two words"`.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cmpost::log {

enum class Level { debug, info, warning, error };

// A key and its value. Values are made printable and quoted here; never pass keys, passwords or
// message bodies.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};
using Fields = std::initializer_list<Field>;

// Where lines go and which; stderr at `info` until called. May be called again.
struct Settings {
  Level level = Level::info;
  bool json = false;  // one JSON object a line instead of key=value
};
void configure(const Settings& settings);

// Waits until all lines are written, at most for `limit`. For the end of a process.
void flush(std::chrono::microseconds limit);

// On a terminal the line, without its end, stays below all that is logged until another one takes
// its place; empty: there is none any more. Where standard error is no terminal nothing is done.
// Any thread.
void keep_below(std::string line);
// Whether that does anything.
bool keeps_lines();

// May be called from any thread, and waits for nobody: what the reader of standard error does not
// take is kept for it in memory, and beyond 1 MiB dropped and counted (log.lines_lost). An event is
// two or three words with dots ("job.held").
void write(Level level, std::string_view event, Fields fields);
inline void debug(std::string_view event, Fields fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, Fields fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace cmpost::log
