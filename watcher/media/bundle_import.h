// Bundles that a courier has brought, taken into the queue of requests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "carrier/bundles/bundle_archive.h"
#include "carrier/bundles/bundle_inbox.h"
#include "carrier/received_batches.h"
#include "config/channel_settings.h"
#include "watcher/deposit.h"

namespace cmpost {

// The file with what has come of a channel's peer (ReceivedBatches).
std::string received_bundles_file(const ChannelSettings& channel);

// While it is open nobody else imports into the channel or changes what has come of its peer.
Result<FileDescriptor> lock_received_bundles(const ChannelSettings& channel);

// What a receiver says of it in its own bundles: the newest streams, as many as a manifest may
// name.
struct BundlesHeard {
  StreamRanges received, given_up;
};
BundlesHeard heard_of(const ReceivedBatches& received);

struct ImportedBundle {
  enum class What {
    taken,
    known,    // it had come before
    torn,     // some of it is not whole
    refused,  // not signed, not for this channel, another one of a number that has come
    ours,     // our own, on its way
    for_others,
    failed  // an Error ended it: whatever it left undone is done by the next call
  };
  std::string stream;
  std::uint64_t number = 0;
  What what = What::refused;
  std::string channel, from;  // where it is believed
  BundlePurpose purpose = BundlePurpose::notices;
  std::string text, hint;             // what is wrong
  std::vector<std::string> mistakes;  // torn: a sentence for each file
  std::vector<std::string> remarks;
  std::size_t messages = 0, put_aside = 0;
  bool complains() const {
    return what == What::torn || what == What::refused || what == What::failed;
  }
};
std::string_view to_string(ImportedBundle::What what);

// In this order: form and checksum of the manifest, to whom it is, its signature; whether it has
// come before; all files whole; messages into the queue; noted as received, and what its sender has
// of us. Nothing of a bundle whose manifest is not believed is read, nothing is changed in the
// directory, and whatever ends it early is done again by the next call and makes nothing twice:
// jobs are named by stream, number and place. Used by one thread; the calls of several processes
// come one after the other.
class BundleImport {
 public:
  // `channels`: of couriers. All references must outlive the object.
  static Result<BundleImport> begin(std::vector<const ChannelSettings*> channels,
                                    BundleParties parties, JobQueue& requests, const Clock& wall,
                                    const Clock& steady);

  // What becomes of each. One that cannot be taken does not keep the others from it; only where the
  // queue takes nothing for now the one that met this is the last, and says so.
  Result<std::vector<ImportedBundle>> take(const std::string& directory);

 private:
  // What belongs to one peer.
  struct Desk {
    const ChannelSettings* channel;
    ReceivedBatches received;
    std::unique_ptr<Deposit> deposit;
    FileDescriptor lock;
  };

  BundleImport(BundleParties parties, const Clock& wall, const Clock& steady)
      : parties_(std::move(parties)), wall_(wall), steady_(steady) {}
  Result<void> take(const BundleInbox& inbox, const ArrivedBatch& arrived, ImportedBundle& done);
  // Trouble of the queue, not of one bundle, when it may go by.
  template <typename T>
  Result<T> of_queue(Result<T> result) {
    if (!result && result.error().recovery == Recovery::retry) queue_in_trouble_ = true;
    return result;
  }
  Result<void> take_believed(const BundleInbox& inbox, const ArrivedBatch& arrived,
                             const BelievedManifest& believed, ImportedBundle& done);
  Result<void> take_files(const BundleInbox& inbox, const BelievedManifest& believed,
                          const BundleInbox::Places& places, Desk& desk, ImportedBundle& done);
  Result<void> put(Desk& desk, std::vector<Job>& jobs);
  Result<GroupRoom> wait_for_room(Desk& desk);
  Result<void> put_aside(Desk& desk, const Job& job, const std::string& name, ByteView contents,
                         const std::string& reason);
  Result<void> keep_extra(const Desk& desk, const BundleManifest& manifest, const BundleFile& file,
                          ByteView contents) const;
  Result<void> note_torn(Desk& desk, const BundleManifest& manifest,
                         const std::vector<std::string>& mistakes);
  Desk* desk_of(const std::string& peer);

  BundleParties parties_;
  const Clock& wall_;
  const Clock& steady_;
  std::vector<Desk> desks_;
  bool queue_in_trouble_ = false;
};

}  // namespace cmpost
