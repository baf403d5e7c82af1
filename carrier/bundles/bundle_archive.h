// The memory of a sender of bundles.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "carrier/bundles/bundle_files.h"
#include "carrier/bundles/bundle_seal.h"
#include "carrier/bundles/bundle_signature.h"

namespace cmpost {

// What a bundle says beside its files.
struct BundleAddress {
  std::string from, to;
  BundlePurpose purpose = BundlePurpose::requests;
  StreamRanges received, given_up;
};

// A bundle that has its number, without its files.
struct MadeBundle {
  BundleManifest manifest;       // of what is in it
  BundleManifest shown;          // of what lies there: another one when it is sealed
  std::string shown_text;        // its octets
  std::vector<std::string> ids;  // of the files of `manifest`, in their order; "" for one without
};

// A copy that somebody has carried away.
struct BundleCopy {
  std::uint64_t copy = 0;
  Time written{};
  std::string medium;     // its id; may be empty
  std::string directory;  // where it was written
};
struct BundleCopies {
  std::uint64_t wanted = 1;  // so many altogether
  std::vector<BundleCopy> written;
  bool due() const { return written.size() < wanted; }
};

// What the other side says that it has of our streams. An advice: nothing is lost by it.
struct PeerReceipts {
  StreamRanges received, given_up;
  std::optional<Time> heard;  // when the last of them was made
};

class BundleDraft;

// Keeps below its directory
//   bundles/0000000017/   its files, manifest and signature, octet for octet as they leave; `ids`
//   next/                 the one that is being made
//   written/0000000017    the copies that were written, and how many are wanted
//   receipts              what the other side has
// A bundle has its number when next/ has got its name, which is before any octet of it is written
// elsewhere, and it is never changed afterwards: so no number is used twice and none is left out,
// wherever the process dies, and a copy is the same octets for ever. Several processes may use one
// directory, each under BundleArchive::lock.
class BundleArchive {
 public:
  // Makes the directory where it is missing.
  static Result<BundleArchive> open(const std::string& directory);
  // For whoever only looks; nullopt when there is none.
  static Result<std::optional<BundleArchive>> look_into(const std::string& directory);

  // Nobody else changes the archive while the descriptor is open.
  Result<FileDescriptor> lock() const;

  // The methods that are not const, and set_*, want the lock.

  // Begins a bundle, and removes what a dead process has begun. `seal` must outlive the draft.
  Result<BundleDraft> begin(const BundleSeal* seal, Random& random) const;
  // Gives it the next number; durable when OK. `copies`: how many are wanted.
  Result<std::uint64_t> publish(BundleDraft draft, const BundleAddress& address,
                                const BundleSigner& signer, Time now, std::uint64_t copies,
                                Random& random) const;

  // All that are there, ascending.
  Result<std::vector<std::uint64_t>> numbers() const;
  Result<MadeBundle> read(std::uint64_t number) const;
  std::string directory_of(std::uint64_t number) const;
  // The newest; its number is 0 when there is none yet.
  struct Newest {
    std::uint64_t number = 0;
    std::string stream;
    Sha256 hash{};  // of the octets that were signed: the next one's `previous`
  };
  Result<Newest> newest() const;
  // Jobs in bundles made since `since`, each with the number of its bundle.
  struct Known {
    std::map<std::string, std::uint64_t> ids;
    bool whole = true;  // false: some that may have been made since then are forgotten
  };
  Result<Known> known(Time since) const;

  Result<BundleCopies> copies(std::uint64_t number) const;
  Result<void> set_copies(std::uint64_t number, const BundleCopies& copies) const;

  Result<PeerReceipts> receipts() const;
  // Adds what a manifest of the other side says; durable when OK.
  Result<void> note_receipts(const BundleManifest& of_peer) const;

  // Puts the bundles aside, so that the next one is the first of a new stream.
  Result<void> begin_new_stream() const;
  // Forgets bundles made before `before` that the other side has, but never the newest; how many.
  Result<std::size_t> purge(Time before) const;

 private:
  explicit BundleArchive(std::string directory) : directory_(std::move(directory)) {}
  Result<void> remove_bundle(const std::string& path) const;

  std::string directory_;
};

// A bundle without a number. What is added lies in next/.
class BundleDraft {
 public:
  // Is there room for one more file of this size?
  bool has_room(std::uint64_t size) const;
  std::size_t files() const { return manifest_.files.size(); }
  // May a file have this name? Not twice, and not that of what lies beside the files.
  bool may_be_called(const std::string& name) const;
  // `id`: the sender's own name for it, for known(); may be empty.
  Result<void> add(const std::string& id, const std::string& name, BundleFileKind kind,
                   ByteView contents);

 private:
  friend class BundleArchive;
  BundleDraft(FileDescriptor directory, const BundleSeal* seal, Random& random)
      : directory_(std::make_unique<FileDescriptor>(std::move(directory))),
        group_(std::make_unique<FileGroup>(*directory_)),
        seal_(seal),
        random_(&random) {}
  Result<void> put_sealed(std::size_t index, ByteView contents);

  std::unique_ptr<FileDescriptor> directory_;
  std::unique_ptr<FileGroup> group_;
  const BundleSeal* seal_;
  Random* random_;
  BundleManifest manifest_;  // of what is in it
  BundleManifest shown_;     // sealed: of what lies there
  std::vector<std::string> ids_;
  std::uint64_t octets_ = 0;
  std::size_t format_size_ = 0;  // of the lines of its files
};

}  // namespace cmpost
