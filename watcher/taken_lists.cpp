#include "watcher/taken_lists.h"

#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/presence.h"
#include "carrier/hash_list.h"
#include "watcher/file_names.h"
#include "watcher/listed_files.h"

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

Result<Intake> TakenLists::take(const Spot& list, const std::vector<Spot>& spots,
                                std::vector<Bytes> messages) {
  const auto stays = [&](const Error& why) {
    input_.report(list, why.what, why.hint);
    return Intake{};
  };
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < spots.size(); ++i) {
    auto job = input_.job_of(spots[i], std::move(messages[i]));
    ASSIGN_OR_RETURN(const auto known, input_.deposit.queue().find(job.id));
    // Put in again with its list: see FileInput::claim_anew().
    const bool again = known && known->state == JobState::done;
    const bool renewed = again && input_.drop->renew(spots[i].name);
    const auto found =
        renewed ? input_.drop->look(Place::in, spots[i].name) : Result<std::optional<Look>>();
    if (!found) return stays(found.error());
    const auto& look = *found;
    if (look) job = input_.job_of({Place::in, spots[i].name, *look}, std::move(job.payload));
    if (again) {
      log::info("job.again", {{"job", known->id.text()},
                              {"channel", input_.channel()},
                              {"source", known->envelope.source},
                              {"answered", look ? "again" : "no, its time cannot be set"}});
    }
    jobs.push_back(std::move(job));
  }
  const auto claimed =
      input_.drop->move(Place::in, list.name, Place::work, mark_of(view_of(list.name), 16));
  if (!claimed) return stays(claimed.error());
  // A list that a loss of power brings back, when its requests are answered, would be a new one.
  TRY(input_.drop->sync_claims());
  crash_point("watcher.list_claimed");
  input_.in.forget(list.name);
  Intake intake;
  TRY(deposit(*claimed, jobs, intake));
  TRY(finish({Place::work, *claimed, {}}));
  return intake;
}

Result<void> TakenLists::deposit(const std::string& name, std::span<const Job> jobs,
                                 Intake& intake) {
  TRY(input_.deposit.put(jobs, intake));
  crash_point("watcher.list_deposited");
  input_.deposit.log_arrivals(jobs);
  log::info("list.taken",
            {{"channel", input_.channel()}, {"list", printable(name)}, {"files", jobs.size()}});
  return {};
}

// The jobs of what a list in .work names, as far as it still lies in `in`.
Result<std::vector<Job>> TakenLists::jobs_left(const std::vector<ListedFile>& files) const {
  std::vector<Job> jobs;
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto look, input_.drop->look(Place::in, file.name));
    if (!look) continue;
    auto finding =
        judge(*input_.drop, Place::in, file.name, *look, input_.settings.max_message, file.sha256);
    if (finding.what == Finding::What::retry) return retry(file.name + ": " + finding.reason);
    if (finding.what != Finding::What::take) continue;  // gone, or a new one
    jobs.push_back(input_.job_of({Place::in, file.name, *look}, std::move(finding.message)));
  }
  return jobs;
}

// A list in .work: an earlier process, or a queue that failed, came so far. The queue takes all of
// its requests or none, so what is not known there was not put; that others are may be older.
Result<void> TakenLists::resume(const Spot& list, Intake& intake) {
  const auto text = read_file_at(input_.drop->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  if (text && !files) {
    return input_.quarantine(
        list, {Finding::What::bad_now, {}, files.error().what, files.error().hint}, intake);
  }
  const auto jobs = files ? jobs_left(*files) : failure(files.error());
  if (!jobs) {
    input_.report(list, jobs.error().what, jobs.error().hint);
    return {};
  }
  std::size_t known = 0;
  for (const auto& job : *jobs) {
    ASSIGN_OR_RETURN(const auto found, input_.deposit.queue().find(job.id));
    known += found ? 1 : 0;
  }
  if (known == 0 && !jobs->empty() && jobs->size() < files->size()) {
    give_back(list, mark_of(*text, 32));
    return {};
  }
  if (known < jobs->size()) TRY(deposit(list.name, *jobs, intake));
  return finish(list);
}

// Somebody has taken away a part of it meanwhile: it has to wait like any other.
void TakenLists::give_back(const Spot& list, const std::string& mark) {
  const auto moved = input_.drop->move(Place::work, list.name, Place::in, mark);
  if (!moved) return input_.report(list, moved.error().what, moved.error().hint);
  input_.stuck_lists.erase(list.name);
}

// What is in the queue and still lies in `in` goes to .done.
Result<void> TakenLists::finish(const Spot& list) {
  const auto text = read_file_at(input_.drop->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  Result<void> done = files ? Result<void>() : failure(files.error());
  for (std::size_t i = 0; files && i < files->size(); ++i) {
    auto put = put_listed_away((*files)[i]);
    if (!put) done = std::move(put);  // the others need not wait
  }
  TRY(input_.drop->sync());
  if (done) done = put_away(*input_.drop, Place::work, list.name, mark_of(*text, 32));
  if (!done) {
    input_.report(list, "its requests are in the queue, but " + done.error().what,
                  done.error().hint);
    return {};
  }
  input_.stuck_lists.erase(list.name);
  return input_.drop->sync();
}

Result<void> TakenLists::put_listed_away(const ListedFile& file) const {
  ASSIGN_OR_RETURN(const auto look, input_.drop->look(Place::in, file.name));
  const bool other = look && (!S_ISREG(look->type) || look->size > input_.settings.max_message);
  if (!look || other) return {};  // gone, or a new one
  ASSIGN_OR_RETURN(const auto contents, read_if_there(input_.drop->at(Place::in), file.name,
                                                      input_.settings.max_message));
  if (!contents || sha256(*contents) != file.sha256) return {};
  TRY(put_away(*input_.drop, Place::in, file.name, mark_of_listed(file.sha256)));
  crash_point("watcher.listed_done");
  return {};
}

}  // namespace cmpost
