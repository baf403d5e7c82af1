// What tells one mail from another by its header.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cmpost {

// A digest of the Message-ID and the topmost Received field, which a server writes anew for each
// arrival; of the whole header when it has neither. Other fields do not count beside those: some
// servers change Status and the like from one session to the next.
class HeaderDigest {
 public:
  // Line by line without line ends; what follows the empty line does not count.
  void add(std::string_view line);
  // 32 hexadecimal digits.
  std::string text() const;

 private:
  enum class Field { other, message_id, received };
  void open_field(std::string_view line);

  Field open_ = Field::other;
  bool in_body_ = false;
  std::string message_id_, received_, whole_;
};

}  // namespace cmpost
