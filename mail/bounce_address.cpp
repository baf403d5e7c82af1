#include "mail/bounce_address.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "crypto/secrets/mac.h"

namespace cmpost {
namespace {

constexpr std::string_view kBounceMark = "+b.";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 6
constexpr std::size_t kBounceMac = 9;  // octets: with the id 25, which base32 needs no padding for
constexpr std::size_t kBounceToken = 40;
constexpr std::size_t kMaxLocal = 64;

// Five octets are eight digits, and kBounceToken is a multiple of that.
std::string to_base32(ByteView octets) {
  std::string text;
  for (; octets.size() >= 5; octets = octets.subspan(5)) {
    std::uint64_t group = 0;
    for (const auto octet : octets.first(5)) group = group << 8U | octet;
    for (int shift = 35; shift >= 0; shift -= 5) text += kBase32[group >> shift & 31U];
  }
  return text;
}

std::optional<Bytes> from_base32(std::string_view text) {
  Bytes octets;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t group = 0;
    for (const char c : text.substr(0, 8)) {
      const auto digit = kBase32.find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      group = group << 5U | digit;
    }
    for (const int shift : {32, 24, 16, 8, 0}) {
      octets.push_back(static_cast<std::uint8_t>(group >> shift));
    }
  }
  return text.empty() ? std::optional(octets) : std::nullopt;
}

// The purpose is in the MAC: the key may have others.
Result<Bytes> bounce_mac(const JobId& job, ByteView key) {
  auto data = to_bytes("cmpost bounce address\n");
  append(data, job.octets);
  ASSIGN_OR_RETURN(auto mac, hmac_sha256(key, data));
  mac.resize(kBounceMac);
  return mac;
}

}  // namespace

Result<Mailbox> bounce_address(const Mailbox& from, const JobId& job, ByteView key) {
  if (from.local.size() + kBounceMark.size() + kBounceToken > kMaxLocal) return from;
  ASSIGN_OR_RETURN(const auto mac, bounce_mac(job, key));
  auto octets = to_bytes(ByteView(job.octets));
  append(octets, mac);
  return Mailbox{from.local + std::string(kBounceMark) + to_base32(octets), from.domain};
}

bool names_bounce_address(std::string_view text) {
  const auto same = [](char a, char b) { return (a == 'B' ? 'b' : a) == b; };
  return std::search(text.begin(), text.end(), kBounceMark.begin(), kBounceMark.end(), same) !=
         text.end();
}

std::optional<JobId> job_of_bounce_address(const Mailbox& address, ByteView key) {
  const auto local = lower_ascii(address.local);
  const auto mark = local.rfind(kBounceMark);
  if (mark == std::string::npos) return std::nullopt;
  const auto token = std::string_view(local).substr(mark + kBounceMark.size());
  const auto octets = token.size() == kBounceToken ? from_base32(token) : std::nullopt;
  if (!octets) return std::nullopt;
  JobId job;
  std::copy_n(octets->begin(), job.octets.size(), job.octets.begin());
  const auto expected = bounce_mac(job, key);
  if (!expected || !same_mac(ByteView(*octets).subspan(job.octets.size()), *expected)) {
    return std::nullopt;
  }
  return job;
}

}  // namespace cmpost
