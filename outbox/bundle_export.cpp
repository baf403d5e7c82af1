#include "outbox/bundle_export.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/presence.h"
#include "carrier/bundles/bundle_copy.h"
#include "outbox/answer_name.h"
#include "outbox/courier_egress.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTaken = 500;          // jobs at a time
constexpr Duration kBundleClockSlack = 24h;  // a clock may be set back by this much
constexpr std::size_t kOtherCopies = 4;
constexpr std::size_t kLongestExtraName = 100;
constexpr std::size_t kLookedBack = 50;  // bundles, for extras that are there already
// A service gives back at once what it has taken.
constexpr int kPatience = 50;
constexpr Duration kPause = 100ms;

std::string message_name(std::size_t place) {
  const auto digits = std::to_string(place);
  return std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits + ".pki";
}

BundleFileKind kind_of_extra(std::string_view name) {
  if (name.ends_with(".crl")) return BundleFileKind::crl;
  for (const auto* ending : {".html", ".csv", ".json", ".txt", ".pdf"}) {
    if (name.ends_with(ending)) return BundleFileKind::report;
  }
  return BundleFileKind::other;
}

std::uint64_t next_copy(const BundleCopies& copies) {
  std::uint64_t highest = 0;
  for (const auto& one : copies.written) highest = std::max(highest, one.copy);
  return highest + 1;
}

ExportedBundle described(const MadeBundle& bundle, std::uint64_t copy) {
  ExportedBundle exported{.number = bundle.manifest.number,
                          .copy = copy,
                          .purpose = bundle.manifest.purpose,
                          .files = bundle.manifest.files.size()};
  for (const auto& file : bundle.manifest.files) {
    exported.messages += is_message(file.kind) ? 1 : 0;
    exported.octets += file.size;
  }
  return exported;
}

}  // namespace

std::string bundle_archive_of(const ChannelSettings& channel) {
  return channel.state + "/bundles-out";
}

Result<BundleExport> BundleExport::begin(const ChannelSettings& channel, const BundleTools& tools) {
  ASSIGN_OR_RETURN(auto archive, BundleArchive::open(bundle_archive_of(channel)));
  ASSIGN_OR_RETURN(auto lock, archive.lock());
  BundleExport made(channel, tools, std::move(archive), std::move(lock));
  TRY(made.compare_memories());
  return made;
}

// The memory may be an old one, restored from a backup: then numbers of it were used already. The
// queue knows what has left, and the other side what it has got.
Result<void> BundleExport::compare_memories() {
  ASSIGN_OR_RETURN(const auto newest, archive_->newest());
  if (newest.number == 0) return {};
  ASSIGN_OR_RETURN(const auto receipts, archive_->receipts());
  const auto had = receipts.received.find(newest.stream);
  bool behind = had != receipts.received.end() && had->second.last() > newest.number;
  if (!behind) {
    ASSIGN_OR_RETURN(const auto last, tools_.replies.newest_done(channel_.name, kBundled));
    if (last) {
      ASSIGN_OR_RETURN(const auto known, archive_->known(last->arrived - kBundleClockSlack));
      behind = known.whole && !known.ids.contains(last->id.text());
    }
  }
  if (!behind) return {};
  TRY(archive_->begin_new_stream());
  remarks_.emplace_back(
      "the memory of the bundles is older than what has left, as after a restore: bundles count "
      "from 1 again, in a new stream");
  log::warning("bundle.stream_begun", {{"channel", channel_.name}, {"text", remarks_.back()}});
  return {};
}

// `held`: leases that we have already.
Result<std::vector<Lease>> BundleExport::take(std::size_t held) {
  for (int i = 0;; ++i) {
    ASSIGN_OR_RETURN(auto leases, tools_.replies.take_of(channel_.name, kTaken));
    if (!leases.empty()) return leases;
    ASSIGN_OR_RETURN(const auto counts, tools_.replies.counts_of(channel_.name));
    if (counts.active <= held || i == kPatience) return leases;
    (void)pause(kPause, {});
  }
}

// An earlier call had given them a number and died before the queue was told.
Result<void> BundleExport::finish_known(std::vector<Lease>& leases) {
  if (!known_ && !leases.empty()) {
    auto since = Time::max();
    for (const auto& lease : leases) since = std::min(since, lease.arrived);
    ASSIGN_OR_RETURN(known_, archive_->known(since - kBundleClockSlack));
  }
  std::vector<JobId> ids;
  for (const auto& lease : leases) {
    if (known_->ids.contains(lease.job.id.text())) ids.push_back(lease.job.id);
  }
  if (ids.empty()) return {};
  TRY(tools_.replies.finish(ids, kBundled));
  std::erase_if(leases,
                [&](const Lease& lease) { return known_->ids.contains(lease.job.id.text()); });
  return {};
}

// Puts all that waits into the draft, a part of it in memory at a time.
Result<BundleExport::Filled> BundleExport::fill(BundleDraft& draft) {
  const auto kind = channel_.direction == Direction::upstream ? BundleFileKind::requests
                                                              : BundleFileKind::answers;
  Filled filled;
  while (!filled.more) {
    ASSIGN_OR_RETURN(auto leases, take(filled.ids.size()));
    if (leases.empty()) break;
    TRY(finish_known(leases));
    std::vector<JobId> left;
    for (const auto& lease : leases) {
      const auto& job = lease.job;
      if (!left.empty() || !draft.has_room(job.payload.size())) {
        if (draft.files() == 0) {
          TRY(tools_.replies.hold(job.id, "it is larger than a bundle may be"));
          continue;
        }
        left.push_back(job.id);
        continue;
      }
      TRY(draft.add(job.id.text(), message_name(draft.files() + 1), kind, job.payload));
      filled.ids.push_back(job.id);
    }
    if (left.empty()) continue;
    filled.more = true;
    TRY(tools_.replies.defer_all(left, tools_.wall.now(), kWaitsForCourier));
  }
  return filled;
}

Result<bool> BundleExport::has_extra(const std::string& name, const Sha256& hash) {
  if (!newest_extras_) {
    newest_extras_.emplace();
    ASSIGN_OR_RETURN(const auto numbers, archive_->numbers());
    std::size_t looked = 0;
    for (auto at = numbers.rbegin(); at != numbers.rend() && looked < kLookedBack; ++at, ++looked) {
      ASSIGN_OR_RETURN(const auto bundle, archive_->read(*at));
      for (const auto& file : bundle.manifest.files) {
        if (!is_message(file.kind)) newest_extras_->push_back(file);
      }
      if (!newest_extras_->empty()) break;
    }
  }
  return std::ranges::any_of(*newest_extras_, [&](const BundleFile& file) {
    return file.name == name && file.sha256 == hash;
  });
}

// True: one of them is new.
Result<bool> BundleExport::add_extras(BundleDraft& draft) {
  if (settings().extras.empty()) return false;
  ASSIGN_OR_RETURN(auto names, names_if_there(settings().extras));
  std::ranges::sort(names);
  bool any_new = false;
  for (const auto& name : names) {
    if (name.starts_with('.')) continue;
    const auto contents =
        read_file(settings().extras + "/" + name, static_cast<std::size_t>(kLargestBundleFile));
    const auto called = file_name_part(name, kLongestExtraName);
    if (!contents || !draft.has_room(contents->size()) || !draft.may_be_called(called)) {
      remarks_.push_back("left out: " + printable(name) +
                         (contents ? ", there is no room for it or its name is taken"
                                   : ", " + to_string(contents.error())));
      continue;
    }
    ASSIGN_OR_RETURN(const bool there, has_extra(called, sha256(*contents)));
    any_new = any_new || !there;
    TRY(draft.add("", called, kind_of_extra(called), *contents));
  }
  return any_new;
}

Result<std::uint64_t> BundleExport::publish(BundleDraft draft, const Heard& heard,
                                            BundlePurpose purpose) {
  const BundleAddress address{.from = settings().name,
                              .to = channel_.courier()->peer,
                              .purpose = purpose,
                              .received = heard.received,
                              .given_up = heard.given_up};
  const auto files = draft.files();
  ASSIGN_OR_RETURN(const auto number,
                   archive_->publish(std::move(draft), address, tools_.signer, tools_.wall.now(),
                                     settings().copies, tools_.random));
  log::info("bundle.made", {{"channel", channel_.name}, {"bundle", number}, {"files", files}});
  return number;
}

Result<std::size_t> BundleExport::make(const Heard& heard) {
  const auto purpose =
      channel_.direction == Direction::upstream ? BundlePurpose::requests : BundlePurpose::answers;
  for (std::size_t made = 0;; ++made) {
    ASSIGN_OR_RETURN(auto draft, archive_->begin(tools_.seal, tools_.random));
    ASSIGN_OR_RETURN(const auto filled, fill(draft));
    bool news = false;
    if (made == 0) {
      ASSIGN_OR_RETURN(news, add_extras(draft));
    }
    if (filled.ids.empty() && !news) return made;
    TRY(publish(std::move(draft), heard, filled.ids.empty() ? BundlePurpose::notices : purpose));
    TRY(tools_.replies.finish(filled.ids, kBundled));
    crash_point("bundle.finished");
    if (!filled.more) return made + 1;
  }
}

Result<std::uint64_t> BundleExport::make_receipt(const Heard& heard) {
  ASSIGN_OR_RETURN(auto draft, archive_->begin(tools_.seal, tools_.random));
  return publish(std::move(draft), heard, BundlePurpose::notices);
}

Result<NumberRanges> BundleExport::want_again(NumberRange range) const {
  NumberRanges found;
  ASSIGN_OR_RETURN(const auto numbers, archive_->numbers());
  for (const auto number : numbers) {
    if (number < range.first || number > range.last) continue;
    ASSIGN_OR_RETURN(auto copies, archive_->copies(number));
    copies.wanted = std::max<std::uint64_t>(copies.wanted, copies.written.size() + 1);
    TRY(archive_->set_copies(number, copies));
    found.add(number);
  }
  return found;
}

Result<std::vector<ExportedBundle>> BundleExport::write(const std::string& directory,
                                                        const std::string& medium) const {
  std::vector<ExportedBundle> exported;
  ASSIGN_OR_RETURN(const auto numbers, archive_->numbers());
  for (const auto number : numbers) {
    ASSIGN_OR_RETURN(auto copies, archive_->copies(number));
    if (!copies.due()) continue;
    ASSIGN_OR_RETURN(const auto bundle, archive_->read(number));
    ASSIGN_OR_RETURN(const auto there, find_copy(bundle, directory));
    const bool noted = there != 0 && std::ranges::find(copies.written, there, &BundleCopy::copy) !=
                                         copies.written.end();
    if (noted) continue;  // this medium has one: the other copies are for others
    auto copy = there != 0 ? there : next_copy(copies);
    for (std::size_t i = 0; there == 0; ++i, ++copy) {
      if (i == kOtherCopies) {
        return hold("other files have the names of bundle " + std::to_string(number),
                    "move them out of " + directory);
      }
      ASSIGN_OR_RETURN(const bool ours,
                       write_copy(archive_->directory_of(number), bundle, directory, copy));
      if (ours) break;
    }
    copies.written.push_back({copy, tools_.wall.now(), medium, directory});
    TRY(archive_->set_copies(number, copies));
    crash_point("bundle.copy_noted");
    exported.push_back(described(bundle, copy));
    exported.back().there_already = there != 0;
    log::info(
        "bundle.written",
        {{"channel", channel_.name}, {"bundle", number}, {"copy", copy}, {"directory", directory}});
  }
  return exported;
}

Result<void> BundleExport::purge() const {
  if (settings().keep == Duration::zero()) return {};
  TRY(archive_->purge(tools_.wall.now() - settings().keep));
  return {};
}

}  // namespace cmpost
