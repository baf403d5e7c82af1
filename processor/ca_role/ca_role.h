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
  // A CA asks nobody.
  Outcome<std::optional<Answer>> poll(const Request&, const Requester&, const Transaction&,
                                      Services&) const override {
    return std::nullopt;
  }
  Checked<void> check_above(const Request&, const Requester&) const override;
  Outcome<Answer> hear(const Heard&, Services&) const override;
  Outcome<Effects> hear_late(const Heard& heard, Services& services) const override;
  Outcome<Effects> revoke(const Orphan& orphan, Time now, Services& services) const override;
  Outcome<Answer> hear_order(const HeardOrder&, Services&) const override;
  Outcome<UpstreamMessage> ask_again(const UpstreamMessage&, const Request&,
                                     Services&) const override;
  Outcome<Effects> hear_own(const OwnHeard&, Services&) const override;
  Outcome<UpstreamMessage> ask_again_own(const UpstreamMessages&, const UpstreamMessage&, Time,
                                         Services&) const override;
  Result<UpstreamBatch> wrap(const std::vector<UpstreamMessage>&, const ChannelPolicy&, Time,
                             Services&) const override;
  Result<Effects> end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                      Services& services) const override;
  Result<CheckVerdicts> explain(const Request& request, const Requester& requester,
                                Services& services) const override;

 private:
  const Authority& authority_;
};

}  // namespace cmpost
