#include "sftp/sftp_egress.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "outbox/answer_name.h"
#include "outbox/leftovers.h"
#include "sftp/remote_name.h"

namespace cmpost {
namespace {

constexpr std::size_t kListedAtATime = 5'000;
constexpr std::size_t kMostListed = 1'000'000;

// Another one at each attempt: what a connection that broke has left at the server cannot get into
// the way of the next one.
std::string hidden_name(const std::string& name, const Lease& lease) {
  return part_name(name + "." + std::to_string(lease.attempts), lease.job.id);
}

}  // namespace

SftpEgress::SftpEgress(const ChannelSettings& settings, const Clock& steady, SftpDial dial,
                       UnderWay under_way)
    : settings_(settings),
      under_way_(std::move(under_way)),
      sessions_(settings.sftp()->send, *settings.sftp(), steady, std::move(dial)) {}

std::string SftpEgress::path(const std::string& name) const {
  return remote_path(settings_.sftp()->send.path, name);
}

Deliveries SftpEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  const SftpSessions::Stoppable stoppable(sessions_, stop);
  Deliveries deliveries;
  deliveries.each.resize(leases.size());
  {
    const MutexLock lock(mutex_);
    reserved_.clear();
    trouble_.reset();
  }
  const auto work = [&]() -> Result<void> {
    if (!tidied_) {
      ASSIGN_OR_RETURN(auto* const dialogue, sessions_.first());
      TRY(tidy(*dialogue, leases));
    }
    tidied_ = true;
    return sessions_.for_parts(
        leases.size(),
        [&](SftpDialogue& dialogue, std::size_t begin, std::size_t end) -> Result<void> {
          if (stop.stop_requested()) return {};
          return send_part(dialogue, leases.subspan(begin, end - begin), begin, deliveries);
        });
  };
  auto done = work();
  const MutexLock lock(mutex_);
  if (!done) {
    trouble_ = std::move(done).error();
    tidied_ = false;  // a connection that breaks leaves hidden files
  }
  // What a stop has cut short is no trouble of the server's.
  if (stop.stop_requested()) trouble_ = Error{Recovery::retry, "the service was stopped", {}};
  if (!stop.stop_requested()) deliveries.trouble = trouble_;
  for (auto& delivery : deliveries.each) {
    if (delivery.what == Delivery::What::deferred && delivery.detail.empty() && trouble_) {
      delivery.detail = to_string(*trouble_);
    }
  }
  return deliveries;
}

// One part of the group, on one connection.
Result<void> SftpEgress::send_part(SftpDialogue& dialogue, std::span<const Lease> leases,
                                   std::size_t begin, Deliveries& deliveries) {
  {
    const MutexLock lock(mutex_);
    if (trouble_) return {};  // of another part: this one would meet it, too
  }
  std::vector<Draft> drafts;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto names = answer_names(settings_.sftp()->name_template, leases[i]);
    auto hidden = hidden_name(names.front(), leases[i]);
    drafts.push_back({&leases[i], begin + i, std::move(names), 0, std::move(hidden)});
  }
  TRY(find_names(dialogue, drafts, deliveries));
  TRY(write(dialogue, drafts, deliveries));
  crash_point("sftp.written");
  TRY(publish(dialogue, drafts, deliveries));
  crash_point("sftp.published");
  return {};
}

bool SftpEgress::reserve(const std::string& name) {
  const MutexLock lock(mutex_);
  return reserved_.insert(name).second;
}

// Moves each draft to the first of its names that no other answer of the group has.
void SftpEgress::take_names(std::vector<Draft>& drafts, Deliveries& deliveries) {
  std::erase_if(drafts, [&](Draft& draft) {
    while (draft.next_name < draft.names.size() && !reserve(draft.names[draft.next_name])) {
      ++draft.next_name;
    }
    if (draft.next_name < draft.names.size()) return false;
    deliveries.each[draft.index] = {
        Delivery::What::held,
        "other files at " + sessions_.peer() + " have all the names that the answer may have"};
    return true;
  });
}

// Whether there is a file of each draft's name: its status, and its octets if it has the right
// size. What the server does not say is found by opening it.
Result<std::vector<SftpEgress::Presence>> SftpEgress::look_for(SftpDialogue& dialogue,
                                                               const std::vector<Draft>& drafts) {
  std::vector<std::string> paths;
  for (const auto& draft : drafts) paths.push_back(path(draft.names[draft.next_name]));
  ASSIGN_OR_RETURN(const auto looked, look_at(dialogue, paths));
  std::vector<Presence> found(drafts.size(), Presence::absent);
  std::vector<Wanted> wanted;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (looked[i].status.code == SftpCode::no_such_file) continue;
    const auto& look = looked[i].look;
    const auto size = drafts[i].lease->job.payload.size();
    if (looked[i].status.ok()) found[i] = Presence::other;
    if (looked[i].status.ok() && (!look.may_be_file() || look.size.value_or(size) != size))
      continue;
    wanted.push_back({paths[i], size, look.size.has_value()});
    owners.push_back(i);
  }
  ASSIGN_OR_RETURN(const auto fetched, fetch_files(dialogue, wanted));
  for (std::size_t k = 0; k < owners.size(); ++k) {
    const auto& payload = drafts[owners[k]].lease->job.payload;
    if (!fetched[k].status.ok()) continue;
    found[owners[k]] = equal(fetched[k].contents, payload) ? Presence::same : Presence::other;
  }
  return found;
}

Result<void> SftpEgress::find_names(SftpDialogue& dialogue, std::vector<Draft>& drafts,
                                    Deliveries& deliveries) {
  std::vector<Draft> named;
  for (take_names(drafts, deliveries); !drafts.empty(); take_names(drafts, deliveries)) {
    ASSIGN_OR_RETURN(const auto found, look_for(dialogue, drafts));
    std::vector<Draft> unnamed;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      auto& draft = drafts[i];
      if (found[i] == Presence::same) {
        deliveries.each[draft.index] = {Delivery::What::sent, path(draft.names[draft.next_name])};
      } else if (found[i] == Presence::absent) {
        named.push_back(std::move(draft));
      } else {
        ++draft.next_name;
        unnamed.push_back(std::move(draft));
      }
    }
    drafts = std::move(unnamed);
  }
  drafts = std::move(named);
  return {};
}

Error SftpEgress::not_writable(SftpDialogue& dialogue, std::string_view doing,
                               const std::string& name, const SftpStatus& status) {
  auto error = remote_error(doing, path(name), dialogue.peer(), status);
  const auto& directory = settings_.sftp()->send.path;
  if (const auto why = why_not_writable(dialogue, directory); !why.empty()) {
    error.what = "writing into " + directory + " at " + dialogue.peer() + ": " + why;
  } else if (status.code == SftpCode::no_such_file) {
    error.hint = "is there a directory " + directory + " at the server?";
  }
  return error;
}

// A file that cannot be written is taken for the channel's trouble: the others would fare alike.
void SftpEgress::note_failure(Error error, const Draft& draft, Deliveries& deliveries) {
  deliveries.each[draft.index] = {Delivery::What::deferred, to_string(error)};
  const MutexLock lock(mutex_);
  if (!trouble_) trouble_ = std::move(error);
}

Result<void> SftpEgress::write(SftpDialogue& dialogue, std::vector<Draft>& drafts,
                               Deliveries& deliveries) {
  std::vector<NewFile> files;
  for (const auto& draft : drafts) files.push_back({path(draft.hidden), draft.lease->job.payload});
  ASSIGN_OR_RETURN(const auto statuses, write_files(dialogue, files));
  std::vector<Draft> written;
  std::vector<std::string> torn;
  std::optional<Error> error;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (statuses[i].ok()) {
      written.push_back(std::move(drafts[i]));
      continue;
    }
    torn.push_back(files[i].path);
    if (!error) error = not_writable(dialogue, "writing", drafts[i].hidden, statuses[i]);
    note_failure(*error, drafts[i], deliveries);
  }
  drafts = std::move(written);
  TRY(remove_files(dialogue, torn));
  return {};
}

Result<void> SftpEgress::publish(SftpDialogue& dialogue, std::vector<Draft>& drafts,
                                 Deliveries& deliveries) {
  std::vector<Renaming> renamings;
  for (const auto& draft : drafts) {
    renamings.emplace_back(path(draft.hidden), path(draft.names[draft.next_name]));
  }
  ASSIGN_OR_RETURN(const auto statuses, rename_files(dialogue, renamings));
  std::vector<Draft> failed;
  std::vector<SftpStatus> why;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (statuses[i].ok()) {
      deliveries.each[drafts[i].index] = {Delivery::What::sent, renamings[i].second};
    } else {
      failed.push_back(std::move(drafts[i]));
      why.push_back(statuses[i]);
    }
  }
  return explain(dialogue, failed, why, deliveries);
}

// A name that somebody took since we looked is no trouble: the next try finds another one.
Result<void> SftpEgress::explain(SftpDialogue& dialogue, const std::vector<Draft>& failed,
                                 const std::vector<SftpStatus>& why, Deliveries& deliveries) {
  ASSIGN_OR_RETURN(const auto found, look_for(dialogue, failed));
  std::vector<std::string> hidden;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const auto& name = failed[i].names[failed[i].next_name];
    hidden.push_back(path(failed[i].hidden));
    auto& delivery = deliveries.each[failed[i].index];
    if (found[i] == Presence::same) {
      delivery = {Delivery::What::sent, path(name)};
    } else if (found[i] == Presence::other) {
      delivery = {Delivery::What::deferred, "somebody took the name " + name + " meanwhile"};
    } else {
      note_failure(not_writable(dialogue, "renaming a file to", name, why[i]), failed[i],
                   deliveries);
    }
  }
  TRY(remove_files(dialogue, hidden));
  return {};
}

Result<void> SftpEgress::tidy(SftpDialogue& dialogue, std::span<const Lease> leases) {
  ASSIGN_OR_RETURN(auto listing, RemoteListing::open(dialogue, settings_.sftp()->send.path));
  std::vector<std::string> leftovers;
  std::size_t listed = 0;
  for (bool more = true; more && listed < kMostListed;) {
    ASSIGN_OR_RETURN(const auto entries, listing.next(kListedAtATime));
    listed += entries.size();
    more = !entries.empty();
    for (const auto& entry : entries) {
      const auto part = job_of_part(entry.name);
      if (!name_mistake(entry.name).empty() || !part) continue;
      if (is_leftover(*part, leases, under_way_)) leftovers.push_back(path(entry.name));
    }
  }
  if (leftovers.empty()) return {};
  TRY(remove_files(dialogue, leftovers));
  log::info("channel.tidied", {{"channel", channel()}, {"removed", leftovers.size()}});
  return {};
}

}  // namespace cmpost
