// What a command says to the shell (docs/operations.md).
#pragma once

#include "base/result.h"

namespace cmpost {

enum class ExitCode {
  ok = 0,
  failed = 1,  // nothing done because of an error
  partly = 2,  // some items were refused or held
  usage = 64,  // EX_USAGE: wrong command line
  hung = 75,   // EX_TEMPFAIL: asked to stop, and ended while something hung; nothing is lost
  configuration = 78,  // EX_CONFIG: wrong settings
};

// Of a command that ends with this.
inline ExitCode exit_code_of(const Error& error) {
  return error.blame == Blame::settings ? ExitCode::configuration : ExitCode::failed;
}

}  // namespace cmpost
