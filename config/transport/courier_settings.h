// The keys of a [[channel]] with kind = "courier", and [bundle].
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cmpost {

// Somebody with whom bundles are exchanged. All paths are absolute.
struct BundlePeerSettings {
  std::string name;  // its `name` in its own [bundle]
  // Who signs its bundles: with one of these certificates, or with one for a CA or an RA
  // (id-kp-cmcCA, id-kp-cmcRA) below one of these anchors.
  std::vector<std::string> certificates, trust;
  std::vector<std::string> seal;  // certificates for which its bundles are sealed; empty: open
};

// [bundle]: numbered, signed sets of files that people carry (docs/air-gap.md).
struct BundleSettings {
  std::string name;  // who we are to the others
  std::vector<BundlePeerSettings> peers;
  // Opens what is sealed for us; all or none.
  std::string seal_certificate, seal_key;
  std::optional<std::string> seal_key_password_file;
  Duration receipt_within = std::chrono::hours(24 * 14);  // then a bundle is overdue
  Duration keep = std::chrono::hours(24 * 90);  // bundles that the other side has; zero: for ever
  std::size_t copies = 1;                       // on so many media each bundle leaves
  std::string extras;    // a directory: its files go along in every bundle; empty: none
  std::string received;  // a directory for such files of the others; empty: they are not kept
};

// What leaves waits for `cmpost bundle export`, and nothing comes but by `cmpost bundle import`.
struct CourierSettings {
  static constexpr std::string_view kKind = "courier";
  bool is_private(std::string_view) const { return true; }

  std::string peer;       // the name of a [bundle] peer, of which no other channel has the same
  BundleSettings bundle;  // of the instance, with this peer alone
  Duration poll = std::chrono::hours(1);
};

}  // namespace cmpost
