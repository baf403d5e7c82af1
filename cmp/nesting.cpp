#include "cmp/nesting.h"

#include <algorithm>

#include "cmp/pki_message.h"

namespace cmpost {
namespace {

constexpr unsigned kNestedTag = 20;

}  // namespace

bool is_nested(ByteView message) {
  const auto parts = split(message);
  return parts && parts->body_tag == kNestedTag;
}

std::vector<ByteView> nested_members(ByteView message) {
  std::vector<ByteView> members;
  const auto parts = split(message);
  if (!parts || parts->body_tag != kNestedTag) return members;
  der::Reader body(parts->body);
  auto choice = body.enter(der::context_constructed(kNestedTag));
  auto list = choice ? choice->enter(der::kSequence) : choice;
  if (!list) return members;
  while (!list->at_end()) {
    const auto member = list->expect(der::kSequence);
    if (!member) break;
    members.push_back(member->whole);
  }
  return members;
}

int nesting_depth(ByteView message, int limit) {
  if (limit == 0 || !is_nested(message)) return 0;
  int deepest = 0;
  for (const auto member : nested_members(message)) {
    deepest = std::max(deepest, nesting_depth(member, limit - 1));
  }
  return deepest + 1;
}

}  // namespace cmpost
