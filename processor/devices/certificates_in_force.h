// All certificates that somebody may be using, for who compares them with a list of things.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "ca/ledger/certificate_record.h"
#include "store/connection.h"

namespace cmpost {

struct CertificateInForce {
  Bytes serial;
  std::string subject, profile, channel;
  Time issued{}, not_after{};
  CertificateState state = CertificateState::valid;
  std::string device;  // whose row it was got by; empty: nobody's
};

// In the order in which they were issued: neither expired at `now` nor revoked nor, being renewed,
// `updated`. Reads through all certificates once, one by one.
Result<void> for_each_in_force(Connection& connection, Time now,
                               const std::function<void(const CertificateInForce&)>& each);

}  // namespace cmpost
