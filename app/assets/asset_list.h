// What should have a certificate, by somebody else's list.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/result.h"

namespace cmpost {

struct Asset {
  std::string name;
  std::string profile;   // empty: any will do
  std::size_t line = 0;  // in the file
};
struct AssetColumns {
  std::string name = "name", profile = "profile";  // case does not count
};
struct AssetList {
  std::vector<Asset> assets;
  std::vector<std::string> faults;  // "line 7: ...": rows that say nothing; the others count
};

// A file as base/csv_reader.h reads it; it may have other columns. Errors: no column for the name,
// none of that name for the profile when one was asked for, more than two million rows.
Result<AssetList> read_assets(std::istream& in, const AssetColumns& columns);

}  // namespace cmpost
