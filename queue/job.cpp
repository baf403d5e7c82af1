#include "queue/job.h"

#include <algorithm>

#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 5> kStates = {{
    {JobState::waiting, "waiting"},
    {JobState::active, "active"},
    {JobState::deferred, "deferred"},
    {JobState::held, "held"},
    {JobState::done, "done"},
}};

}  // namespace

std::string JobId::text() const { return to_hex(octets); }

std::optional<JobId> JobId::from_text(std::string_view text) {
  JobId id;
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != id.octets.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), id.octets.begin());
  return id;
}

// Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
JobId make_job_id(std::initializer_list<ByteView> parts) {
  using Length = std::array<std::uint8_t, 8>;
  std::vector<Length> lengths(parts.size());
  std::vector<ByteView> input;
  auto length = lengths.begin();
  for (const auto part : parts) {
    for (std::size_t i = 0; i < length->size(); ++i) {
      (*length)[i] = static_cast<std::uint8_t>(std::uint64_t{part.size()} >> (56 - 8 * i));
    }
    input.push_back(*length++);
    input.push_back(part);
  }
  JobId id;
  const auto digest = hash_all(Digest::sha512, input);
  std::copy_n(digest.begin(), id.octets.size(), id.octets.begin());
  return id;
}

std::string_view to_string(JobState state) {
  return kStates[static_cast<std::size_t>(state)].second;
}

std::optional<JobState> job_state(std::string_view text) {
  for (const auto& [state, name] : kStates) {
    if (name == text) return state;
  }
  return std::nullopt;
}

}  // namespace cmpost
