#include "processor/devices/device_import.h"

#include <algorithm>

#include "asn1/name.h"
#include "base/bytes.h"
#include "base/joined.h"
#include "config/text/spelling.h"
#include "processor/devices/device_text.h"
#include "store/rows.h"

namespace cmpost {
namespace {

// What makes two rows of one file the same device.
constexpr char kName = 'n', kSerial = 's', kMac = 'm';
// A name of a row that is not taken: the file has its device all the same.
constexpr char kMentioned = 'x';

std::vector<std::string> all_columns() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kDeviceColumns; ++i) {
    names.emplace_back(to_string(device_column_at(i)));
  }
  return names;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string in_quotes(std::string_view text) { return "'" + printable(text, 60) + "'"; }

Result<void> check_known(std::string_view kind, const std::string& name,
                         const std::vector<std::string>& known) {
  if (name.empty() || std::ranges::find(known, name) != known.end()) return {};
  return hold("there is no " + std::string(kind) + " " + in_quotes(name) + " in the settings",
              known.empty() ? "" : suggestion(name, known));
}

Error fault(std::string what, std::string hint) {
  return {Recovery::hold, std::move(what), std::move(hint)};
}

Error taken(const std::string& what, const Device& other) {
  return fault(
      what + " is that of the device " + in_quotes(other.name),
      "mend one of the two rows, or leave this one out; of two devices that exchange their "
      "numbers one is imported with an empty one first");
}

std::vector<FieldChange> changes_of(const std::vector<DeviceColumn>& columns, const Device& before,
                                    const Device& after) {
  std::vector<FieldChange> changes;
  for (const auto column : columns) {
    auto was = cell_of(before, column), is = cell_of(after, column);
    if (was != is) changes.push_back({column, std::move(was), std::move(is)});
  }
  return changes;
}

}  // namespace

Result<DeviceImport> DeviceImport::open(std::istream& in, ImportNames names,
                                        Connection& connection) {
  ASSIGN_OR_RETURN(auto reader, CsvReader::open(in));
  DeviceImport rows(std::move(reader), std::move(names), connection);
  for (const auto& name : rows.reader_.columns()) {
    const auto column = device_column(name);
    if (!column) {
      return hold("there is no column " + in_quotes(name) + " in a list of devices",
                  suggestion(name, all_columns()));
    }
    rows.columns_.push_back(*column);
  }
  if (!rows.has(DeviceColumn::name)) {
    return hold("the list has no column 'name', which tells one device from another",
                "columns: " + joined(all_columns()));
  }
  TRY(connection.execute(
      "DROP TABLE IF EXISTS temp.device_seen; CREATE TEMP TABLE device_seen (key TEXT PRIMARY KEY, "
      "line INTEGER NOT NULL) WITHOUT ROWID;"
      "DROP TABLE IF EXISTS temp.device_moved; CREATE TEMP TABLE device_moved (id INTEGER PRIMARY "
      "KEY, vendor TEXT NOT NULL, serial TEXT NOT NULL, mac TEXT NOT NULL);"
      "DROP TABLE IF EXISTS temp.device_looks; CREATE TEMP TABLE device_looks (looks TEXT PRIMARY "
      "KEY, name TEXT NOT NULL) WITHOUT ROWID;"));
  return rows;
}

bool DeviceImport::has(DeviceColumn column) const {
  return std::ranges::find(columns_, column) != columns_.end();
}

Result<void> DeviceImport::read_cells(const CsvRow& row, Device& device,
                                      std::string& secret) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto read = set_cell(device, columns_[i], row.cells[i]);
    if (!read) {
      auto error = std::move(read).error();
      error.what = std::string(to_string(columns_[i])) + " " + error.what;
      return failure(std::move(error));
    }
    if (columns_[i] != DeviceColumn::secret) continue;
    ASSIGN_OR_RETURN(auto said, secret_cell(row.cells[i]));
    secret = std::move(said.value);
  }
  return {};
}

// What a row says has to fit the settings and itself.
Result<void> DeviceImport::check(const Device& device) const {
  TRY(check_known("vendor", device.vendor, names_.vendors));
  TRY(check_known("profile", device.profile, names_.profiles));
  TRY(check_known("channel", device.channel, names_.channels));
  if (auto subject = subject_of(device); !subject) {
    auto error = std::move(subject).error();
    error.what = "name " + error.what;
    return failure(std::move(error));
  }
  if (device.valid_from && device.valid_until && *device.valid_until <= *device.valid_from) {
    return hold("valid_until is not after valid_from");
  }
  return {};
}

Result<DeviceImport::Fault> DeviceImport::note(char kind, std::string_view key, std::size_t line) {
  const auto text = kind + std::string(key);
  ASSIGN_OR_RETURN(
      const auto added,
      change(connection_, "INSERT OR IGNORE INTO temp.device_seen VALUES (?, ?)", text, line));
  if (added == 1) return std::nullopt;
  ASSIGN_OR_RETURN(const auto first,
                   only(connection_, "SELECT line FROM temp.device_seen WHERE key = ?",
                        column<std::int64_t>, text));
  const auto what = kind == kName     ? "name"
                    : kind == kSerial ? "vendor and serial"
                                      : "vendor and mac";
  return fault(std::string(what) + " of line " + std::to_string(first) + " once more",
               "one device has one row");
}

Result<void> DeviceImport::mention(const std::string& name, std::size_t line) {
  TRY(change(connection_, "INSERT OR IGNORE INTO temp.device_seen VALUES (?, ?)",
             kMentioned + folded_value(name), line));
  return {};
}

// The names of the list that are not ASCII alone: of all others `folded` says it.
Result<void> DeviceImport::gather_looks() {
  if (looks_gathered_) return {};
  looks_gathered_ = true;
  ASSIGN_OR_RETURN(
      const auto names,
      all(connection_, "SELECT name FROM device WHERE name GLOB '*[^ -~]*'", column<std::string>));
  for (const auto& name : names) {
    TRY(change(connection_, "INSERT OR IGNORE INTO temp.device_looks VALUES (?, ?)",
               appearance(name), name));
  }
  return {};
}

// Of a new device.
Result<DeviceImport::Fault> DeviceImport::check_looks(const std::string& name) {
  if (is_ascii(name)) return std::nullopt;
  TRY(gather_looks());
  const auto looks = appearance(name);
  ASSIGN_OR_RETURN(const auto same, DeviceTable(connection_).namesake(looks));
  ASSIGN_OR_RETURN(const auto other,
                   one(connection_, "SELECT name FROM temp.device_looks WHERE looks = ?",
                       column<std::string>, looks));
  if (same || other) {
    return fault("the names " + in_quotes(name) + " and " + in_quotes(other ? *other : same->name) +
                     " look the same to people",
                 "write it as it is listed, or choose another name");
  }
  return std::nullopt;
}

// Another device that has the number when this row is taken: what an earlier row of the file has
// given another number has it no more.
Result<bool> DeviceImport::still_has(const Device& other, std::string Device::*number) {
  const auto read = [](Row& row) {
    Device moved;
    row.into(moved.vendor, moved.serial, moved.mac);
    return moved;
  };
  ASSIGN_OR_RETURN(
      const auto moved,
      one(connection_, "SELECT vendor, serial, mac FROM temp.device_moved WHERE id = ?", read,
          other.id));
  return !moved || (moved->vendor == other.vendor && (*moved).*number == other.*number);
}

// Of a row that can be taken.
Result<void> DeviceImport::note_taken(const Device& device) {
  if (!is_ascii(device.name)) {
    TRY(change(connection_, "INSERT OR IGNORE INTO temp.device_looks VALUES (?, ?)",
               appearance(device.name), device.name));
  }
  if (device.id == 0) return {};
  TRY(change(connection_, "INSERT OR REPLACE INTO temp.device_moved VALUES (?, ?, ?, ?)", device.id,
             device.vendor, device.serial, device.mac));
  return {};
}

Result<void> DeviceImport::withdraw(const ImportedRow& row) {
  TRY(change(connection_, "DELETE FROM temp.device_moved WHERE id = ?", row.device.id));
  if (row.device.id == 0) {
    TRY(change(connection_, "DELETE FROM temp.device_looks WHERE name = ?", row.device.name));
  }
  return {};
}

// No other device may have its number; neither in the ledger, where what it had before is its own,
// nor in this file.
Result<DeviceImport::Fault> DeviceImport::check_others(const Device& device,
                                                       const std::optional<Device>& before,
                                                       std::size_t line) {
  DeviceTable table(connection_);
  if (device.vendor.empty()) return std::nullopt;
  const bool same_vendor = before && before->vendor == device.vendor;
  if (!device.serial.empty()) {
    if (!same_vendor || before->serial != device.serial) {
      ASSIGN_OR_RETURN(const auto other, table.of_serial(device.vendor, device.serial));
      if (other) {
        ASSIGN_OR_RETURN(const bool has, still_has(*other, &Device::serial));
        if (has) return taken("the serial of this vendor", *other);
      }
    }
    ASSIGN_OR_RETURN(auto twice, note(kSerial, device.vendor + "\n" + device.serial, line));
    if (twice) return twice;
  }
  if (!device.mac.empty()) {
    if (!same_vendor || before->mac != device.mac) {
      ASSIGN_OR_RETURN(const auto other, table.of_mac(device.vendor, device.mac));
      if (other) {
        ASSIGN_OR_RETURN(const bool has, still_has(*other, &Device::mac));
        if (has) return taken("the MAC address of this vendor", *other);
      }
    }
    return note(kMac, device.vendor + "\n" + device.mac, line);
  }
  return std::nullopt;
}

Result<ImportedRow> DeviceImport::judge(const CsvRow& row) {
  ImportedRow judged;
  judged.line = row.line;
  const auto named_at = std::ranges::find(columns_, DeviceColumn::name) - columns_.begin();
  judged.device.name = without_outer_blanks(row.cells[static_cast<std::size_t>(named_at)]);
  if (!row.fault.empty()) {
    TRY(mention(judged.device.name, row.line));
    judged.fault = row.fault;
    return judged;
  }
  const auto blame_row = [&](Error error) {
    judged.news = RowNews::conflict;
    judged.fault = std::move(error.what);
    judged.hint = std::move(error.hint);
    return judged;
  };
  Device named;
  if (auto read = read_cells(row, named, judged.secret); !read) {
    TRY(mention(judged.device.name, row.line));
    return blame_row(std::move(read).error());
  }
  ASSIGN_OR_RETURN(auto twice, note(kName, folded_value(named.name), row.line));
  if (twice) return blame_row(*std::move(twice));
  ASSIGN_OR_RETURN(const auto before, DeviceTable(connection_).namesake(named.name));
  if (before && before->name != named.name) {
    return blame_row(fault("the names " + in_quotes(named.name) + " and " +
                               in_quotes(before->name) +
                               " are the same: case and blanks do not count in names",
                           "write it as it is listed, or choose another name"));
  }
  if (before) {
    // What the file does not say stays.
    judged.device = *before;
    for (const auto column : columns_) copy_cell(judged.device, column, named);
    judged.changes = changes_of(columns_, *before, judged.device);
    judged.news = judged.changes.empty() ? RowNews::same : RowNews::changed;
  } else {
    ASSIGN_OR_RETURN(auto lookalike, check_looks(named.name));
    if (lookalike) return blame_row(*std::move(lookalike));
    judged.device = std::move(named);
    judged.news = RowNews::added;
  }
  if (auto fits = check(judged.device); !fits) return blame_row(std::move(fits).error());
  ASSIGN_OR_RETURN(auto taken_by_other, check_others(judged.device, before, row.line));
  if (taken_by_other) return blame_row(*std::move(taken_by_other));
  const bool says_given = judged.device.secret == DeviceSecret::given && judged.secret.empty();
  if (says_given && (!before || before->secret != DeviceSecret::given)) {
    return blame_row(fault("secret is 'given', and there is none of this device",
                           "an export has no secrets: write the secret, 'none', or nothing and one "
                           "is made for its letter"));
  }
  TRY(note_taken(judged.device));
  return judged;
}

Result<std::optional<ImportedRow>> DeviceImport::next() {
  ASSIGN_OR_RETURN(const auto row, reader_.next());
  if (!row) return std::nullopt;
  return judge(*row);
}

Result<std::int64_t> DeviceImport::missing(const std::function<bool(const std::string&)>& each) {
  std::int64_t count = 0;
  bool tell = true;
  TRY(cmpost::each(connection_,
                   "SELECT name FROM device WHERE retired IS NULL AND NOT EXISTS (SELECT 1 FROM "
                   "temp.device_seen WHERE key IN ('n' || folded, 'x' || folded)) ORDER BY folded",
                   [&](Row& row) {
                     ++count;
                     const auto name = row.next<std::string>();
                     if (tell) tell = each(name);
                   }));
  return count;
}

}  // namespace cmpost
