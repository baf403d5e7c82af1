// A file that the settings name, and what for.
#pragma once

#include <string>

#include "config/text/complaint.h"

namespace cmpost {

// A file or directory that the settings name, for check_files().
struct NamedFile {
  enum class Use {
    secret,
    readable,
    directory,
    writable_file,
    made,       // a directory that is made when it is missing
    exchanged,  // a directory of a channel, where others write and read
    removable,  // the same, which may be away
    program,    // is executed, and nobody else may change it
    published   // a file that is written among other people's pages
  };
  std::string path;
  Use use = Use::readable;
  std::string key;  // "ca.key"
  Position at;
};

}  // namespace cmpost
