#include "mime/der_frame.h"

#include <optional>

namespace cmpost {

namespace {

// Header and contents of the SEQUENCE at the front, as X.690 8.1.3 has lengths.
std::optional<std::size_t> sequence_size(ByteView octets) {
  if (octets.size() < 2 || octets[0] != kDerSequence) return std::nullopt;
  if (octets[1] < 0x80) return 2 + std::size_t{octets[1]};
  const std::size_t count = octets[1] & 0x7f;
  if (count == 0 || count > 4 || octets.size() < 2 + count) return std::nullopt;
  std::size_t length = 0;
  for (const auto octet : octets.subspan(2, count)) length = length << 8 | octet;
  return 2 + count + length;
}

}  // namespace

void drop_line_end_after_der(Bytes& octets) {
  const auto size = sequence_size(octets);
  if (!size || *size >= octets.size()) return;
  const auto rest = text_of(ByteView(octets).subspan(*size));
  if (rest == "\n" || rest == "\r\n") octets.resize(*size);
}

}  // namespace cmpost
