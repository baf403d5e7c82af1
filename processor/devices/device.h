// A row of the device list: who may come, and what it may have.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "config/rights_settings.h"

namespace cmpost {

// Where the secret of a device comes from.
enum class DeviceSecret {
  made,   // here, when its letter is printed
  given,  // it was in the list
  none    // it has a certificate of its vendor
};

// How far it has come; follows from what the ledger has of it.
enum class DeviceState {
  listed,
  invited,    // its letter was printed
  requested,  // it has asked
  issued,     // it has a certificate that it has not confirmed
  confirmed,
  revoked,  // and has no other one
  retired
};
std::string_view to_string(DeviceState state);
inline constexpr std::size_t kLongestRetiredReason = 200;  // octets; it is told to who asks
std::optional<DeviceState> device_state(std::string_view text);

struct Device {
  std::int64_t id = 0;
  std::string name;  // the key; of a secret its reference
  // Of the vendor's certificate: [[vendor]], and what is written in it.
  std::string vendor, serial;
  std::string mac;      // as mac_address() has it
  std::string profile;  // empty: those that are for who asks
  std::string subject;  // a SubjectPattern; empty: CN=name
  std::string san;      // patterns with a blank between them, or a word; empty: own
  std::string site;
  std::string channel;  // empty: any
  DeviceSecret secret = DeviceSecret::made;
  std::optional<Time> valid_from, valid_until;  // when it may ask for its first certificates
  std::optional<std::int64_t> uses;             // how many of these
  std::string batch, contact, note;

  // What has become of it.
  Time imported{};
  std::string imported_by;
  std::int64_t letters = 0;  // that were printed
  std::optional<Time> invited;
  std::optional<Time> letter_until;  // until when the secret of the last one is good by itself
  std::optional<Time> retired;
  std::string retired_reason;
};

// The columns of a list, in the order of an export.
enum class DeviceColumn {
  name,
  vendor,
  serial,
  mac,
  profile,
  subject,
  san,
  site,
  channel,
  secret,
  valid_from,
  valid_until,
  uses,
  batch,
  contact,
  note
};
inline constexpr std::size_t kDeviceColumns = 16;
std::string_view to_string(DeviceColumn column);
std::optional<DeviceColumn> device_column(std::string_view name);
DeviceColumn device_column_at(std::size_t index);  // of kDeviceColumns

// A cell of a list, as an export writes it. Reading it again makes the same device.
std::string cell_of(const Device& device, DeviceColumn column);
// The other way round; an Error says what is wrong with the text. Of a secret that is given only
// that it is: DeviceSecret.
Result<void> set_cell(Device& device, DeviceColumn column, const std::string& text);
// What set_cell() has set in `from`.
void copy_cell(Device& device, DeviceColumn column, const Device& from);
// What a cell of the column `secret` says; the words count in any case. An Error for what is a
// mistake rather than a secret.
struct SecretCell {
  DeviceSecret kind = DeviceSecret::made;
  std::string value{};  // of `given`: the secret; empty: it is in the ledger
};
Result<SecretCell> secret_cell(std::string_view cell);

// The subject that it may have: as the row says, else its name.
Result<std::string> subject_of(const Device& device);

// The only one that it may have, as Name::comparison_key(); empty: there are several.
std::string subject_key_of(const Device& device);

// Until when its secret is good: one of the list as long as the row says, one of a letter no longer
// than the letter says.
std::optional<Time> secret_ends(const Device& device);

// The names in subjectAltName that it may have: as the row says, else its own.
SanRule san_of(const Device& device);

// A MAC address in any spelling, as twelve capital hexadecimal digits. The EUI-64 that was made of
// one (FF:FE in the middle) is the same address. nullopt: it is none.
std::optional<std::string> mac_address(std::string_view text);

}  // namespace cmpost
