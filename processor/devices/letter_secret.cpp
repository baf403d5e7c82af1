#include "processor/devices/letter_secret.h"

#include <cstdint>
#include <optional>

namespace cmpost {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kGroup = 5, kGroups = 5, kLength = kGroup * (kGroups + 1);

// Times x in GF(32), modulo x^5 + x^2 + 1.
unsigned doubled(unsigned value) {
  value <<= 1U;
  return (value & 32U) != 0 ? value ^ 0x25U : value;
}

// Each place has a factor of its own, none of them 0 or 1: one wrong character changes the sum, and
// so do two that have changed places, the check character's among them.
unsigned check_of(const std::vector<unsigned>& symbols, std::size_t group) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kGroup; ++i) {
    sum = doubled(sum ^ symbols[group * kGroup + i]);
  }
  return sum;
}

std::optional<unsigned> symbol_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto place = kAlphabet.find(c);
  if (place == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(place);
}

std::string text_of_symbols(const std::vector<unsigned>& symbols) {
  std::string text;
  for (const auto symbol : symbols) text += kAlphabet[symbol];
  return text;
}

}  // namespace

std::string make_letter_secret(Random& random) {
  std::vector<unsigned> symbols;
  for (const auto octet : random.bytes(kGroup * kGroups)) symbols.push_back(octet % 32U);
  for (std::size_t group = 0; group < kGroups; ++group) {
    symbols.push_back(check_of(symbols, group));
  }
  return text_of_symbols(symbols);
}

std::string in_groups_of_five(std::string_view secret) {
  std::string text;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    if (i > 0 && i % kGroup == 0) text += '-';
    text += secret[i];
  }
  return text;
}

TypedSecret read_letter_secret(std::string_view typed) {
  TypedSecret read;
  std::vector<unsigned> symbols;
  for (const char c : typed) {
    if (c == '-' || c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    const auto symbol = symbol_of(c);
    if (!symbol) {
      read.fault = "character " + std::to_string(symbols.size() + 1) +
                   " is none that a secret has: there are digits, and letters but U";
      return read;
    }
    symbols.push_back(*symbol);
  }
  if (symbols.size() != kLength) {
    read.fault = "it has " + std::to_string(symbols.size()) + " characters instead of " +
                 std::to_string(kLength);
    return read;
  }
  for (std::size_t group = 0; group < kGroups; ++group) {
    if (check_of(symbols, group) != symbols[kGroup * kGroups + group]) {
      read.wrong_groups.push_back(static_cast<int>(group) + 1);
    }
  }
  if (read.wrong_groups.empty()) read.secret = text_of_symbols(symbols);
  return read;
}

}  // namespace cmpost
