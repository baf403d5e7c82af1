// How the bundles of a sender stand.
#pragma once

#include <string>
#include <vector>

#include "carrier/bundles/bundle_archive.h"

namespace cmpost {

// How far a bundle has come; spelled in listings as here.
enum class BundleState {
  made,      // has its number
  written,   // a copy is on its way
  received,  // the other side says so
  lost       // the other side waits for it no longer
};
std::string_view to_string(BundleState state);

struct SentBundle {
  BundleManifest manifest;
  BundleCopies copies;
  BundleState state = BundleState::made;
  bool overdue = false;  // written long ago, and no receipt
  bool passed = false;   // later ones have come
  // It has something in it and was written nowhere: as after an export that its medium has ended.
  bool stays() const { return state == BundleState::made && !manifest.files.empty(); }
};

struct SentBundles {
  std::vector<SentBundle> all;  // of the stream, ascending
  std::string received;         // what the other side has of the stream, "1-16,18"
  std::optional<Time> heard;    // when it has said so
};

// `within`: a receipt is expected this long after a copy was written. Bundles without files need
// none.
Result<SentBundles> look_at_sent(const BundleArchive& archive, Duration within, Time now);

// "bundle 17 was written on 2026-11-03T10:00:00Z to medium 4f21; vault has 1-16,18".
std::string describe(const SentBundle& bundle, const SentBundles& among, const std::string& peer);

}  // namespace cmpost
