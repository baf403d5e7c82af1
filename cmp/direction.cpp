#include "cmp/direction.h"

#include <algorithm>
#include <array>

#include "cmp/nesting.h"
#include "cmp/pki_message.h"

namespace cmpost {
namespace {

// Two levels are used: a batch, and in it messages with an added protection.
constexpr int kMaxDepth = 16;
constexpr std::size_t kNested = 20;

constexpr auto kRequest = MessageDirection::request;
constexpr auto kResponse = MessageDirection::response;
constexpr auto kAnnouncement = MessageDirection::announcement;

// In the order of the tags (RFC 9810 Appendix F).
constexpr std::array<MessageDirection, std::variant_size_v<PKIBody>> kDirections = {
    kRequest,                 // ir
    kResponse,                // ip
    kRequest,                 // cr
    kResponse,                // cp
    kRequest,                 // p10cr
    kResponse,                // popdecc
    kRequest,                 // popdecr
    kRequest,                 // kur
    kResponse,                // kup
    kRequest,                 // krr
    kResponse,                // krp
    kRequest,                 // rr
    kResponse,                // rp
    kRequest,                 // ccr
    kResponse,                // ccp
    kAnnouncement,            // ckuann
    kAnnouncement,            // cann
    kAnnouncement,            // rann
    kAnnouncement,            // crlann
    kResponse,                // pkiconf
    kRequest,                 // nested
    kRequest,                 // genm
    kResponse,                // genp
    MessageDirection::error,  // error
    kRequest,                 // certConf
    kRequest,                 // pollReq
    kResponse,                // pollRep
};

bool asks_for_nothing(ByteView message, int depth) {
  if (depth > kMaxDepth) return true;
  const auto parts = split(message);
  if (!parts) return false;
  if (parts->body_tag != kNested) return direction_of(parts->body_tag) != MessageDirection::request;
  const auto members = nested_members(message);
  return !members.empty() && std::ranges::all_of(members, [depth](ByteView member) {
    return asks_for_nothing(member, depth + 1);
  });
}

}  // namespace

MessageDirection direction_of(std::size_t tag) { return kDirections.at(tag); }

bool asks_for_nothing(ByteView message) { return asks_for_nothing(message, 0); }

}  // namespace cmpost
