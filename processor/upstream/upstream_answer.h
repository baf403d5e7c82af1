// Which of the messages of a transaction an answer from above is to.
#pragma once

#include <vector>

#include "processor/upstream/upstream_message.h"

namespace cmpost {

using UpstreamMessages = std::vector<UpstreamMessage>;  // of one transaction, in the order of seq

// The first message of ours that an answer to `asked` ends: pollReq of our own asks for another.
const UpstreamMessage& root_of(const UpstreamMessage& asked, const UpstreamMessages& messages);
// The same when both have ended.
const UpstreamMessage& former_root_of(const UpstreamMessage& asked,
                                      const UpstreamMessages& messages);

// The open message with this transactionID whose senderNonce is `recipNonce`. One with that of a
// poll which was answered `not yet` is about what still waits (RFC 9483 4.4). For a nonce of
// nothing that was asked some open message, which the caller does not believe it to answer.
// nullptr: nothing waits for it.
const UpstreamMessage* asked_by(const UpstreamMessages& messages, const Bytes& tid,
                                const std::optional<Bytes>& recipNonce);
// The message that octets of this digest have answered before; nullptr: none.
const UpstreamMessage* answered_by(const UpstreamMessages& messages, const Sha256& digest,
                                   const std::optional<Bytes>& recipNonce);

}  // namespace cmpost
