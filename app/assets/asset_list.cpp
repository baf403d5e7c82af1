#include "app/assets/asset_list.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/csv_reader.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostAssets = 2'000'000;
constexpr std::size_t kMostFaults = 1000;
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostColumns = 1000;  // of an inventory that knows everything

std::optional<std::size_t> place_of(const CsvReader& reader, const std::string& name) {
  const auto& columns = reader.columns();
  const auto found = std::ranges::find_if(
      columns, [&](const auto& column) { return lower_ascii(column) == lower_ascii(name); });
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

Error no_column(const CsvReader& reader, const std::string& name, const char* option) {
  std::string all;
  for (const auto& column : reader.columns()) {
    all += (all.empty() ? "'" : ", '") + printable(column, 40) + "'";
  }
  return {Recovery::hold, "the list has no column '" + printable(name, 80) + "'",
          "it has " + printable(all, 400) + "; " + option + " says which one is meant"};
}

std::string fault_of(const CsvRow& row, const std::string& name) {
  if (!row.fault.empty()) return row.fault;
  if (name.empty()) return "there is no name";
  if (name.size() > kLongestName) return "the name has more than 200 octets";
  return {};
}

}  // namespace

Result<AssetList> read_assets(std::istream& in, const AssetColumns& columns) {
  ASSIGN_OR_RETURN(auto reader, CsvReader::open(in, {.columns = kMostColumns}));
  const auto name = place_of(reader, columns.name);
  if (!name) return failure(no_column(reader, columns.name, "--name-column"));
  const auto profile = place_of(reader, columns.profile);
  if (!profile && columns.profile != AssetColumns().profile) {
    return failure(no_column(reader, columns.profile, "--profile-column"));
  }
  AssetList list;
  for (;;) {
    ASSIGN_OR_RETURN(auto row, reader.next());
    if (!row) return list;
    auto& cells = row->cells;
    if (const auto fault = fault_of(*row, row->fault.empty() ? cells[*name] : ""); !fault.empty()) {
      if (list.faults.size() < kMostFaults) {
        list.faults.push_back("line " + std::to_string(row->line) + ": " + fault);
      }
      continue;
    }
    if (list.assets.size() == kMostAssets) return hold("the list has more than 2 000 000 rows");
    list.assets.push_back(
        {std::move(cells[*name]), profile ? std::move(cells[*profile]) : "", row->line});
  }
}

}  // namespace cmpost
