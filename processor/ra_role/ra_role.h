// What an RA does with a request instead of granting it: judged here, asked of a CA above, and
// answered when that has answered (RFC 9483 5.2; docs/ra.md).
//
// open() judges it (judge_request.h), asks people where the channel wants that, chooses a mode
// (choose_mode.h) and makes the message that goes up (upward.h); the transaction waits, as one does
// that waits for approval, with parts in the state `upstream`. certConf follows by the same mode,
// or is answered here (`confirm = "local"`); polls are answered here where our protection stands
// between the two, and go on where it does not. hear() holds an answer against what was asked.
#pragma once

#include "config/settings.h"
#include "processor/admission/role.h"
#include "processor/rights/channel_policy.h"

namespace cmpost {

class RaRole : public Role {
 public:
  // What is given outlives it.
  RaRole(const RaSettings& settings, const Identity& identity, const ChannelPolicies& channels)
      : settings_(settings), identity_(identity), channels_(channels) {}

  Time begins() const override;
  bool is_over(Time now) const override { return identity_.certificate.not_after() <= now; }
  Outcome<Answer> open(const Request& request, const Requester& requester,
                       Services& services) const override;
  Outcome<Answer> confirm(const Request& request, const Requester& requester,
                          const Transaction& transaction, Services& services) const override;
  Outcome<Answer> give_up(const Request& request, const Requester& requester,
                          const Transaction& transaction, Services& services) const override;
  Outcome<std::optional<Answer>> poll(const Request& request, const Requester& requester,
                                      const Transaction& transaction,
                                      Services& services) const override;
  Checked<void> check_above(const Request& answer, const Requester& signer) const override;
  Outcome<Answer> hear(const Heard& heard, Services& services) const override;
  Outcome<Effects> hear_late(const Heard& heard, Services& services) const override;
  Outcome<Effects> revoke(const Orphan& orphan, Time now, Services& services) const override;
  Outcome<Answer> hear_order(const HeardOrder& heard, Services& services) const override;
  Outcome<UpstreamMessage> ask_again(const UpstreamMessage& asked, const Request& question,
                                     Services& services) const override;
  Outcome<Effects> hear_own(const OwnHeard& heard, Services& services) const override;
  Outcome<UpstreamMessage> ask_again_own(const UpstreamMessages& messages,
                                         const UpstreamMessage& asked, Time now,
                                         Services& services) const override;
  Result<UpstreamBatch> wrap(const std::vector<UpstreamMessage>& messages,
                             const ChannelPolicy& channel, Time now,
                             Services& services) const override;
  Result<Effects> end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                      Services& services) const override;
  Result<CheckVerdicts> explain(const Request& request, const Requester& requester,
                                Services& services) const override;

 private:
  // What the answer means, as far as it decides something.
  Outcome<void> take_decided(const Heard& heard, Answer& answer, FromAbove& above,
                             Services& services) const;
  Outcome<Answer> send_up(const Request& request, const Requester& requester,
                          const struct Judged& judged, const struct WayUp& way,
                          Services& services) const;
  Outcome<Answer> pass_on(const Request& request, const Transaction& transaction,
                          Services& services) const;

  const RaSettings& settings_;
  const Identity& identity_;
  const ChannelPolicies& channels_;
};

}  // namespace cmpost
