#include "watcher/log_stuck.h"

#include "base/bytes.h"
#include "base/log.h"

namespace cmpost {

void log_stuck(const std::string& channel, std::string_view source, const std::string& reason,
               const std::string& hint) {
  log::warning(
      "input.stuck",
      {{"channel", channel}, {"source", printable(source)}, {"reason", reason}, {"hint", hint}});
}

}  // namespace cmpost
