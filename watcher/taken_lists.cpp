// ready = "manifest": a list of which all is there.
//   The list goes to .work, durably, which says that it is being taken,
//   all requests are put into the queue in one commit,
//   the files go to .done, and then the list.
// Wherever that ends early, the next scan goes on from the list in .work, and puts into the queue
// what of it is not there yet. When files of it have gone and the queue knows none, the list goes
// back to `in` to wait for them. What lies in `in` with its list, on the other hand, was put there
// to be answered, once more if need be.
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/presence.h"
#include "carrier/hash_list.h"
#include "watcher/directory_ingress.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using Place = DropDirectory::Place;

std::string mark_of(ByteView octets, std::size_t digits) {
  return to_hex(sha256(octets)).substr(0, digits);
}

// What somebody has removed meanwhile needs no place in .done.
Result<void> put_away(const DropDirectory& drop, Place from, const std::string& name,
                      const std::string& mark) {
  auto moved = drop.move(from, name, Place::done, mark);
  if (moved) return {};
  ASSIGN_OR_RETURN(const auto look, drop.look(from, name));
  if (!look) return {};
  return failure(std::move(moved).error());
}

}  // namespace

bool DirectoryIngress::is_taken_list(const Spot& spot) const {
  return spot.place == Place::work && settings_.directory()->ready == ReadyRule::manifest &&
         is_list_name(spot.name);
}

Result<Intake> DirectoryIngress::take_listed(const Spot& list, const std::vector<Spot>& spots,
                                             std::vector<Bytes> messages) {
  const auto stays = [&](const Error& why) {
    report(list, why.what, why.hint);
    return Intake{};
  };
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < spots.size(); ++i) {
    auto job = job_of(spots[i], std::move(messages[i]));
    ASSIGN_OR_RETURN(const auto known, requests_.find(job.id));
    // Put in again with its list: see claim_anew().
    const bool again = known && known->state == JobState::done;
    const bool renewed = again && drop_->renew(spots[i].name);
    const auto found =
        renewed ? drop_->look(Place::in, spots[i].name) : Result<std::optional<Look>>();
    if (!found) return stays(found.error());
    const auto& look = *found;
    if (look) job = job_of({Place::in, spots[i].name, *look}, std::move(job.payload));
    if (again) {
      log::info("job.again", {{"job", known->id.text()},
                              {"channel", channel()},
                              {"source", known->envelope.source},
                              {"answered", look ? "again" : "no, its time cannot be set"}});
    }
    jobs.push_back(std::move(job));
  }
  const auto claimed =
      drop_->move(Place::in, list.name, Place::work, mark_of(view_of(list.name), 16));
  if (!claimed) return stays(claimed.error());
  // A list that a loss of power brings back, when its requests are answered, would be a new one.
  TRY(drop_->sync_claims());
  crash_point("watcher.list_claimed");
  settling_.forget(list.name);
  Intake intake;
  TRY(deposit_list(*claimed, jobs, intake));
  TRY(finish_list({Place::work, *claimed, {}}));
  return intake;
}

Result<void> DirectoryIngress::deposit_list(const std::string& name, std::span<const Job> jobs,
                                            Intake& intake) {
  ASSIGN_OR_RETURN(const auto fresh, requests_.put(jobs));
  crash_point("watcher.list_deposited");
  gate_.took(jobs.size());
  intake.deposited += jobs.size();
  intake.known += jobs.size() - fresh;
  for (const auto& job : jobs) log_arrival(job);
  log::info("list.taken",
            {{"channel", channel()}, {"list", printable(name)}, {"files", jobs.size()}});
  return {};
}

// The jobs of what a list in .work names, as far as it still lies in `in`.
Result<std::vector<Job>> DirectoryIngress::jobs_left(const std::vector<ListedFile>& files) const {
  std::vector<Job> jobs;
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto look, drop_->look(Place::in, file.name));
    if (!look) continue;
    auto finding = judge(*drop_, Place::in, file.name, *look, settings_.max_message, file.sha256);
    if (finding.what == Finding::What::retry) return retry(file.name + ": " + finding.reason);
    if (finding.what != Finding::What::take) continue;  // gone, or a new one
    jobs.push_back(job_of({Place::in, file.name, *look}, std::move(finding.message)));
  }
  return jobs;
}

// A list in .work: an earlier process, or a queue that failed, came so far. The queue takes all of
// its requests or none, so what is not known there was not put; that others are may be older.
Result<void> DirectoryIngress::resume_list(const Spot& list, Intake& intake) {
  const auto text = read_file_at(drop_->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  if (text && !files) {
    return quarantine(list, {Finding::What::bad_now, {}, files.error().what, files.error().hint},
                      intake);
  }
  const auto jobs = files ? jobs_left(*files) : failure(files.error());
  if (!jobs) {
    report(list, jobs.error().what, jobs.error().hint);
    return {};
  }
  std::size_t known = 0;
  for (const auto& job : *jobs) {
    ASSIGN_OR_RETURN(const auto found, requests_.find(job.id));
    known += found ? 1 : 0;
  }
  if (known == 0 && !jobs->empty() && jobs->size() < files->size()) {
    give_back(list, mark_of(*text, 32));
    return {};
  }
  if (known < jobs->size()) TRY(deposit_list(list.name, *jobs, intake));
  return finish_list(list);
}

// Somebody has taken away a part of it meanwhile: it has to wait like any other.
void DirectoryIngress::give_back(const Spot& list, const std::string& mark) {
  const auto moved = drop_->move(Place::work, list.name, Place::in, mark);
  if (!moved) return report(list, moved.error().what, moved.error().hint);
  stuck_lists_.erase(list.name);
}

// What is in the queue and still lies in `in` goes to .done.
Result<void> DirectoryIngress::finish_list(const Spot& list) {
  const auto text = read_file_at(drop_->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  Result<void> done = files ? Result<void>() : failure(files.error());
  for (std::size_t i = 0; files && i < files->size(); ++i) {
    auto put = put_listed_away((*files)[i]);
    if (!put) done = std::move(put);  // the others need not wait
  }
  TRY(drop_->sync());
  if (done) done = put_away(*drop_, Place::work, list.name, mark_of(*text, 32));
  if (!done) {
    report(list, "its requests are in the queue, but " + done.error().what, done.error().hint);
    return {};
  }
  stuck_lists_.erase(list.name);
  return drop_->sync();
}

Result<void> DirectoryIngress::put_listed_away(const ListedFile& file) const {
  ASSIGN_OR_RETURN(const auto look, drop_->look(Place::in, file.name));
  const bool other = look && (!S_ISREG(look->type) || look->size > settings_.max_message);
  if (!look || other) return {};  // gone, or a new one
  ASSIGN_OR_RETURN(const auto contents,
                   read_if_there(drop_->at(Place::in), file.name, settings_.max_message));
  if (!contents || sha256(*contents) != file.sha256) return {};
  TRY(put_away(*drop_, Place::in, file.name, mark_of_listed(file.sha256)));
  crash_point("watcher.listed_done");
  return {};
}

}  // namespace cmpost
