// The manifest of a courier's bundle (docs/formats.md): version 2 of that of a batch. It says
// besides who sends it to whom, what it has received of the other side, and what each file is.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carrier/batch_manifest.h"
#include "carrier/number_ranges.h"

namespace cmpost {

enum class BundlePurpose {
  requests,
  answers,
  notices  // no messages: receipts, and perhaps files for people
};
std::string_view to_string(BundlePurpose purpose);

enum class BundleFileKind {
  requests,  // messages on their way up
  answers,   // messages on their way down
  crl,
  report,
  other,
  sealed  // a file of the bundle, encrypted; what it is says the manifest in the first of them
};
std::string_view to_string(BundleFileKind kind);
// Whether somebody has to work on it.
bool is_message(BundleFileKind kind);

struct BundleFile {
  std::string name;
  std::uint64_t size = 0;
  Sha256 sha256{};
  BundleFileKind kind = BundleFileKind::other;
  friend bool operator==(const BundleFile&, const BundleFile&) = default;
};

// By the name of the stream.
using StreamRanges = std::map<std::string, NumberRanges>;

struct BundleManifest {
  std::string stream;
  std::uint64_t number = 0;  // from 1 on, without a gap
  Sha256 previous{};         // of the whole manifest number - 1, of the one inside where there is
                             // one; zeros in the first
  Time created{};            // whole seconds
  std::string from, to;      // names of peers; "-" in the manifest that a sealed bundle shows
  BundlePurpose purpose = BundlePurpose::requests;
  // Of those who can open the files, by their keys, in hexadecimal; empty: the files are open.
  std::vector<std::string> sealed;
  // What has come of the other side's streams by now, and what is not waited for any more.
  StreamRanges received, given_up;
  std::vector<BundleFile> files;
  // What a sealed bundle shows: the manifest that counts is inside.
  bool is_stub() const;
  friend bool operator==(const BundleManifest&, const BundleManifest&) = default;
};

// What stands for a name that is not shown.
inline constexpr std::string_view kHiddenParty = "-";

inline constexpr std::uint64_t kLargestBundleFile = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kLargestBundle = std::uint64_t{256} << 20U;  // octets of all files
inline constexpr std::size_t kMostReceiptStreams = 16;
inline constexpr std::size_t kMostSealRecipients = 16;

// Files that lie beside the manifest and are not in it.
inline constexpr std::string_view kBundleSignature = "manifest.p7s";
inline constexpr std::string_view kBundleSums = "SHA256SUMS";

// 1 to 64 of A-Z a-z 0-9 . _ -, and not the above.
bool is_bundle_party(std::string_view name);

std::string format(const BundleManifest& manifest);
// Takes what format() writes and nothing else; limits (those above, kMostBatchFiles,
// kLargestManifest) come before memory. An Error (hold) says what is wrong.
Result<BundleManifest> parse_bundle_manifest(ByteView text);

// Where it stands in its stream, for the memory of a receiver.
BatchManifest place_of(const BundleManifest& manifest);

}  // namespace cmpost
