// The keys of a [[channel]] with kind = "orders".
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace cmpost {

// What becomes of a certificate with another subject or other names than were asked for.
enum class ChangedNames {
  hold,            // a person looks at it
  grantedWithMods  // the requester gets it, and is told so
};

// Certificates are ordered of a CA that speaks no CMP, by PKCS#10: `direction` is upstream. A
// person carries orders between two directories, or a program places them.
struct OrdersSettings {
  static constexpr std::string_view kKind = "orders";
  bool is_private(std::string_view) const { return true; }

  std::string in, out;  // absolute; empty: `command`
  std::string command;  // absolute, of a program; empty: the two directories
  Duration time_limit = std::chrono::seconds(60);  // for one run of it
  ChangedNames changes = ChangedNames::hold;
  // As in DirectorySettings. `poll` is also the time between two questions for one order, where the
  // program names none.
  Duration settle = std::chrono::seconds(1);
  Duration poll = std::chrono::minutes(1);
  Duration done_keep = std::chrono::hours(24 * 30);
  Duration quarantine_keep = Duration::zero();
};

}  // namespace cmpost
