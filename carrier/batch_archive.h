// The memory of a sender of numbered batches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/random.h"
#include "carrier/batch_manifest.h"
#include "carrier/number_ranges.h"

namespace cmpost {

// One file of a batch that is to be made. `id` is the sender's own name for it, for known().
struct BatchItem {
  std::string id;
  std::string name;
  ByteView contents;
};

// A batch as it was made.
struct ArchivedBatch {
  BatchManifest manifest;
  std::string manifest_text;  // the octets whose hash is the next one's `previous`
  std::vector<std::string> ids;
  Bytes contents;  // of all files, one after the other, in the manifest's order
};

// Keeps below its directory
//   batches/0000000017.batch   manifest, ids and contents in one file
//   due/0000000017             copies of it that are still to be written
//   copies/0000000017          how many copies have been written, when none is due
// A batch has its number when its file is durable, which is before any octet of it is written
// elsewhere, and the file is never replaced: so no number is used twice and none is left out,
// wherever the process dies. Several processes may use one directory, each under
// BatchArchive::lock.
class BatchArchive {
 public:
  // Makes the directory where it is missing.
  static Result<BatchArchive> open(const std::string& directory);

  // Nobody else changes the archive while the descriptor is open.
  Result<FileDescriptor> lock() const;

  // The methods below want the lock.

  // How far the copies of one batch are. Durable.
  struct Copies {
    std::uint64_t written = 0;
    std::uint64_t wanted = 1;
    Time next{};  // when the next one may be written
  };

  // Makes the next batch and wants copies of it. The items are at most kMostBatchFiles with at most
  // kLargestBatch octets and have names that differ.
  Result<std::uint64_t> add(std::span<const BatchItem> items, Time now, std::uint64_t copies,
                            Random& random);
  Result<ArchivedBatch> read(std::uint64_t number) const;
  bool has(std::uint64_t number) const;

  // The batches with copies still to be written, ascending.
  Result<std::map<std::uint64_t, Copies>> due() const;
  Result<void> set(std::uint64_t number, const Copies& copies) const;
  // Wants one more copy of each batch that is there; which are.
  Result<NumberRanges> want_again(NumberRange range) const;

  // Puts the batches aside (batches-STREAM/), so that the next one is the first of a new stream.
  // Nothing happens where there is none.
  Result<void> begin_new_stream();
  // The newest batch, if there is any.
  struct Newest {
    std::uint64_t number = 0;  // 0: there is none yet
    std::string stream;
    Sha256 manifest_hash{};
    std::uint64_t inode = 0;  // of batches/, which a new stream replaces
  };
  Result<Newest> newest();

  // The ids in all batches made since `since`, each with the number of its batch.
  Result<std::map<std::string, std::uint64_t>> known(Time since) const;

  // Forgets batches made before `before`, but never the newest, from which the next number comes,
  // and none that is due; how many.
  Result<std::size_t> purge(Time before) const;

 private:
  explicit BatchArchive(std::string directory) : directory_(std::move(directory)) {}
  std::string path(const char* kind, std::uint64_t number, const char* ending = "") const;
  Result<std::vector<std::uint64_t>> numbers(const char* kind) const;
  Result<void> find_newest();

  std::string directory_;
  std::optional<Newest> newest_;
};

}  // namespace cmpost
