#include "watcher/taken_lists.h"

#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/presence.h"
#include "carrier/hash_list.h"
#include "watcher/arrival.h"
#include "watcher/deposited_sign.h"
#include "watcher/file_names.h"
#include "watcher/unwrap.h"

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
  // A rename leaves alone what makes an arrival of it.
  TRY(finish({Place::work, *claimed, list.look}, jobs));
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

JobId TakenLists::arrival_of_list(const Spot& list, ByteView text) const {
  return make_job_id({view_of(input_.channel()), arrival_of(list.look), text});
}

// A list in .work: an earlier process, or a queue that failed, came so far. The queue takes all of
// its requests or none, so what is not known was not put; that others are may be older.
Result<void> TakenLists::resume(const Spot& list, Intake& intake) {
  const auto text = read_file_at(input_.drop->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  if (text && !files) {
    return input_.quarantine(
        list, {Finding::What::bad_now, {}, files.error().what, files.error().hint}, intake);
  }
  const auto jobs = files ? jobs_left(*files) : failure(files.error());
  const auto noted = jobs ? DepositedSign(*input_.drop, arrival_of_list(list, *text)).read()
                          : failure(jobs.error());
  if (!noted) {
    input_.report(list, noted.error().what, noted.error().hint);
    return {};
  }
  std::vector<Job> unknown;
  for (const auto& job : *jobs) {
    ASSIGN_OR_RETURN(const auto found, input_.deposit.queue().find(job.id));
    if (!found && !noted->contains(job.id)) unknown.push_back(job);
  }
  const bool none_known = unknown.size() == jobs->size() && noted->empty();
  if (none_known && !jobs->empty() && jobs->size() < files->size()) {
    give_back(list, arrival_of_list(list, *text));
    return {};
  }
  if (!unknown.empty()) TRY(deposit(list.name, unknown, intake));
  return finish(list, *jobs);
}

// Somebody has taken away a part of it meanwhile: it has to wait like any other.
void TakenLists::give_back(const Spot& list, const JobId& arrival) {
  const auto moved = input_.drop->move(Place::work, list.name, Place::in, arrival.text());
  if (!moved) return input_.report(list, moved.error().what, moved.error().hint);
  input_.stuck_lists.erase(list.name);
}

// What is in the queue and still lies in `in` goes to .done.
Result<void> TakenLists::finish(const Spot& list, std::span<const Job> jobs) {
  const auto text = read_file_at(input_.drop->at(Place::work), list.name, kLargestHashList);
  const auto files = text ? parse_hash_list(*text) : failure(text.error());
  Result<void> done = files ? Result<void>() : failure(files.error());
  for (std::size_t i = 0; files && i < files->size(); ++i) {
    auto put = put_listed_away((*files)[i]);
    if (!put) done = std::move(put);  // the others need not wait
  }
  TRY(input_.drop->sync());
  const auto arrival = text ? arrival_of_list(list, *text) : JobId();
  const DepositedSign sign(*input_.drop, arrival);
  if (done) {
    sign.remove();
    done = put_away(*input_.drop, Place::work, list.name, arrival.text());
  } else if (text) {
    std::set<JobId> ids;
    for (const auto& job : jobs) ids.insert(job.id);
    // As long as the queue knows them, nothing depends on it.
    if (const auto noted = sign.read(); !noted || *noted != ids) (void)sign.write(ids);
  }
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
  // The job's id; what cannot be unwrapped any more was no request.
  const auto id = input_.job_of({Place::in, file.name, *look}, unwrap(*contents).message).id;
  TRY(put_away(*input_.drop, Place::in, file.name, id.text()));
  crash_point("watcher.listed_done");
  return {};
}

}  // namespace cmpost
