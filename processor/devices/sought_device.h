// Who asks, as the list of devices names it; and the list's answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/device_settings.h"
#include "crypto/x509/certificate.h"
#include "processor/devices/device_table.h"

namespace cmpost {

// By the reference of its secret, or by the number that its vendor has certified.
struct SoughtDevice {
  std::string name{};
  std::string vendor{}, serial{}, mac{};
  friend bool operator==(const SoughtDevice&, const SoughtDevice&) = default;
};
// "serial 4711 of acme", for people.
std::string in_words(const SoughtDevice& sought);

// What the vendor's certificate says of its device. An Error, in words for the requester: it has no
// such number, or the organization is another one. The path to the vendor's roots is not looked at.
Result<SoughtDevice> device_in(const Certificate& certificate, const VendorSettings& vendor);

// A device that is listed, as far as its rights depend on it.
struct KnownDevice {
  Device row;
  std::int64_t first_certificates = 0;  // that it got, without renewals
  // That it has asked for besides, in other transactions: a CA above decides about them.
  std::int64_t under_way = 0;

  std::int64_t taken() const { return first_certificates + under_way; }
};

// Views on a connection; thread and durability are the connection's.
class KnownDevices {
 public:
  explicit KnownDevices(Connection& connection) : connection_(connection) {}

  // `transaction`: the one that it asks in, 0 for a new one.
  Result<std::optional<KnownDevice>> find(const SoughtDevice& sought, std::int64_t transaction = 0);
  // That got a certificate, or is retired and alone may have its subject.
  Result<std::optional<KnownDevice>> holder(ByteView serial, const Name& subject);

  // Of its certificates those that are neither over nor revoked, on hold or renewed.
  Result<std::int64_t> active_certificates(std::int64_t device, Time now);
  // Whether there is still such a row, and its device is not retired.
  Result<bool> is_in_use(std::int64_t device);

  // What a transaction has to do with a device: it is one that is listed, or waits for its row.
  Result<void> note_request(std::int64_t transaction, std::int64_t device);
  Result<void> note_sought(std::int64_t transaction, const std::vector<SoughtDevice>& sought);
  Result<void> forget_sought(std::int64_t transaction);
  // By the rows of transactions: those whose device is listed by now.
  Result<std::vector<std::int64_t>> found(std::size_t limit);
  // Notes a certificate of the transaction's device, if it has one.
  Result<void> note_certificate(std::int64_t transaction, ByteView serial, bool first);
  // Whether the device has no more first certificates, and has asked for no more, than so many.
  Result<bool> has_at_most(std::int64_t device, std::int64_t most);

 private:
  Result<std::optional<KnownDevice>> known(std::optional<Device> device, std::int64_t transaction);
  Connection& connection_;
};

}  // namespace cmpost
