// The memory of a sender of numbered batches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/random.h"
#include "carrier/batch_file.h"
#include "carrier/number_ranges.h"

namespace cmpost {

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
  // Without its contents: cheap.
  Result<BatchHead> head(std::uint64_t number) const;
  Result<bool> has(std::uint64_t number) const;

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
  struct Known {
    std::map<std::string, std::uint64_t> batches;
    bool whole = true;  // false: some that may have been made since then are forgotten
  };
  Result<Known> known(Time since) const;

  // Must the batch of these ids be remembered, since one of them may be asked for again?
  using StillNeeded = std::function<Result<bool>(const std::vector<std::string>& ids)>;
  // Forgets batches made before `before`, but never the newest, from which the next number comes,
  // none that is due and none that is `needed`; how many.
  Result<std::size_t> purge(Time before, const StillNeeded& needed) const;

 private:
  explicit BatchArchive(std::string directory) : directory_(std::move(directory)) {}
  std::string path(const char* kind, std::uint64_t number, const char* ending = "") const;
  Result<std::vector<std::uint64_t>> numbers(const char* kind) const;
  Result<Copies> copies(std::uint64_t number) const;
  Result<void> put_away(std::uint64_t number) const;  // its wish, which is fulfilled
  Result<void> find_newest();

  std::string directory_;
  std::optional<Newest> newest_;
};

}  // namespace cmpost
