// What is ready for a courier, made into bundles and written to a medium.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "carrier/bundles/bundle_archive.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"

namespace cmpost {

// The directory with the channel's memory of bundles.
std::string bundle_archive_of(const ChannelSettings& channel);

struct BundleTools {
  JobQueue& replies;
  const Clock& wall;
  Random& random;
  const BundleSigner& signer;
  const BundleSeal* seal = nullptr;
};

// One copy of a bundle on a medium.
struct ExportedBundle {
  std::uint64_t number = 0;
  std::uint64_t copy = 0;
  BundlePurpose purpose = BundlePurpose::notices;
  std::size_t messages = 0;
  std::size_t files = 0;  // messages among them
  std::uint64_t octets = 0;
  bool there_already = false;  // an earlier call had written it, and died before it was noted
};

// A bundle is durable with its number before the queue lets go of its messages, and these are let
// go of before an octet is written elsewhere. Whatever ends that early is gone on with by the next
// call: with the same number and the same octets once there is a number, and before that there is
// nothing. A message is in one bundle only. Used by one thread; the calls of several processes come
// one after the other.
class BundleExport {
 public:
  // All references must outlive the object. The settings are those of a courier channel.
  static Result<BundleExport> begin(const ChannelSettings& channel, const BundleTools& tools);

  // Makes bundles of all that waits: one, unless the limits of one are too small for it. Files of
  // `extras` go along in the first, and make one alone where some are new. How many were made.
  // `heard`: what has come of the other side.
  struct Heard {
    StreamRanges received, given_up;
  };
  Result<std::size_t> make(const Heard& heard);
  // One without messages that tells what has come.
  Result<std::uint64_t> make_receipt(const Heard& heard);
  // Wants one more copy of each; which there are.
  Result<NumberRanges> want_again(NumberRange range) const;
  // Writes a copy of each bundle that is due; `medium` and the directory are remembered. What an
  // Error ends is due as before.
  Result<std::vector<ExportedBundle>> write(const std::string& directory,
                                            const std::string& medium) const;
  // Forgets what the other side has, after its time.
  Result<void> purge() const;
  // Messages for people: extras that were left out, a new stream.
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  BundleExport(const ChannelSettings& channel, const BundleTools& tools, BundleArchive archive,
               FileDescriptor lock)
      : channel_(channel),
        tools_(tools),
        archive_(std::make_unique<BundleArchive>(std::move(archive))),
        lock_(std::move(lock)) {}

  const BundleSettings& settings() const { return channel_.courier()->bundle; }
  Result<void> compare_memories();
  Result<std::vector<Lease>> take(std::size_t held);
  Result<void> finish_known(std::vector<Lease>& leases);
  struct Filled {
    std::vector<JobId> ids;
    bool more = false;  // the limits have left some
  };
  Result<Filled> fill(BundleDraft& draft);
  Result<bool> add_extras(BundleDraft& draft);
  Result<bool> has_extra(const std::string& name, const Sha256& hash);
  Result<std::uint64_t> publish(BundleDraft draft, const Heard& heard, BundlePurpose purpose);

  const ChannelSettings& channel_;
  BundleTools tools_;
  std::unique_ptr<BundleArchive> archive_;
  FileDescriptor lock_;
  std::optional<BundleArchive::Known> known_;
  std::optional<std::vector<BundleFile>> newest_extras_;
  std::vector<std::string> remarks_;
};

}  // namespace cmpost
