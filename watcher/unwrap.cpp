#include "watcher/unwrap.h"

#include <optional>

#include "asn1/der_kind.h"

namespace cmpost {
namespace {

constexpr std::uint8_t kSequence = 0x30;
constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";
constexpr auto kOneMessage = "a file holds exactly one message";
constexpr auto kWhatIsTaken = "a request is the DER or PEM of one PKIMessage";

Unwrapped refused(std::string reason, std::string hint = {}) {
  return {Unwrapped::What::refused, {}, std::move(reason), std::move(hint)};
}
Unwrapped incomplete(std::string reason) {
  return {Unwrapped::What::incomplete, {}, std::move(reason), "send the file again"};
}
std::string hint_for(DerKind kind) {
  switch (kind) {
    case DerKind::certification_request:
      return "send it inside a p10cr message: `openssl cmp -cmd p10cr -csr FILE -reqout ...`";
    case DerKind::private_key:
    case DerKind::pkcs12:
      return "keep it secret; a private key that was sent is not";
    default:
      return kWhatIsTaken;
  }
}

// What people send by mistake is told so; the rest is for who knows CMP.
Unwrapped message(Bytes contents) {
  const auto kind = der_kind(contents);
  if (kind == DerKind::pki_message || kind == DerKind::unknown) {
    return {Unwrapped::What::message, std::move(contents), {}, {}};
  }
  return refused("this is " + std::string(in_words(kind)) + ", not a PKIMessage", hint_for(kind));
}

std::uint64_t big_endian(ByteView octets) {
  std::uint64_t value = 0;
  for (const auto octet : octets) value = value << 8U | octet;
  return value;
}

// What is wrong with the outer length of an element that starts with SEQUENCE; nullopt: nothing.
std::optional<Unwrapped> length_mistake(ByteView der) {
  if (der.size() < 2) return incomplete("the file is cut off after its first octet");
  std::size_t octets = 0;  // of the length, after its first
  std::uint64_t length = der[1];
  if (length == 0x80) return refused("the message has an indefinite length", "CMP needs DER");
  if (length > 0x84) return refused("the message does not start like DER", kWhatIsTaken);
  if (length > 0x80) {
    octets = der[1] & 0x7fU;
    if (der.size() < 2 + octets) return incomplete("the file is cut off in its length");
    length = big_endian(der.subspan(2, octets));
  }
  const std::uint64_t whole = 2 + octets + length;
  if (der.size() < whole) {
    return incomplete("the file is cut off: " + std::to_string(der.size()) + " of " +
                      std::to_string(whole) + " octets are there");
  }
  if (der.size() == whole) return std::nullopt;
  return refused(std::to_string(der.size() - whole) + " octets follow the message", kOneMessage);
}

Unwrapped unwrap_der(Bytes contents) {
  if (auto mistake = length_mistake(contents)) return std::move(*mistake);
  return message(std::move(contents));
}

Unwrapped unwrap_inner(ByteView der, const char* where) {
  if (der.empty()) return refused(std::string("there is nothing in ") + where, kWhatIsTaken);
  if (der[0] != kSequence) {
    return refused(std::string("what is in ") + where + " does not start like DER", kWhatIsTaken);
  }
  auto mistake = length_mistake(der);
  if (!mistake) return message(to_bytes(der));
  // The wrapping is whole, so no more octets will come.
  mistake->what = Unwrapped::What::refused;
  return std::move(*mistake);
}

std::string_view without_space(std::string_view text) {
  constexpr auto kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

Unwrapped unwrap_pem(std::string_view text) {
  const auto label_end = text.find(kDashes, kBegin.size());
  if (label_end == std::string_view::npos) return incomplete("the PEM block is cut off");
  const auto label = text.substr(kBegin.size(), label_end - kBegin.size());
  if (label.size() > 64 || label.find_first_of("\r\n") != std::string_view::npos) {
    return refused("the first line of the PEM block is damaged", kWhatIsTaken);
  }
  if (label.find("PRIVATE KEY") != std::string_view::npos) {
    return refused("the file is a private key", "keep it secret; a key that was sent is not");
  }
  const auto ending = std::string(kEnd) + std::string(label) + std::string(kDashes);
  const auto body_at = label_end + kDashes.size();
  const auto body_end = text.find(ending, body_at);
  if (body_end == std::string_view::npos) return incomplete("the PEM block has no end");
  if (!without_space(text.substr(body_end + ending.size())).empty()) {
    return refused("something follows the PEM block", kOneMessage);
  }
  const auto der = from_base64(text.substr(body_at, body_end - body_at));
  if (!der) return refused("the PEM block is not base64", "it must have no header lines either");
  return unwrap_inner(*der, "the PEM block");
}

// RFC 2510 5.2: length (4), type, value; the length counts type and value. "Version 10": length
// (4), 0x0A, flags, type, value; the length counts all three and the value.
struct FrameKind {
  std::size_t header;
  std::size_t type_at;
};

Unwrapped unwrap_frame(ByteView frame, FrameKind kind) {
  constexpr std::uint8_t kMessage = 0x00, kFinalMessage = 0x05;
  const auto length = big_endian(frame.first(4));
  if (frame.size() < 4 + length || frame.size() < kind.header) {
    return incomplete("the TCP-message frame is cut off");
  }
  if (frame.size() > 4 + length)
    return refused("something follows the TCP-message frame", kOneMessage);
  const auto type = frame[kind.type_at];
  if (type != kMessage && type != kFinalMessage) {
    return refused("the TCP-message frame holds no PKIMessage (type " + std::to_string(type) + ")",
                   "polling and errors of that protocol have no meaning in files");
  }
  return unwrap_inner(frame.subspan(kind.header), "the TCP-message frame");
}

std::optional<FrameKind> frame_kind(ByteView contents) {
  constexpr std::uint8_t kVersion10 = 0x0a, kLastType = 0x06;
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 25U;
  if (contents.size() < 5 || big_endian(contents.first(4)) > kLongest) return std::nullopt;
  if (contents[4] == kVersion10) return FrameKind{7, 6};
  if (contents[4] <= kLastType) return FrameKind{5, 4};
  return std::nullopt;
}

}  // namespace

Unwrapped unwrap(Bytes contents) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (contents.empty()) return incomplete("the file is empty");
  if (contents[0] == kSequence) return unwrap_der(std::move(contents));
  auto text = text_of(contents);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = without_space(text);
  if (text.starts_with(kBegin)) return unwrap_pem(text);
  if (text.size() < kBegin.size() && kBegin.starts_with(text)) {
    return incomplete("the file is cut off");
  }
  if (const auto kind = frame_kind(contents)) return unwrap_frame(contents, *kind);
  if (contents.size() < 5 && contents[0] == 0) return incomplete("the file is cut off");
  return refused("the file is neither DER nor PEM", kWhatIsTaken);
}

}  // namespace cmpost
