// What rows of the list have in common, for who looks for mistakes. Retired ones are left out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/device_settings.h"
#include "processor/devices/device.h"
#include "store/connection.h"

namespace cmpost {

struct SomeDevices {
  std::int64_t count = 0;
  std::string first;  // the name of one
};

class DeviceSurvey {
 public:
  explicit DeviceSurvey(Connection& connection) : connection_(connection) {}

  // By what they name in this column, if anything: vendor, profile or channel.
  using Named = std::vector<std::pair<std::string, SomeDevices>>;
  Result<Named> named(DeviceColumn column);
  // Without a secret: they have no vendor, or not the number that it certifies.
  Result<SomeDevices> without_vendor();
  Result<SomeDevices> without_number(const VendorSettings& vendor);
  // That may ask on this channel.
  Result<SomeDevices> listed_for(const std::string& channel);

 private:
  Connection& connection_;
};

}  // namespace cmpost
