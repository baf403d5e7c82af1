// The manifest of a numbered batch (docs/formats.md): what a receiver who cannot ask back needs in
// order to know whether everything has come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "carrier/hash_list.h"

namespace cmpost {

// 16 lower-case hexadecimal digits: whose numbers these are. A sender that has lost its memory
// begins a new stream, so that no number is ever used twice.
bool is_stream_name(std::string_view text);

struct BatchFile {
  std::string name;
  std::uint64_t size = 0;
  Sha256 sha256{};
  friend bool operator==(const BatchFile&, const BatchFile&) = default;
};

struct BatchManifest {
  std::string stream;
  std::uint64_t number = 0;  // from 1 on, without a gap
  Sha256 previous{};         // of the whole manifest number - 1; zeros in the first
  Time created{};            // whole seconds
  std::vector<BatchFile> files;
  friend bool operator==(const BatchManifest&, const BatchManifest&) = default;
};

inline constexpr std::uint64_t kHighestBatch = 9'999'999'999;
inline constexpr std::size_t kLargestManifest = std::size_t{1} << 20U;  // octets
inline constexpr std::size_t kMostBatchFiles = 2'000;
inline constexpr std::uint64_t kLargestBatch = std::uint64_t{64} << 20U;  // octets of all files

// Ends with a SHA-256 over all that stands before, so that a torn manifest shows.
std::string format(const BatchManifest& manifest);

// Takes what format() writes and nothing else; limits come before memory. An Error (hold) says what
// is wrong.
Result<BatchManifest> parse_batch_manifest(ByteView text);

}  // namespace cmpost
