// Which certificates a device of the list has.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "processor/devices/device.h"
#include "store/connection.h"

namespace cmpost {

struct DeviceCertificate {
  std::string device;
  Bytes serial;
  std::string subject;
  Time not_after{};
  bool by_row = true;  // it was got by the row; else it has the subject of this device alone
};

// Those that are neither revoked nor expired: what the devices got by their rows, and what has the
// only subject that one of them, and no other device, may have. Reads through all certificates
// once.
Result<std::vector<DeviceCertificate>> certificates_of(Connection& connection,
                                                       const std::vector<Device>& devices,
                                                       Time now);

}  // namespace cmpost
