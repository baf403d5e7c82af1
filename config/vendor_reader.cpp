#include <array>
#include <regex>

#include "base/bytes.h"
#include "config/readers.h"

namespace cmpost {
namespace {

using Field = VendorSettings::Field;

constexpr std::array kFields = {Word<Field>{"subject.serialNumber", Field::serial_number},
                                Word<Field>{"subject.CN", Field::common_name},
                                Word<Field>{"san.DNS", Field::dns},
                                Word<Field>{"san.URI", Field::uri},
                                Word<Field>{"san.hardwareModuleName", Field::hardware_module_name}};
constexpr std::array kVendorColumns = {
    Word<VendorSettings::Column>{"serial", VendorSettings::Column::serial},
    Word<VendorSettings::Column>{"mac", VendorSettings::Column::mac}};

Field read_field(Section& table) {
  // The number of a certificate changes with each; people mean the other one.
  if (table.has("id") && table.text("id") == "certificate.serial") {
    table.complain("id", "the serial number of a certificate is not the number of its device",
                   "\"subject.serialNumber\" is the number that the vendor has given the device");
    return Field::serial_number;
  }
  return table.choice("id", Field::serial_number, kFields);
}

std::string read_pattern(Section& table) {
  auto pattern = table.text("id_pattern");
  if (pattern.empty()) return pattern;
  try {
    if (std::regex(pattern).mark_count() == 1) return pattern;
    table.complain("id_pattern", "'id_pattern' has not exactly one group",
                   "the group is the number: \"SN-([0-9A-F]+)\"");
  } catch (const std::regex_error& error) {
    table.complain("id_pattern",
                   std::string("'id_pattern' is no regular expression: ") + error.what());
  }
  return {};
}

}  // namespace

VendorSettings read_vendor(Section table) {
  VendorSettings vendor;
  vendor.name = table.name("name");
  table.require("roots", "roots = [\"trust/acme.pem\"]");
  vendor.roots = table.paths("roots", NamedFile::Use::readable);
  vendor.id = read_field(table);
  vendor.id_pattern = read_pattern(table);
  vendor.column = table.choice("column", VendorSettings::Column::serial, kVendorColumns);
  vendor.organization = table.text("organization");
  table.finish();
  return vendor;
}

}  // namespace cmpost
