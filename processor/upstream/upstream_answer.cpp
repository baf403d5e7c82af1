#include "processor/upstream/upstream_answer.h"

#include <algorithm>

namespace cmpost {

const UpstreamMessage& root_of(const UpstreamMessage& asked, const UpstreamMessages& messages) {
  if (asked.body != "pollReq") return asked;
  const auto waiting = std::ranges::find(messages, UpstreamState::waits, &UpstreamMessage::state);
  return waiting == messages.end() ? messages.front() : *waiting;
}

const UpstreamMessage& former_root_of(const UpstreamMessage& asked,
                                      const UpstreamMessages& messages) {
  if (asked.body != "pollReq") return asked;
  const auto is_root = [&](const UpstreamMessage& one) {
    return one.question && one.body != "pollReq" && one.seq < asked.seq;
  };
  const auto found = std::ranges::find_if(messages.rbegin(), messages.rend(), is_root);
  return found == messages.rend() ? messages.front() : *found;
}

const UpstreamMessage* asked_by(const UpstreamMessages& messages, const Bytes& tid,
                                const std::optional<Bytes>& recipNonce) {
  const UpstreamMessage *named = nullptr, *open = nullptr, *waits = nullptr;
  for (const auto& one : messages) {
    if (one.transactionID != tid) continue;
    if (is_open(one.state)) open = &one;
    if (one.state == UpstreamState::waits) waits = &one;
    if (one.senderNonce == recipNonce && (named == nullptr || is_open(one.state))) named = &one;
  }
  if (named == nullptr) return open;
  if (is_open(named->state)) return named;
  return named->body == "pollReq" ? waits : nullptr;
}

const UpstreamMessage* answered_by(const UpstreamMessages& messages, const Sha256& digest,
                                   const std::optional<Bytes>& recipNonce) {
  const UpstreamMessage* found = nullptr;
  for (const auto& one : messages) {
    if (one.answer != digest) continue;
    if (found == nullptr || one.senderNonce == recipNonce) found = &one;
  }
  return found;
}

}  // namespace cmpost
