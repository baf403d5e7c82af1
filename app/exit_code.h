// What a command says to the shell (docs/operations.md).
#pragma once

namespace cmpost {

enum class ExitCode {
  ok = 0,
  failed = 1,          // nothing done because of an error
  partly = 2,          // some items were refused or held
  usage = 64,          // EX_USAGE: wrong command line
  configuration = 78,  // EX_CONFIG: wrong settings
};

}  // namespace cmpost
