// Numbered batches on their way out: one-way, so nobody will ever say that one was lost.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "carrier/batch_archive.h"

namespace cmpost {

struct BatchSenderSettings {
  std::string state;    // directory of the archive
  std::string out;      // where batches are put
  std::string staging;  // where their files are written first, on the file system of `out`; empty:
                        // in `out`, under hidden names
  std::uint64_t copies = 1;
  Duration repeat_after = Duration::zero();  // between two copies of a batch
  Duration keep = std::chrono::hours(24 * 90);
};

// One copy of a batch, whole in `out`.
struct EmittedCopy {
  std::uint64_t number = 0;
  std::uint64_t copy = 0;
  std::size_t files = 0;
};

// A batch is first made durable with its number (BatchArchive), then each copy is written: all
// files, synced and under their names, and only then the manifest. Used by one thread; several
// processes may share `state`.
class BatchSender {
 public:
  // All references must outlive the object.
  BatchSender(BatchSenderSettings settings, const Clock& clock, Random& random)
      : settings_(std::move(settings)), clock_(clock), random_(random) {}

  // Gives the items a number. Once this is OK they will be written by emit() of this or any later
  // process.
  Result<std::uint64_t> add(std::span<const BatchItem> items);
  // Writes all copies that are due, in the order of the numbers. An Error leaves the rest due. A
  // copy that is due later than `repeat_after` from now was so by a clock that has been set back.
  Result<std::vector<EmittedCopy>> emit();
  // Wants one more copy of each; which of them there are.
  Result<NumberRanges> want_again(NumberRange range);
  // The ids in all batches made since `since`, each with the number of its batch.
  Result<BatchArchive::Known> known(Time since);
  // The memory may be an old one, restored from a backup: then numbers of it were used already. It
  // is when it does not know the last item that has left (`last` was made at `since`) and has
  // forgotten nothing that was made since, or when batches of its stream with higher numbers lie in
  // `out`. Then a new stream begins, with batch 1; the old memory is kept aside. True when that was
  // so. An Error: it could not be found out, and nothing may be sent yet.
  Result<bool> begin_anew_if_behind(const std::optional<std::string>& last, Time since);
  // Forgets batches that are older than settings.keep at `now` and that nobody needs.
  Result<void> purge(Time now, const BatchArchive::StillNeeded& needed);

 private:
  struct Target;
  Result<BatchArchive*> archive();
  bool is_due(Time next) const;
  Result<void> emit(std::uint64_t number, BatchArchive::Copies copies,
                    std::vector<EmittedCopy>& emitted);
  Result<bool> write_copy(const Target& target, const ArchivedBatch& batch,
                          std::uint64_t copy) const;

  const BatchSenderSettings settings_;
  const Clock& clock_;
  Random& random_;
  std::optional<BatchArchive> archive_;
};

}  // namespace cmpost
