#include "asn1/name.h"
#include "ca/ledger/certificate_record.h"
#include "processor/devices/sought_device.h"
#include "store/rows.h"

namespace cmpost {

// What has gone up counts until its answer is there: then it is a certificate, or nothing.
Result<std::optional<KnownDevice>> KnownDevices::known(std::optional<Device> device,
                                                       std::int64_t transaction) {
  if (!device) return std::nullopt;
  KnownDevice known{*std::move(device)};
  ASSIGN_OR_RETURN(
      known.first_certificates,
      only(connection_, "SELECT count(*) FROM device_certificate WHERE device = ? AND first = 1",
           column<std::int64_t>, known.row.id));
  ASSIGN_OR_RETURN(known.under_way,
                   only(connection_,
                        "SELECT count(*) FROM device_request r JOIN tx ON tx.id = r.tx JOIN "
                        "wait_part p ON p.tx = r.tx WHERE r.device = ? AND r.tx <> ? AND p.state = "
                        "'upstream' AND tx.state <> 'closed' AND tx.body IN ('ir', 'cr', 'p10cr')",
                        column<std::int64_t>, known.row.id, transaction));
  return known;
}

Result<std::optional<KnownDevice>> KnownDevices::find(const SoughtDevice& sought,
                                                      std::int64_t transaction) {
  DeviceTable table(connection_);
  std::optional<Device> device;
  if (!sought.name.empty()) {
    ASSIGN_OR_RETURN(device, table.find(sought.name));
  } else if (!sought.serial.empty()) {
    ASSIGN_OR_RETURN(device, table.of_serial(sought.vendor, sought.serial));
  } else {
    ASSIGN_OR_RETURN(device, table.of_mac(sought.vendor, sought.mac));
  }
  return known(std::move(device), transaction);
}

Result<std::optional<KnownDevice>> KnownDevices::holder(ByteView serial, const Name& subject) {
  DeviceTable table(connection_);
  ASSIGN_OR_RETURN(auto device, table.of_certificate(serial));
  if (!device) {
    ASSIGN_OR_RETURN(device, table.retired_called(subject));
  }
  return known(std::move(device), 0);
}

Result<std::int64_t> KnownDevices::active_certificates(std::int64_t device, Time now) {
  return only(connection_,
              "SELECT count(*) FROM device_certificate d JOIN certificate c ON c.serial = d.serial "
              "WHERE d.device = ? AND c.not_after >= ? AND c.state IN (?, ?)",
              column<std::int64_t>, device, now, to_string(CertificateState::valid),
              to_string(CertificateState::unconfirmed));
}

Result<bool> KnownDevices::is_in_use(std::int64_t device) {
  ASSIGN_OR_RETURN(
      const auto in_use,
      one(connection_, "SELECT retired IS NULL FROM device WHERE id = ?", column<bool>, device));
  return in_use.value_or(false);
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

Result<void> KnownDevices::note_certificate(std::int64_t transaction, ByteView serial, bool first) {
  TRY(change(connection_,
             "INSERT OR IGNORE INTO device_certificate SELECT ?, device, ? FROM device_request "
             "WHERE tx = ?",
             serial, first, transaction));
  return {};
}

Result<bool> KnownDevices::has_at_most(std::int64_t device, std::int64_t most) {
  ASSIGN_OR_RETURN(auto row, DeviceTable(connection_).with_id(device));
  ASSIGN_OR_RETURN(const auto counted, known(std::move(row), 0));
  return !counted || counted->taken() <= most;
}

}  // namespace cmpost
