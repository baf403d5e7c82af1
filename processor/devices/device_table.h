// The device list in the ledger database, and what became of its devices.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "asn1/name.h"
#include "base/bytes.h"
#include "processor/devices/device.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

extern const std::vector<Migration> kDeviceMigrations;

// A device as lists show it.
struct ListedDevice {
  Device device;
  DeviceState state = DeviceState::listed;
  std::int64_t certificates = 0;  // that it got, renewals among them
};
// What somebody wants to see beside what every list can be asked; empty leaves nothing out.
struct DeviceFilter {
  ListFilter list{};
  std::string name{};  // a part
  std::string batch{}, site{}, vendor{};
};

// A view on a connection; thread and durability are the connection's. Names, serials and MAC
// addresses are compared octet by octet; an empty one is nobody's.
class DeviceTable {
 public:
  explicit DeviceTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<Device>> find(std::string_view name);
  Result<std::optional<Device>> with_id(std::int64_t id);
  // The one whose name is the same as names compare (RFC 5280 7.1): there is one at most.
  Result<std::optional<Device>> namesake(std::string_view name);
  Result<std::optional<Device>> of_serial(std::string_view vendor, std::string_view serial);
  Result<std::optional<Device>> of_mac(std::string_view vendor, std::string_view mac);
  // A retired one that alone may have this subject: what has it and was issued before its row is
  // its own.
  Result<std::optional<Device>> retired_called(const Name& subject);
  // The other devices that may have no subject but the one of this device.
  Result<std::vector<std::string>> same_subject(const Device& device);
  // That has got the certificate with this serial number.
  Result<std::optional<Device>> of_certificate(ByteView serial);

  // `import` says what it came by. A row that conflicts with another one is an Error.
  Result<void> add(const Device& device, std::int64_t import);
  // What an import may change: the columns of a list.
  Result<void> replace(const Device& device, std::int64_t import);
  // False when it is retired already, or is none.
  Result<bool> retire(std::string_view name, std::string_view reason, Time now);
  Result<bool> reinstate(std::string_view name);
  // A letter was printed, with a secret that is good by itself until then.
  Result<void> invite(std::int64_t device, Time now, Time until);

  // One by one, by their names; how many match, whatever limit and offset say.
  Result<std::int64_t> for_each(const DeviceFilter& filter,
                                const std::function<Result<void>(const ListedDevice&)>& each);

  // A file that is being imported, by the SHA-256 of its octets.
  Result<std::int64_t> begin_import(ByteView digest, std::string_view who, Time now);

 private:
  Result<void> find_subjects();
  Connection& connection_;
};

}  // namespace cmpost
