#include <algorithm>
#include <regex>

#include "asn1/der.h"
#include "base/bytes.h"
#include "processor/devices/sought_device.h"

namespace cmpost {
namespace {

using Field = VendorSettings::Field;

// Longer ones are no numbers of devices, and a regular expression could take long for them.
constexpr std::size_t kLongestNumber = 256;
constexpr std::string_view kHardwareModuleName = "1.3.6.1.5.5.7.8.4";

std::string_view field_name(Field field) {
  switch (field) {
    case Field::serial_number:
      return "subject.serialNumber";
    case Field::common_name:
      return "subject.CN";
    case Field::dns:
      return "san.DNS";
    case Field::uri:
      return "san.URI";
    case Field::hardware_module_name:
      return "san.hardwareModuleName";
  }
  return "";
}

std::vector<GeneralName> names_in(const Certificate& certificate) {
  const auto* extension = find(certificate.extensions(), oid::id_ce_subjectAltName);
  if (extension == nullptr) return {};
  der::Reader reader(extension->extnValue);
  std::vector<GeneralName> all;
  auto names = reader.enter(der::kSequence);
  while (names && !names->at_end()) {
    auto one = read_general_name(*names);
    if (!one) return {};
    all.push_back(*std::move(one));
  }
  return all;
}

// The one with this prefix of GeneralName::text(); of several nobody knows which is meant.
std::optional<std::string> only_name(const Certificate& certificate, std::string_view prefix) {
  std::optional<std::string> found;
  for (const auto& name : names_in(certificate)) {
    const auto text = name.text();
    if (!text.starts_with(prefix)) continue;
    if (found) return std::nullopt;
    found = text.substr(prefix.size());
  }
  return found;
}

// otherName [0] { type-id OID, value [0] EXPLICIT HardwareModuleName ::= SEQUENCE { hwType OID,
// hwSerialNum OCTET STRING } } (RFC 4108 5).
std::optional<std::string> hardware_serial(const GeneralName& name) {
  constexpr auto kOtherName = der::context_constructed(0), kValue = der::context_constructed(0);
  der::Reader reader(name.der);
  auto other = reader.enter(kOtherName);
  if (!other) return std::nullopt;
  const auto type = other->object_identifier();
  if (!type || type->dotted() != kHardwareModuleName) return std::nullopt;
  auto value = other->enter(kValue);
  if (!value) return std::nullopt;
  auto module = value->enter(der::kSequence);
  if (!module || !module->object_identifier()) return std::nullopt;
  const auto number = module->octet_string();
  if (!number) return std::nullopt;
  const bool is_text = !number->empty() && std::ranges::all_of(*number, [](std::uint8_t octet) {
    return octet > 0x20 && octet < 0x7f;
  });
  return is_text ? std::string(text_of(*number)) : to_hex(*number);
}

std::optional<std::string> field_of(const Certificate& certificate, Field field) {
  switch (field) {
    case Field::serial_number:
      return certificate.subject().first(oid::id_at_serialNumber);
    case Field::common_name:
      return certificate.subject().first(oid::id_at_commonName);
    case Field::dns:
      return only_name(certificate, "DNS:");
    case Field::uri:
      return only_name(certificate, "URI:");
    case Field::hardware_module_name:
      for (const auto& name : names_in(certificate)) {
        if (auto number = hardware_serial(name)) return number;
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::string trimmed_number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::string in_words(const SoughtDevice& sought) {
  if (!sought.name.empty()) return "device " + printable(sought.name, 60);
  if (!sought.serial.empty()) {
    return "serial " + printable(sought.serial, 60) + " of " + printable(sought.vendor, 60);
  }
  return "MAC address " + printable(sought.mac, 60) + " of " + printable(sought.vendor, 60);
}

Result<SoughtDevice> device_in(const Certificate& certificate, const VendorSettings& vendor) {
  const auto no_number = [&](const std::string& why) {
    return hold("the certificate of " + vendor.name + " " + why);
  };
  if (!vendor.organization.empty()) {
    const auto organization = certificate.subject().first(oid::id_at_organizationName);
    if (organization.value_or("") != vendor.organization) {
      return no_number("is not of the organization " + vendor.organization);
    }
  }
  const auto field = field_of(certificate, vendor.id);
  const auto name = std::string(field_name(vendor.id));
  if (!field || field->empty() || field->size() > kLongestNumber) {
    return no_number("has no " + name + ", by which its devices are known");
  }
  auto number = trimmed_number(*field);
  if (!vendor.id_pattern.empty()) {
    std::smatch match;
    if (!std::regex_match(number, match, std::regex(vendor.id_pattern))) {
      return no_number("has a " + name + " that is no number of a device");
    }
    number = match[1].str();
  }
  SoughtDevice sought;
  sought.vendor = vendor.name;
  if (vendor.column == VendorSettings::Column::serial) {
    sought.serial = std::move(number);
  } else {
    const auto mac = mac_address(number);
    if (!mac) return no_number("has a " + name + " that is no MAC address");
    sought.mac = *mac;
  }
  if (sought.serial.empty() && sought.mac.empty()) return no_number("has an empty " + name);
  return sought;
}

}  // namespace cmpost
