#include "ca/ledger/certificate_record.h"

#include <array>
#include <utility>

namespace cmpost {
namespace {

constexpr std::array<std::pair<CertificateState, std::string_view>, 5> kStates = {{
    {CertificateState::unconfirmed, "unconfirmed"},
    {CertificateState::valid, "valid"},
    {CertificateState::updated, "updated"},
    {CertificateState::held, "held"},
    {CertificateState::revoked, "revoked"},
}};

}  // namespace

std::string_view to_string(CertificateState state) {
  for (const auto& [value, text] : kStates) {
    if (value == state) return text;
  }
  return "unknown";
}

std::optional<CertificateState> certificate_state(std::string_view text) {
  for (const auto& [value, name] : kStates) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace cmpost
