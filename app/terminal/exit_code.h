// What a command says to the shell (docs/operations.md).
#pragma once

#include "base/result.h"

namespace cmpost {

enum class ExitCode {
  ok = 0,
  failed = 1,  // nothing done because of an error
  partly = 2,  // some items were refused or held
  usage = 64,  // EX_USAGE: wrong command line, whatever the instance says
  hung = 75,   // EX_TEMPFAIL: asked to stop, and ended while something hung; nothing is lost
  configuration = 78,  // EX_CONFIG: wrong settings
};

// Of a command that ends with this.
inline ExitCode exit_code_of(const Error& error) {
  switch (error.blame) {
    case Blame::settings:
      return ExitCode::configuration;
    case Blame::usage:
      return ExitCode::usage;
    case Blame::world:
      break;
  }
  return ExitCode::failed;
}

}  // namespace cmpost
