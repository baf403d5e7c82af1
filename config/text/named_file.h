// A file that the settings name, and what for.
#pragma once

#include <string>

#include "config/text/complaint.h"

namespace cmpost {

// A file or directory that the settings name, for check_files().
struct NamedFile {
  // `made`: a directory that is made when it is missing; `removable`: one that may be away.
  enum class Use { secret, readable, directory, writable_file, made, removable };
  std::string path;
  Use use = Use::readable;
  std::string key;  // "ca.key"
  Position at;
};

}  // namespace cmpost
