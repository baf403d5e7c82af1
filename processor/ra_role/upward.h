// A message to the CA above, made of a requester's.
#pragma once

#include "config/settings.h"
#include "crypto/secrets/seal.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

// Which channel asks a CA for these certificate profiles: one that names them, else that of [ra].
// badRequest for those of several CAs: a message goes to one.
Checked<const ChannelPolicy*> upstream_for(const std::set<std::string>& profiles,
                                           const RaSettings& ra, const ChannelPolicies& channels);

// What differs from what the requester has said, where the message is ours.
struct Changes {
  bool implicitConfirm = false;       // asked for although the requester has not
  std::optional<Bytes> recipNonce{};  // of what the CA above has said last
  Bytes signer{};  // of ours that has signed what it follows, where that was not the present one
};

// `request` as it leaves by `channel` in this mode (RFC 9483 5.2.1, 5.2.2.1, 5.2.3): transactionID,
// senderNonce and body stay as they are, and so do generalInfo, but for what is ours alone, and the
// requester's certificates. Protected by our key, or by the secret of the channel. An Error: the
// secret is gone.
Result<UpstreamMessage> make_upward(UpstreamMode mode, const Request& request,
                                    const ChannelPolicy& channel, const Changes& changes,
                                    const Services& services);
// A message of our own in the transaction of `asked`, whether that is a requester's or ours:
// pollReq, certConf, rr; signed by who has signed that. `info`: of the header.
Result<UpstreamMessage> make_own(PKIBody body, const UpstreamMessage& asked, std::int64_t pvno,
                                 const std::optional<Bytes>& recipNonce,
                                 const ChannelPolicy& channel, Time now, const Services& services,
                                 GeneralInfo info = {});

// Several of them in one nested message, with a transactionID and a nonce of its own (5.2.2.2);
// signed, never MACed.
Result<UpstreamBatch> make_batch(const std::vector<UpstreamMessage>& messages,
                                 const ChannelPolicy& channel, Time now, const Services& services);

}  // namespace cmpost
