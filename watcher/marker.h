// Files that say that another file is complete: ready = "marker".
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/keys/algorithm.h"
#include "watcher/drop_directory.h"
#include "watcher/settling.h"

namespace cmpost {

// "x.pki" of "x.pki.done" and "x.pki.ok", in any case; nullopt when it is no marker's name.
std::optional<std::string> marked_file(std::string_view name);
// The two names that a marker of `name` may have.
std::array<std::string, 2> markers_of(const std::string& name);

struct MarkerVerdict {
  enum class What {
    wait,      // there is none yet, or it may still be written
    take,      // if `sha256` fits
    bad,       // it says something else, for good; `reason`
    not_read,  // what it says nobody can tell now; `reason`
  };
  What what = What::wait;
  std::optional<Sha256> sha256;
  std::string reason;
};

// What the marker of `name` says, which itself looked like `look`. A marker holds nothing, or the
// file's SHA-256 in hexadecimal, alone or as sha256sum(1) writes it. An empty one that is older
// than the file may be left from a file of that name before, so it counts only when the file has
// settled (`settled`). `settling` gets to know the markers under their names.
struct MarkedFile {
  const std::string& name;
  const Look& look;
  bool settled;
};
MarkerVerdict judge_marker(const DropDirectory& drop, const MarkedFile& file, Settling& settling,
                           Time steady_now, std::int64_t file_system_now);

}  // namespace cmpost
