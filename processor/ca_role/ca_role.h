// The role of a certificate authority: it issues, revokes and tells.
#pragma once

#include "processor/admission/role.h"
#include "processor/authority/authority.h"

namespace cmpost {

class CaRole : public Role {
 public:
  // `authority` outlives it.
  explicit CaRole(const Authority& authority) : authority_(authority) {}

  Time begins() const override {
    return authority_.issuer.certificate().not_before() - kClockSlack;
  }
  Outcome<Answer> open(const Request& request, const Requester& requester,
                       Services& services) const override;
  Outcome<Answer> confirm(const Request& request, const Requester& requester,
                          const Transaction& transaction, Services& services) const override;
  Outcome<Answer> give_up(const Request& request, const Requester& requester,
                          const Transaction& transaction, Services& services) const override;
  Result<Effects> end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                      Services& services) const override;
  Result<CheckVerdicts> explain(const Request& request, const Requester& requester,
                                Services& services) const override;

 private:
  const Authority& authority_;
};

}  // namespace cmpost
