#include "watcher/courier_ingress.h"

#include <algorithm>

#include "base/pause.h"

namespace cmpost {

void CourierIngress::wait(Duration time_out, const std::stop_token& stop) {
  (void)pause(std::min(time_out, poll_), stop);
}

}  // namespace cmpost
