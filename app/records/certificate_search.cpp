#include "app/records/certificate_search.h"

#include "ca/serial_number.h"

namespace cmpost {

Result<std::string> serial_digits(const std::string& text) {
  if (auto digits = hex_digits(text)) return std::move(*digits);
  return wrong_usage(
      "\"" + printable(text, 80) + "\" is no serial number",
      "write it in hexadecimal, as `cmpost cert list` does; the beginning is enough");
}

Result<CertificateRecord> find_certificate(LedgerReader& reader, const std::string& text) {
  constexpr std::size_t kNamed = 5;
  ASSIGN_OR_RETURN(const auto digits, serial_digits(text));
  ASSIGN_OR_RETURN(auto serials, reader.serials_beginning(digits, kNamed));
  // A whole one means itself; "0x05" and "5" are the same number.
  const auto whole = digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  for (const auto& serial : serials) {
    const auto shown = serial_text(serial);
    if (shown == digits || shown == whole || shown == "0" + whole) serials = {Bytes(serial)};
    if (serials.size() == 1) break;
  }
  if (serials.empty() && whole.size() % 2 == 1) {
    ASSIGN_OR_RETURN(serials, reader.serials_beginning("0" + whole, 1));
  }
  if (serials.empty()) {
    return hold("no certificate has the serial number " + printable(text, 80),
                "`cmpost cert list` shows them");
  }
  if (serials.size() > 1) {
    std::string some;
    for (const auto& serial : serials) some += (some.empty() ? "" : ", ") + serial_text(serial);
    return hold("several serial numbers begin with " + printable(text, 80),
                "write more of one: " + some);
  }
  ASSIGN_OR_RETURN(auto record, reader.find(serials.front()));
  if (record) return std::move(*record);
  return hold("no certificate has the serial number " + printable(text, 80));
}

}  // namespace cmpost
