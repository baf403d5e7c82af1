// A list of devices on its way into the ledger: what each row of a file would change.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "base/csv_reader.h"
#include "processor/devices/device_table.h"

namespace cmpost {

enum class RowNews {
  added,
  same,
  changed,
  conflict  // it cannot be taken; the others can
};

struct FieldChange {
  DeviceColumn column = DeviceColumn::name;
  std::string before, after;  // cells
};

struct ImportedRow {
  std::size_t line = 0;
  RowNews news = RowNews::conflict;
  Device device{};  // as it will be
  std::vector<FieldChange> changes{};
  std::string secret{};       // that the row brings; empty: none
  std::string fault, hint{};  // of a conflict, in words
};

// What rows may name.
struct ImportNames {
  std::vector<std::string> vendors, profiles, channels;
};

// Reads a row at a time; which names and numbers have come is kept in a temporary table of the
// connection, so that memory stays flat. One thread; the stream and the connection outlive it. Rows
// are judged by what the connection sees, so that those of an earlier row are known once they are
// in the table.
class DeviceImport {
 public:
  // An Error for a column that is unknown, with the nearest name, and without the column `name`.
  static Result<DeviceImport> open(std::istream& in, ImportNames names, Connection& connection);

  bool has(DeviceColumn column) const;
  // nullopt at the end. Columns that the file does not have stay as they are.
  Result<std::optional<ImportedRow>> next();
  // A row that is not taken after all.
  Result<void> withdraw(const ImportedRow& row);
  // After the end: devices that are listed, not retired, and not in this file, by their names until
  // `each` gives false; how many there are.
  Result<std::int64_t> missing(const std::function<bool(const std::string&)>& each);

 private:
  DeviceImport(CsvReader reader, ImportNames names, Connection& connection)
      : reader_(std::move(reader)), names_(std::move(names)), connection_(connection) {}
  Result<ImportedRow> judge(const CsvRow& row);
  Result<void> read_cells(const CsvRow& row, Device& device, std::string& secret) const;
  Result<void> check(const Device& device) const;
  // What is wrong with a row; an Error is trouble with the database.
  using Fault = std::optional<Error>;
  Result<Fault> note(char kind, std::string_view key, std::size_t line);
  Result<void> mention(const std::string& name, std::size_t line);
  Result<void> gather_looks();
  Result<Fault> check_looks(const std::string& name);
  Result<bool> still_has(const Device& other, std::string Device::*number);
  Result<void> note_taken(const Device& device);
  Result<Fault> check_others(const Device& device, const std::optional<Device>& before,
                             std::size_t line);

  CsvReader reader_;
  ImportNames names_;
  Connection& connection_;
  std::vector<DeviceColumn> columns_;
  bool looks_gathered_ = false;
};

}  // namespace cmpost
