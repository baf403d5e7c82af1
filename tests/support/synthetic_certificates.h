// Records of certificates by the million: one real certificate whose serial number, public key and
// subject are exchanged. The signatures are wrong, which no ledger looks at.
#pragma once

#include <algorithm>

#include "ca/ledger/certificate_record.h"
#include "ca/serial_number.h"

namespace cmpost {

class SyntheticCertificates {
 public:
  SyntheticCertificates(const Certificate& model, Random& random)
      : model_(model),
        random_(random),
        serial_at_(offset_of(model.serial_number())),
        key_at_(offset_of(model.spki()) + model.spki().size() - kKeyTail) {}

  CertificateRecord next(Time issued) {
    CertificateRecord record;
    record.serial = make_serial_number(issued, random_);
    record.der = to_bytes(model_.der());
    std::copy(record.serial.begin(), record.serial.end(), record.der.begin() + serial_at_);
    const Bytes key = random_.bytes(kKeyTail);
    std::copy(key.begin(), key.end(), record.der.begin() + key_at_);
    const std::string number = to_hex(random_.bytes(6));
    record.subject = "CN=device-" + number + ".plant-7.example,OU=Meters,O=Grid Operator";
    record.profile = "device";
    record.channel = "factory";
    record.requester = "mac:batch-" + number.substr(0, 4);
    record.tid = to_hex(random_.bytes(16));
    record.issued = issued;
    record.not_after = issued + std::chrono::hours(24 * 398);
    return record;
  }

 private:
  static constexpr std::ptrdiff_t kKeyTail = 32;  // of a P-256 point

  std::ptrdiff_t offset_of(ByteView part) const {
    const ByteView all = model_.der();
    return std::search(all.begin(), all.end(), part.begin(), part.end()) - all.begin();
  }

  Certificate model_;
  Random& random_;
  std::ptrdiff_t serial_at_;
  std::ptrdiff_t key_at_;
};

}  // namespace cmpost
