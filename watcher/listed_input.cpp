#include "watcher/listed_input.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/log.h"
#include "base/presence.h"
#include "carrier/hash_list.h"
#include "watcher/file_names.h"
#include "watcher/listed_files.h"
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

}  // namespace

bool is_list_name(std::string_view name) {
  return ends_with_letters(name, ".manifest") || ends_with_letters(name, ".sha256");
}

Result<Intake> ListedInput::take(const std::stop_token& stop) {
  Intake intake;
  std::size_t files = 0;
  std::vector<Spot> lists;
  std::set<std::string> seen;
  ASSIGN_OR_RETURN(auto listing, Listing::start(input_.drop->at(Place::in)));
  for (;;) {
    ASSIGN_OR_RETURN(const auto entries, listing.next_entries(kListingAtATime));
    if (entries.empty()) break;
    for (const auto& [name, is_file] : entries) {
      if (is_ignored(name)) continue;
      if (is_file && !is_list_name(name)) {
        ++files;  // looked at when a list names it
        continue;
      }
      auto found = input_.spot(Place::in, name);
      if (!found) {
        if (input_.in.knows(name)) seen.insert(name);  // nobody can look at it
      } else if (!is_list_name(name)) {
        ++files;
      } else if (lists.size() < kMostLists) {
        seen.insert(name);
        lists.push_back(std::move(*found));
      } else {
        input_.left_alone.more("more than " + std::to_string(kMostLists) + " lists lie");
      }
    }
  }
  input_.in.keep_only(seen);
  std::erase_if(incomplete_, [&](const auto& entry) { return !seen.contains(entry.first); });
  for (const auto& list : lists) {
    if (stop.stop_requested() || input_.deposit.closed()) return intake;
    ASSIGN_OR_RETURN(const Intake part, take_list(list));
    intake += part;
    files -= std::min(files, part.deposited + part.quarantined);
    TRY(input_.deposit.ask_gate());
  }
  note_unlisted(incomplete_.empty() ? files : 0);
  return intake;
}

void ListedInput::note_unlisted(std::size_t count) {
  count == 0 ? void(unlisted_.clear())
             : void(unlisted_.set(std::to_string(count) + " files are in no list (*.manifest)"));
}

Result<Intake> ListedInput::take_list(const Spot& list) {
  Intake intake;
  const auto readiness =
      input_.in.look_at(list.name, list.look, input_.steady.now(), input_.file_system_now);
  if (readiness == Readiness::unsettled) return intake;
  const bool settled = readiness == Readiness::settled;
  if (!S_ISREG(list.look.type)) {
    if (settled) TRY(input_.quarantine(list, bad_list("it is no file"), intake));
    return intake;
  }
  const bool too_large = list.look.size > kLargestHashList;
  const auto text = too_large
                        ? Result<std::optional<Bytes>>(Bytes())
                        : read_if_there(input_.drop->at(Place::in), list.name, kLargestHashList);
  // That says nothing about it.
  if (!text) input_.report(list, text.error().what, text.error().hint);
  if (!text || !*text) return intake;
  const auto files = too_large ? hold("the list is too large") : parse_hash_list(**text);
  if (!files) {
    const auto& why = files.error();
    if (settled) TRY(input_.quarantine(list, bad_list(why.what, why.hint), intake));
    return intake;
  }
  auto contents = read_listed(list, *files);
  if (!contents.incomplete.empty()) return intake;
  if (contents.refused) return quarantine_list(list, contents.spots, *contents.refused);
  return taken_.take(list, contents.spots, std::move(contents.messages));
}

ListedInput::Contents ListedInput::read_listed(const Spot& list,
                                               const std::vector<ListedFile>& files) {
  Contents listed;
  std::vector<std::string> missing, damaged;
  std::vector<Look> looks;
  std::size_t octets = 0;
  for (const auto& file : files) {
    const auto found = input_.drop->look(Place::in, file.name);
    if (!found) listed.not_read = found.error().what;
    const auto look = found ? *found : std::nullopt;
    looks.push_back(look.value_or(Look{}));
    if (!look || !S_ISREG(look->type)) {
      missing.push_back(file.name);
      continue;
    }
    octets += static_cast<std::size_t>(look->size);
    listed.spots.push_back({Place::in, file.name, *look});
  }
  // What was incomplete stays so until one of its files changes.
  const auto known = incomplete_.find(list.name);
  const bool same = known != incomplete_.end() && known->second.looks == looks;
  if (same && !known->second.not_read) {
    listed.incomplete = known->second.why;
  } else if (!listed.not_read.empty()) {
    listed.incomplete = listed.not_read;
  } else if (!missing.empty()) {
    listed.incomplete = "waits for " + in_words(missing, files.size());
  } else if (octets > kListedOctets) {
    listed.refused = bad_list("its files are too large together", "make several lists");
  } else {
    for (std::size_t i = 0; i < files.size(); ++i) read_one_listed(files[i], i, listed, damaged);
    if (!listed.not_read.empty()) {
      listed.incomplete = listed.not_read;
    } else if (!damaged.empty()) {
      listed.incomplete =
          "another SHA-256 than in the list have " + in_words(damaged, files.size());
    }
  }
  if (listed.incomplete.empty()) {
    incomplete_.erase(list.name);
  } else if (!same || known->second.why != listed.incomplete) {
    incomplete_[list.name] = {looks, listed.incomplete, !listed.not_read.empty()};
    log::info("list.incomplete", {{"channel", input_.channel()},
                                  {"list", printable(list.name)},
                                  {"reason", listed.incomplete}});
  }
  return listed;
}

void ListedInput::read_one_listed(const ListedFile& file, std::size_t index, Contents& listed,
                                  std::vector<std::string>& damaged) const {
  const auto& spot = listed.spots[index];
  if (spot.look.size <= input_.settings.max_message) {
    const auto contents =
        read_if_there(input_.drop->at(Place::in), spot.name, input_.settings.max_message);
    if (!contents) {
      listed.not_read = contents.error().what;
      return;
    }
    if (!*contents || sha256(**contents) != file.sha256) {
      damaged.push_back(spot.name);
      return;
    }
  }
  auto finding = judge(*input_.drop, Place::in, spot.name, spot.look, input_.settings.max_message);
  switch (finding.what) {
    case Finding::What::take:
      listed.messages.push_back(std::move(finding.message));
      break;
    case Finding::What::bad_now:
      listed.refused =
          Finding{finding.what, {}, printable(spot.name) + ": " + finding.reason, finding.hint};
      break;
    case Finding::What::retry:
      listed.not_read = printable(spot.name) + ": " + finding.reason;
      break;
    case Finding::What::gone:
      damaged.push_back(spot.name);
      break;
  }
}

// Nothing of it will ever be taken: each file is as its sender wanted it, and one is no request.
Result<Intake> ListedInput::quarantine_list(const Spot& list, const std::vector<Spot>& spots,
                                            const Finding& finding) {
  Intake intake;
  for (const auto& spot : spots) TRY(input_.quarantine(spot, finding, intake));
  TRY(input_.quarantine(list, finding, intake));
  return intake;
}

void ListedInput::add_stuck(LookedAt& found) const {
  for (const auto& [name, list] : incomplete_) {
    found.stuck.push_back({name, list.why, 0, std::nullopt});
  }
}

}  // namespace cmpost
