// The memory of a receiver of numbered batches.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "carrier/batch_manifest.h"
#include "carrier/number_ranges.h"

namespace cmpost {

// What people call them.
enum class CarriedAs { batch, bundle };

// Which batches have come, in one small text file that is replaced whole. Used by one thread of one
// process at a time; read() by anybody.
class ReceivedBatches {
 public:
  struct Stream {
    NumberRanges complete;
    NumberRanges skipped;                       // an operator waits for these no longer
    std::map<std::uint64_t, Sha256> hashes;     // of the newest manifests
    std::set<std::uint64_t> conflicts;          // another batch of a number that has come is there
    std::map<std::uint64_t, std::string> torn;  // batches that are there in part, and what is wrong
    Time last{};                                // when the newest batch was complete
  };

  // What the file says; nothing when there is none. A damaged file, and one that cannot be read, is
  // an Error: what has come is then not known.
  static Result<ReceivedBatches> read(const std::string& path);

  bool has(const std::string& stream, std::uint64_t number) const;
  // Notes a batch as complete. Durable when OK.
  Result<void> add(const BatchManifest& manifest, const Sha256& hash, Time now);
  // Notes which batches are torn and how, but for those that were given up, instead of what was
  // noted before. Not durable: the next look finds it out again. Gives how many there was no room
  // for.
  Result<std::size_t> set_torn(std::map<std::string, std::map<std::uint64_t, std::string>> torn);
  // The same for batches of which another one has come before.
  Result<std::size_t> set_conflicts(
      const std::map<std::string, std::set<std::uint64_t>>& conflicts);
  // Is the manifest the one that came under this number? Numbers long past are not known.
  enum class Same { yes, no, not_known };
  Same same(const std::string& stream, std::uint64_t number, const Sha256& hash) const;
  // Waits no longer for batches that are missing or torn in any stream. Durable.
  Result<NumberRanges> skip(NumberRange range);

  // "the batch does not follow ...": what is wrong with its place in the chain; empty when nothing
  // is, or nothing can be said.
  std::string chain_mistake(const BatchManifest& manifest, const Sha256& hash) const;

  // Everything that is missing, torn or there twice, a sentence each: "batch 17 missing, 18
  // complete". With more than one stream each sentence names its own.
  std::vector<std::string> complaints(CarriedAs what = CarriedAs::batch) const;
  const std::map<std::string, Stream>& streams() const { return streams_; }

 private:
  explicit ReceivedBatches(std::string path) : path_(std::move(path)) {}
  Result<void> save() const;
  std::string text() const;
  bool parse(std::string_view text);

  std::string path_;
  std::map<std::string, Stream> streams_;
};

}  // namespace cmpost
