#include "processor/devices/device_survey.h"

#include "store/rows.h"

namespace cmpost {
namespace {

#define SOME_DEVICES \
  "SELECT count(*), coalesce(min(name), '') FROM device WHERE retired IS NULL AND "

constexpr auto kWithoutSecret = static_cast<std::int64_t>(DeviceSecret::none);

SomeDevices read_some(Row& row) {
  SomeDevices some;
  row.into(some.count, some.first);
  return some;
}

}  // namespace

Result<DeviceSurvey::Named> DeviceSurvey::named(DeviceColumn column) {
  const std::string name(to_string(column));
  return all(connection_,
             "SELECT " + name + ", count(*), min(name) FROM device WHERE retired IS NULL AND " +
                 name + " <> '' GROUP BY " + name,
             [](Row& row) {
               auto named = row.next<std::string>();
               return std::pair(std::move(named), read_some(row));
             });
}

Result<SomeDevices> DeviceSurvey::without_vendor() {
  return only(connection_, SOME_DEVICES "secret = ? AND vendor = ''", read_some, kWithoutSecret);
}

Result<SomeDevices> DeviceSurvey::without_number(const VendorSettings& vendor) {
  const bool by_mac = vendor.column == VendorSettings::Column::mac;
  return only(connection_,
              by_mac ? SOME_DEVICES "secret = ? AND vendor = ? AND mac = ''"
                     : SOME_DEVICES "secret = ? AND vendor = ? AND serial = ''",
              read_some, kWithoutSecret, vendor.name);
}

Result<SomeDevices> DeviceSurvey::listed_for(const std::string& channel) {
  return only(connection_, SOME_DEVICES "channel IN ('', ?)", read_some, channel);
}

}  // namespace cmpost
