// Where log lines go: standard error, without ever waiting for who reads it.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace cmpost::log {

// A pipe whose reader has stopped, or a terminal that is held, takes no more lines: they are kept
// in memory, up to 1 MiB, and written by a thread of their own as soon as they are wanted again.
// What finds no room is counted, and a line says how many were lost and where. Any thread.
class PatientSink final : public spdlog::sinks::base_sink<std::mutex>,
                          public std::enable_shared_from_this<PatientSink> {
 public:
  // Makes the line that says how many were lost.
  using Lost = std::function<std::string(std::size_t lines)>;
  explicit PatientSink(Lost lost) : lost_(std::move(lost)) {}

  // On a terminal: stays below all lines until it is exchanged; empty: goes away. Elsewhere
  // nothing.
  void keep_below(std::string line);
  // Waits until all is written, but not longer than that.
  void flush_within(Duration limit);

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  // The members below need the mutex of base_sink.
  bool drain();
  bool drain_all();
  void note_written(std::size_t count);
  void forget(std::size_t count);
  std::size_t left() const { return waiting_.size() - written_; }
  void add(std::string_view line);
  void add_kept();
  void drain_now();
  void drain_later();

  const Lost lost_;
  std::string kept_;         // the line below all others; empty: none
  std::string waiting_;      // lines
  std::size_t written_ = 0;  // octets at the front of it
  bool torn_ = false;        // the last octet that was written ended no line
  std::size_t dropped_ = 0;
  bool draining_ = false;  // by the thread
};

}  // namespace cmpost::log
