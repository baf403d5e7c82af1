// ready = "manifest". A list is read, and when everything in it is there with the right SHA-256:
//   all requests are put into the queue in one commit,
//   the list goes to .work, which says that this has been done,
//   the files go to .done, and then the list.
// Wherever that ends early, what is left is done at the next scan: jobs that the queue knows are
// not made again, and a list in .work is only tidied up.
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "carrier/hash_list.h"
#include "watcher/directory_ingress.h"
#include "watcher/file_names.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

constexpr std::size_t kMostLists = 1000;
constexpr std::size_t kListedOctets = std::size_t{64} << 20U;  // of one list's files
constexpr std::size_t kNamedInReport = 3;
constexpr std::size_t kListingAtATime = 20'000;

std::string in_words(const std::vector<std::string>& names, std::size_t all) {
  std::string text = std::to_string(names.size()) + " of " + std::to_string(all) + " files: ";
  for (std::size_t i = 0; i < std::min(names.size(), kNamedInReport); ++i) {
    text += (i == 0 ? "" : ", ") + printable(names[i], 80);
  }
  return text + (names.size() > kNamedInReport ? ", ..." : "");
}

Finding bad_list(std::string reason, std::string hint = {}) {
  return {Finding::What::bad_now, {}, std::move(reason), std::move(hint)};
}

bool ends_in(std::string_view name, std::string_view ending) {
  if (name.size() <= ending.size()) return false;
  name.remove_prefix(name.size() - ending.size());
  return std::equal(name.begin(), name.end(), ending.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

}  // namespace

bool is_list_name(std::string_view name) {
  return ends_in(name, ".manifest") || ends_in(name, ".sha256");
}

Result<Intake> DirectoryIngress::take_lists(const std::stop_token& stop) {
  Intake intake;
  std::size_t files = 0;
  std::vector<Spot> lists;
  std::set<std::string> seen;
  ASSIGN_OR_RETURN(auto listing, Listing::start(drop_->at(Place::in)));
  for (auto names = listing.next(kListingAtATime); !names.empty();
       names = listing.next(kListingAtATime)) {
    for (const auto& name : names) {
      if (is_ignored(name)) continue;
      if (!is_list_name(name)) {
        ++files;
      } else if (auto found = spot(Place::in, name); found && lists.size() < kMostLists) {
        seen.insert(name);
        lists.push_back(std::move(*found));
      }
    }
  }
  settling_.keep_only(seen);
  std::erase_if(incomplete_lists_, [&](const auto& entry) { return !seen.contains(entry.first); });
  for (const auto& list : lists) {
    if (stop.stop_requested() || gate_.closed()) return intake;
    ASSIGN_OR_RETURN(const Intake part, take_list(list));
    intake += part;
    files -= std::min(files, part.deposited + part.quarantined);
    TRY(gate_.allowance());
  }
  note_unlisted(incomplete_lists_.empty() ? files : 0);
  return intake;
}

void DirectoryIngress::note_unlisted(std::size_t count) {
  count == 0 ? void(unlisted_.clear())
             : void(unlisted_.set(std::to_string(count) + " files are in no list (*.manifest)"));
}

Result<Intake> DirectoryIngress::take_list(const Spot& list) {
  Intake intake;
  const auto readiness = settling_.look_at(list.name, list.look, steady_.now(), file_system_now_);
  if (readiness == Readiness::unsettled) return intake;
  const bool settled = readiness == Readiness::settled;
  const auto text = read_file_at(drop_->at(Place::in), list.name, kLargestHashList);
  const auto files =
      text ? parse_hash_list(*text) : Result<std::vector<ListedFile>>(failure(text.error()));
  if (!files) {
    if (settled) TRY(quarantine(list, bad_list(files.error().what, files.error().hint), intake));
    return intake;
  }
  auto contents = read_listed(list, *files);
  if (!contents.incomplete.empty()) return intake;
  if (contents.refused) return quarantine_list(list, contents.spots, *contents.refused);
  return take_listed(list, contents.spots, std::move(contents.messages));
}

DirectoryIngress::Listed DirectoryIngress::read_listed(const Spot& list,
                                                       const std::vector<ListedFile>& files) {
  Listed listed;
  std::vector<std::string> missing, damaged;
  std::vector<Look> looks;
  std::size_t octets = 0;
  for (const auto& file : files) {
    const auto look = drop_->look(Place::in, file.name);
    looks.push_back(look.value_or(Look{}));
    if (!look || !S_ISREG(look->type)) {
      missing.push_back(file.name);
      continue;
    }
    octets += static_cast<std::size_t>(look->size);
    listed.spots.push_back({Place::in, file.name, *look});
  }
  // What was incomplete stays so until one of its files changes.
  const auto known = incomplete_lists_.find(list.name);
  if (known != incomplete_lists_.end() && known->second.looks == looks) {
    listed.incomplete = "as before";
  } else if (!missing.empty()) {
    listed.incomplete = "waits for " + in_words(missing, files.size());
  } else if (octets > kListedOctets) {
    listed.refused = bad_list("its files are too large together", "make several lists");
  } else {
    for (std::size_t i = 0; i < files.size(); ++i) read_one_listed(files[i], i, listed, damaged);
    if (!damaged.empty()) {
      listed.incomplete =
          "another SHA-256 than in the list have " + in_words(damaged, files.size());
    }
  }
  if (listed.incomplete.empty()) {
    incomplete_lists_.erase(list.name);
  } else if (known == incomplete_lists_.end() || known->second.looks != looks) {
    incomplete_lists_[list.name] = {looks, listed.incomplete};
    log::info(
        "list.incomplete",
        {{"channel", channel()}, {"list", printable(list.name)}, {"reason", listed.incomplete}});
  }
  return listed;
}

void DirectoryIngress::read_one_listed(const ListedFile& file, std::size_t index, Listed& listed,
                                       std::vector<std::string>& damaged) const {
  const auto& spot = listed.spots[index];
  const auto contents = read_file_at(drop_->at(Place::in), spot.name, settings_.max_message);
  const bool too_large = spot.look.size > settings_.max_message;
  if (!too_large && (!contents || sha256(*contents) != file.sha256)) {
    damaged.push_back(spot.name);
    return;
  }
  auto finding = judge(*drop_, Place::in, spot.name, spot.look, settings_.max_message);
  if (finding.what == Finding::What::take) {
    listed.messages.push_back(std::move(finding.message));
  } else if (finding.what == Finding::What::bad_now) {
    listed.refused =
        Finding{finding.what, {}, printable(spot.name) + ": " + finding.reason, finding.hint};
  } else {
    damaged.push_back(spot.name);
  }
}

Result<Intake> DirectoryIngress::take_listed(const Spot& list, const std::vector<Spot>& spots,
                                             std::vector<Bytes> messages) {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < spots.size(); ++i) {
    auto job = job_of(spots[i], std::move(messages[i]));
    ASSIGN_OR_RETURN(const auto known, requests_.find(job.id));
    // Put in again with its list: see claim_anew().
    const bool again = known && known->state == JobState::done;
    const bool renewed = again && drop_->renew(spots[i].name);
    const auto look = renewed ? drop_->look(Place::in, spots[i].name) : std::nullopt;
    if (look) job = job_of({Place::in, spots[i].name, *look}, std::move(job.payload));
    if (again) {
      log::info("job.again", {{"job", known->id.text()},
                              {"channel", channel()},
                              {"source", known->envelope.source},
                              {"answered", look ? "again" : "no, its time cannot be set"}});
    }
    jobs.push_back(std::move(job));
  }
  ASSIGN_OR_RETURN(const auto fresh, requests_.put(jobs));
  crash_point("watcher.list_deposited");
  gate_.took(jobs.size());
  Intake intake;
  intake.deposited = jobs.size();
  intake.known = jobs.size() - fresh;
  for (const auto& job : jobs) log_arrival(job);
  log::info("list.taken",
            {{"channel", channel()}, {"list", printable(list.name)}, {"files", jobs.size()}});
  const auto mark = to_hex(sha256(view_of(list.name))).substr(0, 16);
  ASSIGN_OR_RETURN(const auto claimed, drop_->move(Place::in, list.name, Place::work, mark));
  crash_point("watcher.list_claimed");
  settling_.forget(list.name);
  TRY(finish_list(claimed));
  return intake;
}

// A list in .work: its files are in the queue, and what still lies in `in` goes to .done.
Result<void> DirectoryIngress::finish_list(const std::string& name) {
  ASSIGN_OR_RETURN(const auto text, read_file_at(drop_->at(Place::work), name, kLargestHashList));
  const auto files = parse_hash_list(text).value_or(std::vector<ListedFile>());
  for (const auto& file : files) {
    const auto contents = read_file_at(drop_->at(Place::in), file.name, settings_.max_message);
    if (!contents || sha256(*contents) != file.sha256) continue;  // gone, or a new one
    (void)drop_->move(Place::in, file.name, Place::done, to_hex(file.sha256).substr(0, 32));
    crash_point("watcher.listed_done");
  }
  TRY(drop_->sync());
  TRY(drop_->move(Place::work, name, Place::done, to_hex(sha256(text)).substr(0, 32)));
  return drop_->sync();
}

// Nothing of it will ever be taken: each file is as its sender wanted it, and one is no request.
Result<Intake> DirectoryIngress::quarantine_list(const Spot& list, const std::vector<Spot>& spots,
                                                 const Finding& finding) {
  Intake intake;
  for (const auto& spot : spots) TRY(quarantine(spot, finding, intake));
  TRY(quarantine(list, finding, intake));
  return intake;
}

}  // namespace cmpost
