#include "mail/wire/header_digest.h"

#include <algorithm>

#include "base/ascii.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostField = std::size_t{4} << 10U;
constexpr std::size_t kMostHeader = std::size_t{64} << 10U;

void append_up_to(std::string& target, std::string_view more, std::size_t limit) {
  target += more.substr(0, limit - std::min(limit, target.size()));
}

}  // namespace

// The first field of a name counts; what is inserted above later would be a new arrival.
void HeaderDigest::open_field(std::string_view line) {
  open_ = Field::other;
  if (message_id_.empty() && starts_with_letters(line, "message-id:")) open_ = Field::message_id;
  if (received_.empty() && starts_with_letters(line, "received:")) open_ = Field::received;
}

void HeaderDigest::add(std::string_view line) {
  in_body_ = in_body_ || line.empty();
  if (in_body_) return;
  if (line[0] != ' ' && line[0] != '\t') open_field(line);
  append_up_to(whole_, line, kMostHeader);
  if (open_ == Field::message_id) append_up_to(message_id_, line, kMostField);
  if (open_ == Field::received) append_up_to(received_, line, kMostField);
}

std::string HeaderDigest::text() const {
  const bool named = !message_id_.empty() || !received_.empty();
  const auto digest = sha256(view_of(named ? message_id_ + "\n" + received_ : whole_));
  return to_hex(ByteView(digest).first(16));
}

}  // namespace cmpost
