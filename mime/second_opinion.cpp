#include "mime/second_opinion.h"

#include <algorithm>

#include "mime/mimetic_tree.h"

namespace cmpost {

namespace {

constexpr std::string_view kDisagree = "two readers understand the mail differently: ";

std::size_t size_without_line_ends(std::string_view body) {
  return body.find_last_not_of("\r\n") + 1;
}

bool is_leaf(const ScannedPart& part) { return part.kind == ScannedPart::Kind::leaf; }

Result<void> same_leaf(const ScannedPart& ours, const TreeLeaf& theirs) {
  if (ours.type.value != theirs.type) {
    return hold(std::string(kDisagree) + "part " + ours.path + " is " + ours.type.value + " or " +
                printable(theirs.type, 60));
  }
  const auto size = size_without_line_ends(ours.body);
  if (size != theirs.size) {
    return hold(std::string(kDisagree) + "part " + ours.path + " has " + std::to_string(size) +
                " or " + std::to_string(theirs.size) + " octets");
  }
  return {};
}

}  // namespace

Result<void> agree_with_mimetic(ByteView raw, const std::vector<ScannedPart>& parts) {
  ASSIGN_OR_RETURN(const auto theirs, mimetic_leaves(without_mbox_line(raw)));
  const auto ours = static_cast<std::size_t>(std::ranges::count_if(parts, is_leaf));
  if (ours != theirs.size()) {
    return hold(std::string(kDisagree) + "it has " + std::to_string(ours) + " or " +
                std::to_string(theirs.size()) + " parts");
  }
  auto their = theirs.begin();
  for (const auto& part : parts) {
    if (is_leaf(part)) TRY(same_leaf(part, *their++));
  }
  return {};
}

}  // namespace cmpost
