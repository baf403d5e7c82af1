#include "processor/batches/manifest.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/text/spelling.h"
#include "processor/credentials/name_pattern.h"

namespace cmpost {
namespace {

// Of a list of devices; what is of no use to a batch is let pass, so that one list does for both.
const std::vector<std::string> kColumns = {
    "file",    "name",   "vendor",     "serial",      "mac",  "profile", "subject", "san",  "site",
    "channel", "secret", "valid_from", "valid_until", "uses", "batch",   "contact", "note",
};

constexpr std::size_t kLongestCell = 1000;

// The columns by their number; nullptr: not needed.
Result<std::vector<std::string ManifestRow::*>> fields_of(const std::vector<std::string>& columns) {
  static const std::vector<std::pair<std::string_view, std::string ManifestRow::*>> kFields = {
      {"file", &ManifestRow::file},       {"name", &ManifestRow::name},
      {"serial", &ManifestRow::serial},   {"mac", &ManifestRow::mac},
      {"subject", &ManifestRow::subject}, {"profile", &ManifestRow::profile},
      {"note", &ManifestRow::note}};
  std::vector<std::string ManifestRow::*> fields;
  bool has_key = false;
  for (const auto& column : columns) {
    const auto word = lower_ascii(column);
    if (std::ranges::find(kColumns, word) == kColumns.end()) {
      return hold("nobody knows the column " + printable(column, 60), suggestion(word, kColumns));
    }
    const auto known =
        std::ranges::find_if(kFields, [&](const auto& one) { return one.first == word; });
    fields.push_back(known == kFields.end() ? nullptr : known->second);
    has_key = has_key || word == "file" || word == "name";
  }
  if (has_key) return fields;
  return hold("the list has neither the column file nor the column name",
              "one of them says which request a row is for");
}

std::string fault_of(const ManifestRow& row) {
  if (row.file.empty() && row.name.empty()) return "the row names neither a file nor a device";
  if (row.subject.empty()) return {};
  const auto pattern = SubjectPattern::parse(row.subject);
  return pattern ? std::string() : "subject: " + pattern.error().what;
}

}  // namespace

Result<std::vector<ManifestRow>> read_manifest(std::istream& in, std::size_t most) {
  ASSIGN_OR_RETURN(auto reader, CsvReader::open(in));
  ASSIGN_OR_RETURN(const auto fields, fields_of(reader.columns()));
  std::vector<ManifestRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(auto read, reader.next());
    if (!read) return rows;
    if (rows.size() == most) {
      return hold("the list has more than " + std::to_string(most) + " rows",
                  "make several batches of it");
    }
    ManifestRow row;
    row.line = read->line;
    row.fault = read->fault;
    for (std::size_t i = 0; row.fault.empty() && i < std::min(fields.size(), read->cells.size());
         ++i) {
      if (fields[i] == nullptr) continue;
      row.*fields[i] = printable(read->cells[i], kLongestCell);
    }
    if (row.fault.empty()) row.fault = fault_of(row);
    rows.push_back(std::move(row));
  }
}

}  // namespace cmpost
