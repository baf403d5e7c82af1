#include "app/instance/sftp_channel.h"

#include "app/terminal/output.h"
#include "sftp/remote_files.h"
#include "sftp/sftp_egress.h"
#include "sftp/sftp_ingress.h"
#include "sftp/source_files.h"
#include "sftp/wire/sftp_sessions.h"

namespace cmpost {
namespace {

Result<void> look_at_directory(const SftpUrl& url, const ChannelSettings& channel,
                               const char* which) {
  const SteadyClock clock;
  SftpSessions sessions(url, *channel.sftp(), clock);
  auto dialogue = sessions.first();
  auto listing = dialogue ? RemoteListing::open(**dialogue, url.path)
                          : Result<RemoteListing>(failure(dialogue.error()));
  if (listing) return {};
  return failure(std::move(listing).error().within(which));
}

// As SftpEgress does it: write, rename; and back again.
Result<void> write_read_remove(SftpDialogue& dialogue, const std::string& path, ByteView contents) {
  const auto hidden = path + ".part";
  ASSIGN_OR_RETURN(const auto written, write_files(dialogue, {{hidden, contents}}));
  if (!written.front().ok()) {
    return failure(remote_error("writing", hidden, dialogue.peer(), written.front()));
  }
  ASSIGN_OR_RETURN(const auto renamed, rename_files(dialogue, {{hidden, path}}));
  ASSIGN_OR_RETURN(const auto fetched, fetch_files(dialogue, {{path, contents.size()}}));
  ASSIGN_OR_RETURN(const auto removed, remove_files(dialogue, {hidden, path}));
  if (!renamed.front().ok()) {
    return failure(remote_error("renaming", hidden, dialogue.peer(), renamed.front()));
  }
  if (!fetched.front().status.ok() || !equal(fetched.front().contents, contents)) {
    return hold("what was written to " + path + " at " + dialogue.peer() +
                " could not be read back");
  }
  if (!removed.back().ok()) {
    return failure(remote_error("removing", path, dialogue.peer(), removed.back()));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Ingress>> make_sftp_ingress(const Surroundings& around,
                                                   const ChannelSettings& channel) {
  return std::make_unique<SftpIngress>(channel, around.spool.requests(), around.instance.clock(),
                                       around.steady);
}

Result<std::unique_ptr<Egress>> make_sftp_egress(const Surroundings& around,
                                                 const ChannelSettings& channel) {
  return std::make_unique<SftpEgress>(channel, around.steady, SftpDial{},
                                      under_way_in(around.spool.replies()));
}

std::string sftp_host(const ChannelSettings& channel, Way way) {
  return way == Way::in ? channel.sftp()->fetch.host : channel.sftp()->send.host;
}

Result<void> log_in_by_sftp(const ChannelSettings& channel) {
  TRY(look_at_directory(channel.sftp()->fetch, channel, "fetch"));
  return look_at_directory(channel.sftp()->send, channel, "send");
}

Result<std::string> write_a_probe(Instance& instance, const ChannelSettings& channel) {
  const SteadyClock clock;
  const auto start = clock.now();
  TRY(look_at_directory(channel.sftp()->fetch, channel, "fetch"));
  SftpSessions sessions(channel.sftp()->send, *channel.sftp(), clock);
  ASSIGN_OR_RETURN(auto* const dialogue, sessions.first());
  const auto id = to_hex(instance.random().bytes(12));
  TRY(write_read_remove(*dialogue, channel.sftp()->send.path + "/.cmpost-test-" + id, view_of(id)));
  return "a file was written to " + channel.sftp()->send.host + ", read back and removed within " +
         in_words(clock.now() - start);
}

}  // namespace cmpost
