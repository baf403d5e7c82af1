#include "asn1/name.h"
#include "processor/devices/sought_device.h"
#include "store/rows.h"

namespace cmpost {

Result<std::optional<KnownDevice>> KnownDevices::known(std::optional<Device> device) {
  if (!device) return std::nullopt;
  KnownDevice known{*std::move(device), 0};
  ASSIGN_OR_RETURN(
      known.first_certificates,
      only(connection_, "SELECT count(*) FROM device_certificate WHERE device = ? AND first = 1",
           column<std::int64_t>, known.row.id));
  return known;
}

Result<std::optional<KnownDevice>> KnownDevices::find(const SoughtDevice& sought) {
  DeviceTable table(connection_);
  std::optional<Device> device;
  if (!sought.name.empty()) {
    ASSIGN_OR_RETURN(device, table.find(sought.name));
  } else if (!sought.serial.empty()) {
    ASSIGN_OR_RETURN(device, table.of_serial(sought.vendor, sought.serial));
  } else {
    ASSIGN_OR_RETURN(device, table.of_mac(sought.vendor, sought.mac));
  }
  return known(std::move(device));
}

Result<std::optional<KnownDevice>> KnownDevices::holder(ByteView serial) {
  ASSIGN_OR_RETURN(auto device, DeviceTable(connection_).of_certificate(serial));
  return known(std::move(device));
}

Result<void> KnownDevices::note_request(std::int64_t transaction, std::int64_t device) {
  TRY(change(connection_, "INSERT OR REPLACE INTO device_request VALUES (?, ?)", transaction,
             device));
  return {};
}

Result<void> KnownDevices::note_sought(std::int64_t transaction,
                                       const std::vector<SoughtDevice>& sought) {
  TRY(forget_sought(transaction));
  for (const auto& one : sought) {
    TRY(change(connection_,
               "INSERT INTO device_sought (tx, folded, name, vendor, serial, mac) VALUES (?, ?, ?, "
               "?, ?, ?)",
               transaction, one.name.empty() ? std::string() : folded_value(one.name), one.name,
               one.vendor, one.serial, one.mac));
  }
  return {};
}

Result<void> KnownDevices::forget_sought(std::int64_t transaction) {
  TRY(change(connection_, "DELETE FROM device_sought WHERE tx = ?", transaction));
  return {};
}

Result<std::vector<std::int64_t>> KnownDevices::found(std::size_t limit) {
  return all(connection_,
             "SELECT DISTINCT tx FROM device_sought s WHERE "
             "EXISTS (SELECT 1 FROM device d WHERE d.vendor = s.vendor AND d.serial = s.serial AND "
             "d.vendor <> '' AND d.serial <> '') OR "
             "EXISTS (SELECT 1 FROM device d WHERE d.vendor = s.vendor AND d.mac = s.mac AND "
             "d.vendor <> '' AND d.mac <> '') OR "
             "EXISTS (SELECT 1 FROM device d WHERE d.folded = s.folded AND d.name = s.name) "
             "ORDER BY tx LIMIT ?",
             column<std::int64_t>, limit);
}

Result<bool> KnownDevices::note_certificate(std::int64_t transaction, ByteView serial, bool first,
                                            bool counts) {
  const auto read = [](Row& row) {
    std::pair<std::int64_t, std::optional<std::int64_t>> device_and_uses;
    row.into(device_and_uses.first, device_and_uses.second);
    return device_and_uses;
  };
  ASSIGN_OR_RETURN(const auto found,
                   one(connection_,
                       "SELECT device.id, uses FROM device_request JOIN device ON device.id = "
                       "device_request.device WHERE tx = ?",
                       read, transaction));
  if (!found) return true;
  const auto& [device, uses] = *found;
  TRY(change(connection_, "INSERT OR IGNORE INTO device_certificate VALUES (?, ?, ?)", serial,
             device, first));
  if (!first || !counts || !uses) return true;
  ASSIGN_OR_RETURN(
      const auto got,
      only(connection_, "SELECT count(*) FROM device_certificate WHERE device = ? AND first = 1",
           column<std::int64_t>, device));
  return got <= *uses;
}

}  // namespace cmpost
