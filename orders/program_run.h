// One run of the program that places orders.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

struct ProgramRun {
  std::string program;                             // absolute
  std::map<std::string, std::string> environment;  // and nothing else
  Bytes input;
  std::size_t most_output = 0;  // octets
  Duration time_limit{};
};

struct ProgramEnd {
  enum class What {
    exited,       // with `status`, and all of its output is in `output`
    not_started,  // it has not run at all; `error` says why
    ended         // it has run, and was killed by us or by others, or printed too much: `error`
  };
  What what = What::not_started;
  int status = 0;
  Bytes output;
  Error error;
};

// Runs it without a shell and without arguments, in a process group of its own, with `input` on
// stdin; its stderr is ours, so that it gets into the log of the service. At the time limit, when
// it prints more than it may, and half a second after a stop is requested, the group is killed; so
// is what the program has left behind. One thread.
ProgramEnd run_program(const ProgramRun& run, const std::stop_token& stop);

}  // namespace cmpost
