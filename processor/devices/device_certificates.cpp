#include "processor/devices/device_certificates.h"

#include <map>

#include "asn1/name.h"
#include "processor/credentials/name_pattern.h"
#include "processor/devices/device_table.h"
#include "store/rows.h"

namespace cmpost {
namespace {

DeviceCertificate read_certificate(Row& row) {
  DeviceCertificate one;
  row.into(one.serial, one.subject, one.not_after);
  return one;
}

Result<void> add_by_row(Connection& connection, const Device& device, Time now,
                        std::vector<DeviceCertificate>& found) {
  return each(
      connection,
      "SELECT c.serial, c.subject, c.not_after FROM device_certificate d JOIN certificate "
      "c ON c.serial = d.serial WHERE d.device = ? AND c.state <> 'revoked' AND "
      "c.not_after > ? ORDER BY c.id",
      [&](Row& row) {
        found.push_back(read_certificate(row));
        found.back().device = device.name;
      },
      device.id, now);
}

// The subjects as lists show them, and who alone may have each.
using Owners = std::map<std::string, std::string>;

Result<Owners> owners_among(Connection& connection, const std::vector<Device>& devices) {
  Owners owners;
  for (const auto& device : devices) {
    ASSIGN_OR_RETURN(const auto others, DeviceTable(connection).same_subject(device));
    const auto subject = subject_of(device);
    const auto pattern = subject ? SubjectPattern::parse(*subject) : failure(subject.error());
    if (!others.empty() || !pattern || !pattern->is_exact()) continue;
    owners.emplace(folded_value(pattern->name().text()), device.name);
  }
  return owners;
}

Result<void> add_by_subject(Connection& connection, const Owners& owners, Time now,
                            std::vector<DeviceCertificate>& found) {
  if (owners.empty()) return {};
  return each(
      connection,
      "SELECT serial, subject, not_after FROM certificate c WHERE state <> 'revoked' AND "
      "not_after > ? AND NOT EXISTS (SELECT 1 FROM device_certificate d WHERE d.serial = "
      "c.serial) ORDER BY id",
      [&](Row& row) {
        auto one = read_certificate(row);
        const auto owner = owners.find(folded_value(one.subject));
        if (owner == owners.end()) return;
        one.device = owner->second;
        one.by_row = false;
        found.push_back(std::move(one));
      },
      now);
}

}  // namespace

Result<std::vector<DeviceCertificate>> certificates_of(Connection& connection,
                                                       const std::vector<Device>& devices,
                                                       Time now) {
  std::vector<DeviceCertificate> found;
  for (const auto& device : devices) TRY(add_by_row(connection, device, now, found));
  ASSIGN_OR_RETURN(const auto owners, owners_among(connection, devices));
  TRY(add_by_subject(connection, owners, now, found));
  return found;
}

}  // namespace cmpost
