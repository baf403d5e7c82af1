// One message on its way through the processor.
#pragma once

#include <string>

#include "base/clock.h"
#include "cmp/pki_message.h"
#include "processor/channel_policy.h"
#include "processor/requester.h"

namespace cmpost {

// What the header asks for, checked.
struct HeaderWishes {
  bool implicitConfirm = false;
  std::vector<std::string> certProfile;  // one per CertReqMsg, one for all, or none
};

struct Request {
  PKIMessage message;
  Bytes der;  // as received
  Sha256 digest{};
  const ChannelPolicy* channel = nullptr;
  HeaderWishes wishes;
  Time now{};  // one time for all decisions about it
};

}  // namespace cmpost
