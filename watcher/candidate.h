// One file of an input directory, judged by its content.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "crypto/keys/algorithm.h"
#include "watcher/drop_directory.h"
#include "watcher/unwrap.h"

namespace cmpost {

struct Finding {
  enum class What {
    take,     // `message` is what it holds
    bad_now,  // empty, cut off, of no known kind: for good, if it is settled
    retry,    // it changed under our eyes, or the system is short of something: look again
    gone
  };
  What what = What::gone;
  Bytes message;
  std::string reason;  // bad_now, retry
  std::string hint;
  bool may_grow = false;  // bad_now: more of it may come
};

// What a file is to hold, by its name and octets.
using ReadFile = std::function<Unwrapped(const std::string& name, Bytes contents)>;
inline Unwrapped read_message(const std::string&, Bytes contents) {
  return unwrap(std::move(contents));
}

// Reads `name`, which looked like `look`, and unwraps it. Opens nothing but regular files, follows
// no link, never blocks; a file of more than `max_octets` is judged without being read. `sha256`:
// of the file as it has to become; with another one it is bad_now and may grow, with this one it is
// whole, whatever it holds.
Finding judge(const DropDirectory& drop, DropDirectory::Place place, const std::string& name,
              const Look& look, std::size_t max_octets,
              const std::optional<Sha256>& sha256 = std::nullopt,
              const ReadFile& read = read_message);

}  // namespace cmpost
