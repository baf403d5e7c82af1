#include "asn1/pem.h"

namespace cmpost {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLineLength = 64;

}  // namespace

Result<std::vector<PemBlock>> pem_blocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  for (auto begin = text.find(kBegin); begin != text.npos; begin = text.find(kBegin)) {
    text.remove_prefix(begin);
    const auto label_end = text.find(kDashes, kBegin.size());
    if (label_end == text.npos) return hold("PEM: the BEGIN line is cut off");
    const auto label = text.substr(kBegin.size(), label_end - kBegin.size());
    const auto body_at = label_end + kDashes.size();
    const auto end_line = std::string(kEnd) + std::string(label) + std::string(kDashes);
    const auto end = text.find(end_line, body_at);
    if (end == text.npos) return hold("PEM: no END line for BEGIN " + printable(label, 40));
    blocks.push_back(
        {label, text.substr(0, end + end_line.size()), text.substr(body_at, end - body_at)});
    text.remove_prefix(end + end_line.size());
  }
  return blocks;
}

Result<Bytes> decode(const PemBlock& block) {
  auto der = from_base64(block.body);
  if (!der) return hold("PEM: what is inside " + printable(block.label, 40) + " is not base64");
  return *std::move(der);
}

std::string to_pem_text(std::string_view label, ByteView der) {
  const auto base64 = to_base64(der);
  std::string text = std::string(kBegin) + std::string(label) + std::string(kDashes) + "\n";
  for (std::size_t i = 0; i < base64.size(); i += kLineLength) {
    text += base64.substr(i, kLineLength) + "\n";
  }
  return text + std::string(kEnd) + std::string(label) + std::string(kDashes) + "\n";
}

}  // namespace cmpost
