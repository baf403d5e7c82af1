// Certificates by what people write for their serial numbers.
#pragma once

#include "ca/ledger/ledger.h"

namespace cmpost {

// The digits of what may be a serial number or the beginning of one.
Result<std::string> serial_digits(const std::string& text);
// Hexadecimal, with or without colons; the beginning is enough where only one begins with it.
Result<CertificateRecord> find_certificate(LedgerReader& reader, const std::string& text);

}  // namespace cmpost
