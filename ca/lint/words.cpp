#include "ca/lint/words.h"

#include <array>
#include <string_view>

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 9> kKeyUsage = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};

void add_word(std::string& text, std::string_view word) {
  if (!text.empty()) text += ", ";
  text += word;
}

}  // namespace

std::string plain_name(const Oid& id) {
  std::string name = id.name();
  for (const std::string_view prefix : {"id-ce-", "id-pe-", "id-kp-", "id-at-"}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

std::string key_usage_words(std::uint32_t bits) {
  std::string text;
  for (std::size_t i = 0; i < 32; ++i) {
    if ((bits >> i & 1) == 0) continue;
    add_word(text, i < kKeyUsage.size() ? std::string(kKeyUsage[i]) : "bit " + std::to_string(i));
  }
  return text.empty() ? "none" : text;
}

std::string purpose_words(const std::vector<Oid>& purposes) {
  std::string text;
  for (const Oid& purpose : purposes) add_word(text, plain_name(purpose));
  return text.empty() ? "none" : text;
}

}  // namespace cmpost
