// Answers that are put into a directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "config/channel_settings.h"
#include "outbox/egress.h"

namespace cmpost {

// Writes each answer to `.NAME.JOBID.part` in settings.directory()->out, makes the files of a group
// durable together, renames each to NAME without ever replacing a file, and syncs the directory
// once; only then is the group reported as sent. A reader that takes no hidden files never sees
// half an answer. A file that has the name already and the same octets is this answer, sent before
// a crash; one with other octets is left alone and the answer gets another name (answer_name.h).
// With `staging` the temporary names are in that directory, and nothing but whole answers under
// their names is ever seen in `out`. `pace` and `max_outstanding` keep answers back that the reader
// of `out` could not take yet. On a medium (`media`) each answer is read back before it counts as
// sent, and no directory stays open between two calls, so that the medium can be unmounted.
class DirectoryEgress final : public Egress {
 public:
  explicit DirectoryEgress(const ChannelSettings& settings, UnderWay under_way = {});
  // `steady` measures `pace` and must outlive the object.
  DirectoryEgress(const ChannelSettings& settings, const Clock& steady, UnderWay under_way = {});

  const std::string& channel() const override { return settings_.name; }
  // The first call, and the first after the directory was away, removes the temporary files that a
  // crash has left; those of answers that are under way elsewhere stay.
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;

 private:
  // An answer on its way: written under a temporary name, not yet renamed.
  struct Draft {
    std::size_t index;  // of its lease
    std::string temporary;
    FileDescriptor file;
  };

  Result<void> ensure_open(std::span<const Lease> leases);
  Deliveries send_now(std::span<const Lease> leases);
  std::size_t room() const;
  void keep_back(std::size_t from, Deliveries& deliveries) const;
  void read_back(std::span<const Lease> leases, Deliveries& deliveries) const;
  const FileDescriptor& drafts() const { return staging_ ? staging_ : directory_; }
  std::vector<Draft> write_drafts(std::span<const Lease> leases, std::size_t from,
                                  std::size_t until, Deliveries& deliveries) const;
  Result<FileDescriptor> write_draft(const std::string& temporary, ByteView contents) const;
  void sync_drafts(std::vector<Draft>& drafts, Deliveries& deliveries) const;
  void publish(const std::vector<Draft>& drafts, std::span<const Lease> leases, std::size_t from,
               std::size_t until, Deliveries& deliveries) const;
  Delivery publish_one(const Draft& draft, const Lease& lease, Deliveries& deliveries) const;
  // Is there a file of that name with these octets? If so it is durable.
  bool is_there(const std::string& name, ByteView contents) const;
  void discard(const std::string& temporary) const;

  const ChannelSettings settings_;
  const Clock& steady_;
  const UnderWay under_way_;
  FileDescriptor directory_;
  FileDescriptor staging_;  // none: `out`
  Time last_sent_;
};

}  // namespace cmpost
