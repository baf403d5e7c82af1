#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/channel_kinds.h"
#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/instance/operator_act.h"
#include "app/instance/released_mail.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct QueueOptions {
  std::string queue;  // "", "requests", "replies"
  ListOptions list;
  std::vector<std::string> ids;
  std::string reason;
};

struct NamedQueue {
  std::string name;
  JobQueue* queue;
};

std::vector<NamedQueue> queues_of(Spool& spool, const QueueOptions& options) {
  std::vector<NamedQueue> queues;
  if (options.queue != "replies") queues.push_back({"requests", &spool.requests()});
  if (options.queue != "requests") queues.push_back({"replies", &spool.replies()});
  return queues;
}

json to_json(const std::string& queue, const JobStatus& job) {
  json value = {{"queue", queue},
                {"id", job.id.text()},
                {"state", to_string(job.state)},
                {"channel", job.envelope.channel},
                {"source", job.envelope.source},
                {"body", job.envelope.body},
                {"tid", job.envelope.tid},
                {"attempts", job.attempts},
                {"arrived", to_iso8601(job.arrived)},
                {"size", job.size},
                {"reason", job.reason}};
  if (job.state == JobState::deferred) value["due"] = to_iso8601(job.due);
  return value;
}

Result<ExitCode> list(const QueueOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  ASSIGN_OR_RETURN(const auto filter, options.list.read(*instance));
  RowSink sink({"queue", "id", "state", "channel", "source", "arrived", "reason"},
               options.list.form(common), "no jobs");
  std::int64_t all = 0;
  for (const auto& [name, queue] : queues_of(*spool, options)) {
    const auto each = [&, &name = name](const JobStatus& job) -> Result<void> {
      sink.add(
          [&] {
            return std::vector{name,
                               job.id.text(),
                               std::string(to_string(job.state)),
                               job.envelope.channel,
                               job.envelope.source,
                               to_iso8601(job.arrived),
                               job.reason};
          },
          [&] { return to_json(name, job); });
      return {};
    };
    ASSIGN_OR_RETURN(const auto wanted, job_filter(behind(filter, all)));
    ASSIGN_OR_RETURN(const auto matching, queue->for_each(wanted, each));
    all += matching;
  }
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

// The beginning of an id is enough where only one job has it.
Result<JobId> read_id(const std::string& text, const std::vector<NamedQueue>& queues) {
  constexpr std::size_t kNamed = 5;
  if (const auto id = JobId::from_text(text)) return *id;
  const auto digits = hex_digits(text);
  if (!digits) {
    return wrong_usage(
        "\"" + printable(text, 80) + "\" is no job id",
        "`cmpost queue list` shows them: 32 hexadecimal digits, of which the first are "
        "enough");
  }
  std::vector<JobId> found;
  for (const auto& [name, queue] : queues) {
    ASSIGN_OR_RETURN(const auto some, queue->ids_beginning(*digits, kNamed));
    found.insert(found.end(), some.begin(), some.end());
  }
  if (found.empty()) return hold("no job id begins with " + *digits);
  if (found.size() == 1) return found.front();
  std::string some;
  for (const auto& id : found) some += (some.empty() ? "" : ", ") + id.text();
  return hold("several job ids begin with " + *digits, "write more of one: " + some);
}

Result<std::optional<NamedQueue>> find_job(const std::vector<NamedQueue>& queues, const JobId& id) {
  for (const auto& named : queues) {
    ASSIGN_OR_RETURN(const auto job, named.queue->find(id));
    if (job) return named;
  }
  return std::nullopt;
}

Result<ExitCode> show(const QueueOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  const auto queues = queues_of(*spool, options);
  auto shown = json::array();
  for (const auto& text : options.ids) {
    ASSIGN_OR_RETURN(const auto id, read_id(text, queues));
    ASSIGN_OR_RETURN(const auto named, find_job(queues, id));
    if (!named) return hold("there is no job " + text);
    ASSIGN_OR_RETURN(const auto job, named->queue->find(id));
    auto value = to_json(named->name, *job);
    if (const auto payload = named->queue->payload(id)) value["payload"] = to_base64(*payload);
    shown.push_back(std::move(value));
  }
  if (common.json) {
    print_json(shown);
    return ExitCode::ok;
  }
  for (const auto& value : shown) {
    for (const auto& [key, field] : value.items()) {
      const auto content = field.is_string() ? field.get<std::string>() : field.dump();
      print_line(key + std::string(10 - std::min<std::size_t>(key.size(), 9), ' ') +
                 printable(content, 4000));
    }
    print_line("");
  }
  return ExitCode::ok;
}

// retry, release, drop, hold: the same for each id that is given.
using Change = std::function<Result<bool>(const Instance&, JobQueue&, const JobId&,
                                          const std::string& reason)>;

const ChannelSettings* find_channel(const Instance& instance, const std::string& name) {
  const auto& channels = instance.settings().channels;
  const auto found = std::ranges::find(channels, name, &ChannelSettings::name);
  return found == channels.end() ? nullptr : &*found;
}

// A held mail is taken apart: whole, nobody could work on it. False: the job is something else.
Result<bool> release_if_mail(const Instance& instance, JobQueue& jobs, const JobId& id) {
  ASSIGN_OR_RETURN(const auto job, jobs.find(id));
  const bool request = job && job->state == JobState::held && job->envelope.body.empty();
  if (!request) return false;
  const auto* const channel = find_channel(instance, job->envelope.channel);
  ASSIGN_OR_RETURN(const auto payload, jobs.payload(id));
  if (!is_whole_mail(channel, payload)) return false;
  TRY(release_mail(jobs, id, *channel, instance.clock()));
  return true;
}

// Input that was never taken in: the job names it, and there is nothing to work on.
Result<void> has_content(const Instance& instance, JobQueue& jobs, const JobId& id) {
  ASSIGN_OR_RETURN(const auto job, jobs.find(id));
  const bool request = job && job->envelope.body.empty();
  if (!request || job->state != JobState::held || job->size > 0) return {};
  const auto* const channel = find_channel(instance, job->envelope.channel);
  return hold(
      "job " + id.text() + " has no message, only the reason why none was taken: " + job->reason,
      channel != nullptr ? kind_of(*channel).try_input_again
                         : "its channel is not in the settings any more; `cmpost queue drop` it");
}

Result<bool> release(const Instance& instance, JobQueue& jobs, const JobId& id,
                     const std::string&) {
  TRY(has_content(instance, jobs, id));
  ASSIGN_OR_RETURN(const bool mail, release_if_mail(instance, jobs, id));
  if (mail) return true;
  return jobs.release(id);
}

Result<bool> retry_job(const Instance& instance, JobQueue& jobs, const JobId& id,
                       const std::string&) {
  TRY(has_content(instance, jobs, id));
  ASSIGN_OR_RETURN(const bool mail, release_if_mail(instance, jobs, id));
  if (mail) return true;
  return jobs.retry(id);
}

Result<ExitCode> change(const QueueOptions& options, const CommonOptions& common,
                        const std::string& act, const Change& apply, const char* refused) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  const auto queues = queues_of(*spool, options);
  std::size_t done = 0;
  for (const auto& text : options.ids) {
    ASSIGN_OR_RETURN(const auto id, read_id(text, queues));
    ASSIGN_OR_RETURN(const auto named, find_job(queues, id));
    if (!named) {
      print_error(Error{Recovery::hold, "there is no job " + text, {}});
      continue;
    }
    TRY(record_act(
        *instance, "job." + act,
        {{"job", id.text()}, {"queue", named->name}, {"reason", printable(options.reason, 1000)}}));
    ASSIGN_OR_RETURN(const bool changed, apply(*instance, *named->queue, id, options.reason));
    if (!changed) print_error(Error{Recovery::hold, "job " + text + " " + refused, {}});
    done += changed ? 1 : 0;
  }
  if (done == options.ids.size()) return ExitCode::ok;
  return done == 0 ? ExitCode::failed : ExitCode::partly;
}

void add_change(CLI::App& parent, CommandLine line, const char* name, const char* help,
                const char* refused, Change apply) {
  auto options = std::make_shared<QueueOptions>();
  options->reason = std::string(name) + " by an operator";
  auto* command = parent.add_subcommand(name, help);
  command->add_option("ID", options->ids, "job ids, or their beginnings")->required();
  command->add_option("--reason", options->reason, "kept with the job");
  command->callback([=] {
    line.action = [=, common = &line.options, act = std::string(name)] {
      return change(*options, *common, act, apply, refused);
    };
  });
}

// For a spool that is lost: what was in it comes again from who has sent it.
Result<ExitCode> make_spool(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  if (instance->look_into_spool()) {
    return hold("the queues are there: " + instance->settings().instance.spool,
                "`cmpost queue list` shows what is in them");
  }
  instance->may_make_databases();
  TRY(record_act(*instance, "queue.new", {{"spool", instance->settings().instance.spool}}));
  TRY(instance->spool());
  if (!common.quiet) {
    print_line("two empty queues are in " + instance->settings().instance.spool +
               "; requests that were under way come again from who has sent them");
  }
  return ExitCode::ok;
}

}  // namespace

void add_queue(CommandLine line) {
  auto* queue = line.app.add_subcommand("queue", "jobs in the queues of requests and replies");
  queue->require_subcommand(1);

  auto options = std::make_shared<QueueOptions>();
  auto* listing = queue->add_subcommand("list", "jobs, oldest first");
  listing->add_option("--queue", options->queue)->check(one_of("queue", {"requests", "replies"}));
  options->list.offer(
      *listing, {.filters = {FilterBy::time, FilterBy::channel, FilterBy::source, FilterBy::reason},
                 .states = {"waiting", "active", "deferred", "held", "done"},
                 .sorts = {"channel", "source", "state", "reason", "size"}});
  listing->callback(
      [=] { line.action = [=, common = &line.options] { return list(*options, *common); }; });

  auto* showing = queue->add_subcommand("show", "everything about some jobs, with their bytes");
  showing->add_option("ID", options->ids, "job ids, or their beginnings")->required();
  showing->callback(
      [=] { line.action = [=, common = &line.options] { return show(*options, *common); }; });

  queue->add_subcommand("new", "make empty queues where the spool is lost")->callback([=] {
    line.action = [common = &line.options] { return make_spool(*common); };
  });

  add_change(*queue, line, "retry", "work on deferred and held jobs now",
             "is neither deferred nor held", retry_job);
  add_change(*queue, line, "release", "let held jobs go on", "is not held", release);
  add_change(*queue, line, "drop", "end jobs without an answer", "is active or done",
             [](const Instance&, JobQueue& jobs, const JobId& id, const std::string& reason) {
               return jobs.drop(id, reason);
             });
  add_change(*queue, line, "hold", "keep jobs back until they are released", "is active or done",
             [](const Instance&, JobQueue& jobs, const JobId& id,
                const std::string& reason) -> Result<bool> {
               ASSIGN_OR_RETURN(const auto job, jobs.find(id));
               if (job->state != JobState::waiting && job->state != JobState::deferred)
                 return false;
               TRY(jobs.hold(id, reason));
               return true;
             });
}

}  // namespace cmpost
