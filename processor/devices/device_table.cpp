#include "processor/devices/device_table.h"

#include <tuple>

#include "asn1/name.h"
#include "store/rows.h"

namespace cmpost {
namespace {

#define DEVICE_COLUMNS                                                                             \
  "device.id, name, vendor, device.serial, mac, profile, subject, san, site, channel, secret, "    \
  "valid_from, valid_until, uses, batch, contact, note, "                                          \
  "(SELECT at FROM device_import WHERE id = import), "                                             \
  "(SELECT who FROM device_import WHERE id = import), letters, invited, retired, retired_reason, " \
  "letter_until"

constexpr const char* kState =
    "CASE WHEN retired IS NOT NULL THEN 'retired' "
    "WHEN EXISTS (SELECT 1 FROM device_certificate d JOIN certificate c ON c.serial = d.serial "
    "WHERE d.device = device.id AND c.state NOT IN ('unconfirmed', 'revoked')) THEN 'confirmed' "
    "WHEN EXISTS (SELECT 1 FROM device_certificate d JOIN certificate c ON c.serial = d.serial "
    "WHERE d.device = device.id AND c.state = 'unconfirmed') THEN 'issued' "
    "WHEN EXISTS (SELECT 1 FROM device_certificate d WHERE d.device = device.id) THEN 'revoked' "
    "WHEN EXISTS (SELECT 1 FROM device_request d WHERE d.device = device.id) THEN 'requested' "
    "WHEN invited IS NOT NULL THEN 'invited' ELSE 'listed' END";

Result<Device> read_device(Row& row) {
  Device device;
  row.into(device.id, device.name, device.vendor, device.serial, device.mac, device.profile,
           device.subject, device.san, device.site, device.channel);
  const auto secret = row.next<std::int64_t>();
  if (secret < 0 || secret > static_cast<std::int64_t>(DeviceSecret::none)) {
    return hold("the ledger has an unknown kind of secret for the device " +
                printable(device.name));
  }
  device.secret = static_cast<DeviceSecret>(secret);
  row.into(device.valid_from, device.valid_until, device.uses, device.batch, device.contact,
           device.note, device.imported, device.imported_by, device.letters, device.invited,
           device.retired, device.retired_reason, device.letter_until);
  return device;
}

// What a list says of it; in the order of the two statements below.
auto columns_of(const Device& device) {
  return std::tuple(std::string_view(device.name), std::string_view(device.vendor),
                    std::string_view(device.serial), std::string_view(device.mac),
                    std::string_view(device.profile), std::string_view(device.subject),
                    std::string_view(device.san), std::string_view(device.site),
                    std::string_view(device.channel), static_cast<std::int64_t>(device.secret),
                    device.valid_from, device.valid_until, device.uses,
                    std::string_view(device.batch), std::string_view(device.contact),
                    std::string_view(device.note), to_bytes(subject_key_of(device)));
}

}  // namespace

Result<std::optional<Device>> DeviceTable::namesake(std::string_view name) {
  return one(connection_, "SELECT " DEVICE_COLUMNS " FROM device WHERE folded = ?", read_device,
             folded_value(name));
}

Result<std::optional<Device>> DeviceTable::with_id(std::int64_t id) {
  return one(connection_, "SELECT " DEVICE_COLUMNS " FROM device WHERE device.id = ?", read_device,
             id);
}

Result<std::optional<Device>> DeviceTable::find(std::string_view name) {
  ASSIGN_OR_RETURN(auto found, namesake(name));
  if (found && found->name != name) found.reset();
  return found;
}

Result<std::optional<Device>> DeviceTable::of_serial(std::string_view vendor,
                                                     std::string_view serial) {
  return one(connection_,
             "SELECT " DEVICE_COLUMNS
             " FROM device WHERE vendor = ? AND device.serial = ? AND vendor <> '' AND "
             "device.serial <> ''",
             read_device, vendor, serial);
}

Result<std::optional<Device>> DeviceTable::of_mac(std::string_view vendor, std::string_view mac) {
  return one(connection_,
             "SELECT " DEVICE_COLUMNS
             " FROM device WHERE vendor = ? AND mac = ? AND vendor <> '' AND mac <> ''",
             read_device, vendor, mac);
}

Result<std::optional<Device>> DeviceTable::retired_called(const Name& subject) {
  if (subject.is_null_dn()) return std::nullopt;
  ASSIGN_OR_RETURN(auto found, all(connection_,
                                   "SELECT " DEVICE_COLUMNS
                                   " FROM device WHERE subject_key = ? AND subject_key <> x'' "
                                   "LIMIT 2",
                                   read_device, to_bytes(subject.comparison_key())));
  if (found.size() != 1 || !found.front().retired) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<std::string>> DeviceTable::same_subject(const Device& device) {
  return all(connection_,
             "SELECT name FROM device WHERE subject_key = ? AND subject_key <> x'' AND id <> ? "
             "ORDER BY folded LIMIT 3",
             column<std::string>, to_bytes(subject_key_of(device)), device.id);
}

// Of rows that were written before there was such a column.
Result<void> DeviceTable::find_subjects() {
  ASSIGN_OR_RETURN(
      const auto devices,
      all(connection_, "SELECT " DEVICE_COLUMNS " FROM device WHERE subject_key IS NULL",
          read_device));
  for (const auto& device : devices) {
    TRY(change(connection_, "UPDATE device SET subject_key = ? WHERE id = ?",
               to_bytes(subject_key_of(device)), device.id));
  }
  return {};
}

Result<std::optional<Device>> DeviceTable::of_certificate(ByteView serial) {
  return one(connection_,
             "SELECT " DEVICE_COLUMNS
             " FROM device_certificate JOIN device ON device.id = device_certificate.device WHERE "
             "device_certificate.serial = ?",
             read_device, serial);
}

Result<void> DeviceTable::add(const Device& device, std::int64_t import) {
  TRY(change(connection_,
             "INSERT INTO device (name, vendor, serial, mac, profile, subject, san, site, channel, "
             "secret, valid_from, valid_until, uses, batch, contact, note, subject_key, folded, "
             "import) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             columns_of(device), folded_value(device.name), import));
  return {};
}

Result<void> DeviceTable::replace(const Device& device, std::int64_t import) {
  TRY(change(connection_,
             "UPDATE device SET name = ?, vendor = ?, serial = ?, mac = ?, profile = ?, "
             "subject = ?, san = ?, site = ?, channel = ?, secret = ?, valid_from = ?, "
             "valid_until = ?, uses = ?, batch = ?, contact = ?, note = ?, subject_key = ?, "
             "import = ? WHERE id = ?",
             columns_of(device), import, device.id));
  return {};
}

Result<bool> DeviceTable::retire(std::string_view name, std::string_view reason, Time now) {
  TRY(find_subjects());
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             "UPDATE device SET retired = ?, retired_reason = ? WHERE folded = ? AND name = ? AND "
             "retired IS NULL",
             now, reason, folded_value(name), name));
  return changed == 1;
}

Result<bool> DeviceTable::reinstate(std::string_view name) {
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             "UPDATE device SET retired = NULL, retired_reason = '' WHERE folded = ? AND name = ? "
             "AND retired IS NOT NULL",
             folded_value(name), name));
  return changed == 1;
}

Result<void> DeviceTable::invite(std::int64_t device, Time now, Time until) {
  TRY(change(connection_,
             "UPDATE device SET invited = ?, letter_until = ?, letters = letters + 1 WHERE id = ?",
             now, until, device));
  return {};
}

Result<std::int64_t> DeviceTable::for_each(
    const DeviceFilter& filter, const std::function<Result<void>(const ListedDevice&)>& each) {
  static const ListColumns kColumns = {
      .row = "folded",
      .time = "(SELECT at FROM device_import WHERE id = import)",
      .channel = "channel",
      .state = kState,
      .profile = "profile",
      .subject = "subject",
      .sorts = {{"site", "site"}, {"batch", "batch"}, {"vendor", "vendor"}, {"serial", "serial"}}};
  ListQuery query(std::string(DEVICE_COLUMNS ", ") + kState +
                      ", (SELECT count(*) FROM device_certificate d WHERE d.device = device.id)",
                  "device", kColumns, filter.list);
  if (!filter.name.empty()) query.require_part("name", filter.name);
  if (!filter.batch.empty()) query.require("batch = ? AND batch <> ''", {filter.batch});
  if (!filter.site.empty()) query.require("site = ?", {filter.site});
  if (!filter.vendor.empty()) query.require("vendor = ?", {filter.vendor});
  return query.for_each_counted(connection_, [&](Row& row) -> Result<void> {
    ListedDevice listed;
    ASSIGN_OR_RETURN(listed.device, read_device(row));
    const auto state = row.next<std::string_view>();
    const auto known = device_state(state);
    CHECK(known.has_value());  // one of those above
    listed.state = *known;
    row.into(listed.certificates);
    return each(listed);
  });
}

Result<std::int64_t> DeviceTable::begin_import(ByteView digest, std::string_view who, Time now) {
  TRY(find_subjects());
  TRY(change(connection_, "INSERT INTO device_import (sha256, at, who) VALUES (?, ?, ?)", digest,
             now, who));
  return connection_.last_insert_id();
}

}  // namespace cmpost
