// [[vendor]]: whose certificates tell one device of the list from another, and by what.
#pragma once

#include <string>
#include <vector>

namespace cmpost {

struct VendorSettings {
  // Where a certificate of the vendor has the number of its device.
  enum class Field {
    serial_number,        // subject.serialNumber (2.5.4.5)
    common_name,          // subject.CN
    dns,                  // the only dNSName
    uri,                  // the only URI
    hardware_module_name  // hwSerialNum of a hardwareModuleName (RFC 4108)
  };
  // The column of the list that has this number.
  enum class Column { serial, mac };

  std::string name;                // as the column `vendor` has it
  std::vector<std::string> roots;  // absolute paths of PEM files; no other root vouches for it
  Field id = Field::serial_number;
  std::string id_pattern;  // a regular expression with one group: what of the field counts
  Column column = Column::serial;
  std::string organization;  // of the subject; empty: any
};

}  // namespace cmpost
