#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/fleet/batch_commands.h"
#include "app/fleet/batch_work.h"
#include "app/instance/operator_act.h"
#include "app/instance/own_renewal.h"
#include "app/instance/settings_in_use.h"
#include "app/service/batch_run.h"
#include "app/terminal/output.h"
#include "base/crash_point.h"
#include "base/file_lock.h"
#include "outbox/named_directory_egress.h"
#include "processor/runs/run_table.h"

namespace cmpost {
namespace {

Result<AnswersTo> answers_to(const Instance& instance, const BatchRow& batch,
                             const std::string& directory) {
  const auto* const channel = instance.settings().channel(batch.channel);
  if (channel == nullptr) {
    return hold("the settings have no channel " + batch.channel + " any more",
                "batch " + batch.name + " is worked on by its rights");
  }
  if (!directory.empty()) {
    std::error_code error;
    const auto path = std::filesystem::absolute(directory, error).lexically_normal().string();
    if (error) return failure(errno_error("finding", directory, error.value()));
    TRY(make_directories(path));
    return AnswersTo{path};
  }
  const bool has_place = channel->directory() != nullptr || channel->sftp() != nullptr ||
                         channel->courier() != nullptr;
  if (has_place) return AnswersTo{};
  return wrong_usage("channel " + channel->name +
                         " answers whom a request came from, and a batch comes from nobody",
                     "name a directory for the answers with --to");
}

// What waits on the channel is worked on with the batch: a run that a rule has stopped shall not go
// on by it.
Result<void> refuse_stopped_run(Instance& instance, const BatchRow& batch) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  RunTable runs(reader->connection());
  for (const auto& run : instance.settings().runs) {
    const bool all = run.channels.empty();
    if (!all && std::ranges::find(run.channels, batch.channel) == run.channels.end()) continue;
    ASSIGN_OR_RETURN(const auto last, runs.newest(run.name));
    if (!last || !last->ended || last->end != RunEnd::stopped) continue;
    ASSIGN_OR_RETURN(const auto next, runs.continued_by(last->number));
    if (next) continue;
    return wrong_usage("run " + run.name + " " + std::to_string(last->number) +
                           " was stopped on channel " + batch.channel +
                           ", and what waits there would be worked on with the batch",
                       "first `cmpost run " + run.name + " --go-on \"why\"`");
  }
  return {};
}

Result<void> begin(Instance& instance, const BatchRow& batch, const AnswersTo& to) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const auto detail = by(instance.person(), {{"batch", batch.name}, {"to", to.directory}});
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(BatchTable(writer.connection()).start(batch.id, instance.clock().now()));
    return writer.audit("batch.started", detail.dump());
  }));
  crash_point("batch.started");
  return {};
}

Result<void> end(Instance& instance, const BatchRow& batch, const BatchCount& count) {
  using enum BatchState;
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const nlohmann::json detail = {{"batch", batch.name},
                                 {"items", count.items},
                                 {"granted", count.of(granted)},
                                 {"refused", count.of(refused) + count.of(partly)}};
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(BatchTable(writer.connection()).end(batch.id, instance.clock().now()));
    return writer.audit("batch.ended", detail.dump());
  }));
  crash_point("batch.ended");
  return {};
}

// A service on the same channel may have some of the items in hand; it is waited for as long as it
// gets on with them.
Result<BatchCount> count_when_settled(Instance& instance, const BatchRow& batch,
                                      ProcessSignals& signals) {
  constexpr int kLooks = 100;
  constexpr Duration kBetween = std::chrono::milliseconds(100);
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  BatchLook look(*reader, spool->requests(), instance.clock().now(),
                 remembered(instance.settings()));
  BatchCount count;
  for (int left = kLooks, before = 0; left > 0; --left) {
    ASSIGN_OR_RETURN(count, count_batch(BatchTable(reader->connection()), batch, look));
    ASSIGN_OR_RETURN(const auto jobs, spool->requests().counts());
    const auto queued = static_cast<int>(count.of(BatchState::queued));
    if (queued == 0 || jobs.active == 0) break;
    if (queued != before) left = kLooks;
    before = queued;
    if (signals.wait(kBetween) == Asked::stop) break;
  }
  return count;
}

Result<std::size_t> answers_that_stay(Instance& instance, const BatchRow& batch,
                                      const AnswersTo& to) {
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  const auto* const channel = instance.settings().channel(batch.channel);
  if (to.directory.empty() && channel != nullptr && channel->courier() != nullptr) return 0;
  const auto where = to.directory.empty() ? std::string_view(batch.channel) : kNamedDirectory;
  ASSIGN_OR_RETURN(const auto replies, spool->replies().counts_of(where));
  // On record, and not in the queue yet: after trouble with its disk the next run puts them there.
  ASSIGN_OR_RETURN(const auto requests, spool->requests().counts_of(where));
  return replies.waiting + replies.active + replies.deferred + replies.held + requests.active +
         requests.deferred;
}

}  // namespace

Result<ExitCode> run_batch(const BatchWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto signals, ProcessSignals::create(Asked::stop));
  ASSIGN_OR_RETURN(const auto file, find_config(common));
  const auto digest = digest_of_settings(file);
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  BatchRow batch;
  {
    ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
    ASSIGN_OR_RETURN(batch, batch_named(reader->connection(), options.name));
  }
  if (batch.dropped) {
    return wrong_usage("batch " + batch.name + " was dropped on " + to_iso8601(*batch.dropped),
                       "make another one of what is still wanted");
  }
  ASSIGN_OR_RETURN(const auto to, answers_to(*instance, batch, options.to));
  instance->work_on({ChannelScope::Which::only, {batch.channel, std::string(kNamedDirectory)}});
  const auto& state = instance->settings().instance.state;
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(const auto lock, try_lock(lock_of_runs(state)));
  if (!lock) {
    return retry("another run is under way on this instance", "two never overlap; try afterwards");
  }
  TRY(refuse_stopped_run(*instance, batch));
  TRY(begin(*instance, batch, to));
  TRY(put_batch(*instance, batch, to));
  BatchRun run(*instance, digest, {.take_in = false, .quiet = common.quiet});
  if (const auto worked = run.work(*signals); !worked) {
    auto error = worked.error();
    error.hint += (error.hint.empty() ? "" : "; ") +
                  ("`cmpost batch run " + batch.name + "` goes on with it");
    return failure(std::move(error));
  }
  TRY(settle_own_certificate(*instance));
  ASSIGN_OR_RETURN(const auto count, count_when_settled(*instance, batch, *signals));
  TRY(note_batch(*instance, batch));
  TRY(end(*instance, batch, count));
  ASSIGN_OR_RETURN(const auto stays, answers_that_stay(*instance, batch, to));
  {
    ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
    ASSIGN_OR_RETURN(batch, batch_named(reader->connection(), batch.name));
  }
  if (common.json) {
    auto value = to_json(batch, count);
    value["still_to_send"] = stays;
    print_json(value);
  } else {
    print_batch(batch, count, common);
    if (stays > 0) print_warning(std::to_string(stays) + " answers have not left yet");
  }
  const bool all_granted = count.of(BatchState::granted) == count.items;
  return all_granted && stays == 0 ? ExitCode::ok : ExitCode::partly;
}

Result<ExitCode> drop_batch(const BatchWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  const auto& state = instance->settings().instance.state;
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(const auto lock, try_lock(lock_of_batches(state)));
  if (!lock) return retry("a batch is being made on this instance", "try again afterwards");
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto batch, BatchTable(reader->connection()).find(options.name));
  if (!batch) {
    return wrong_usage("there is no batch " + options.name, "`cmpost batch list` shows them");
  }
  if (!batch->dropped) {
    const auto detail =
        by(instance->person(), {{"batch", batch->name}, {"reason", options.reason}});
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(BatchTable(writer.connection()).drop(batch->id, instance->clock().now()));
      return writer.audit("batch.dropped", detail.dump());
    }));
  }
  if (!common.quiet) {
    print_line("batch " + batch->name + " is dropped; what is in the queue already stays there");
  }
  return ExitCode::ok;
}

}  // namespace cmpost
