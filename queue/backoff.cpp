#include <algorithm>
#include <array>

#include "queue/job_queue.h"

namespace cmpost {

// The jitter keeps jobs that failed together from coming back together.
Duration backoff(int attempts, Random& random) {
  using std::chrono::hours;
  using std::chrono::minutes;
  constexpr std::array<Duration, 5> kSteps = {minutes(1), minutes(5), minutes(15), hours(1),
                                              hours(4)};
  const auto step = kSteps[static_cast<std::size_t>(
      std::clamp(attempts - 1, 0, static_cast<int>(kSteps.size()) - 1))];
  const auto chance = random.bytes(2);
  const int permille = 800 + (chance[0] << 8 | chance[1]) % 401;
  return step * permille / 1000;
}

}  // namespace cmpost
