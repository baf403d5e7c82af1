// Makes enrolment requests by the thousand: what a fleet of devices would send.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "cmp/pki_message.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// A maker of devices: a root certificate and the device certificates that it signed.
class Vendor {
 public:
  struct Device {
    Certificate certificate;
    Signer signer;
  };
  static Result<Vendor> create(std::size_t device_count, Random& random, Time now,
                               std::string_view root_name = "CN=Vendor Root,O=Fleet");

  const Certificate& root() const { return root_; }
  const Device& device(std::size_t index) const { return devices_[index % devices_.size()]; }

 private:
  Vendor(Certificate root, std::vector<Device> devices)
      : root_(std::move(root)), devices_(std::move(devices)) {}
  Certificate root_;
  std::vector<Device> devices_;
};

struct SharedSecret {
  std::string reference;
  std::string value;
};

// An ir with implicitConfirm for a fresh P-256 key, with transactionID and nonce of its own. Signed
// by `device`, for the device's subject.
Result<Bytes> make_signed_request(const Vendor::Device& device, Random& random, Time now);
// The same for `subject`, protected by PasswordBasedMac with 500 iterations, as OpenSSL's client
// does it.
Result<Bytes> make_mac_request(const SharedSecret& secret, const Name& subject, Random& random,
                               Time now);
// For `key` instead of a fresh one.
Result<Bytes> make_mac_request(const SharedSecret& secret, const Name& subject,
                               const PrivateKey& key, Random& random, Time now);

// A batch of messages (RFC 9483 5.2.2.2), signed by `ra`.
Result<Bytes> make_batch(std::vector<Bytes> members, const Vendor::Device& ra, Random& random,
                         Time now);

}  // namespace cmpost
