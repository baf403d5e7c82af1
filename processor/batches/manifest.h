// The list of what a batch is to have: a row for each request that is expected.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/csv_reader.h"
#include "base/result.h"

namespace cmpost {

struct ManifestRow {
  std::size_t line = 0;  // in the file
  std::string file;      // name of the request's file; may be empty
  std::string name;      // of the device; may be empty where there is a file
  std::string serial, mac, subject, profile, note;  // as they stand there
  std::string fault;                                // what is wrong with this row alone
};

// The columns are those of a list of devices, and `file`; `file`, `name` or both must be there, in
// any order and case. An Error (hold): the list cannot be read to its end, has a column that nobody
// knows (the nearest is named), or more rows than `most`.
Result<std::vector<ManifestRow>> read_manifest(std::istream& in, std::size_t most);

}  // namespace cmpost
