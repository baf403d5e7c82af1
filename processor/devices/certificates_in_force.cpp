#include "processor/devices/certificates_in_force.h"

#include "store/rows.h"

namespace cmpost {

Result<void> for_each_in_force(Connection& connection, Time now,
                               const std::function<void(const CertificateInForce&)>& each_one) {
  return each(
      connection,
      "SELECT c.serial, c.subject, c.profile, c.channel, c.issued, c.not_after, c.state, "
      "coalesce((SELECT d.name FROM device_certificate dc JOIN device d ON d.id = dc.device "
      "WHERE dc.serial = c.serial), '') FROM certificate c WHERE c.not_after > ? AND "
      "c.state NOT IN ('revoked', 'updated') ORDER BY c.id",
      [&](Row& row) {
        CertificateInForce one;
        row.into(one.serial, one.subject, one.profile, one.channel, one.issued, one.not_after);
        // An unknown state is one of a later version: it is shown as what nobody can say of.
        one.state = certificate_state(row.next<std::string>()).value_or(CertificateState::held);
        one.device = row.next<std::string>();
        each_one(one);
      },
      now);
}

}  // namespace cmpost
