#include "app/fleet/batch_work.h"

#include <algorithm>

#include "app/fleet/batch_intake.h"
#include "base/crash_point.h"
#include "base/joined.h"
#include "base/log.h"
#include "outbox/named_directory_egress.h"
#include "watcher/deposit.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

Job job_of(const BatchRow& batch, const BatchEntry& item, Bytes message, const AnswersTo& to) {
  const auto& request = item.request;
  Job job;
  job.id = make_job_id({view_of("batch"), view_of(batch.name), view_of(std::to_string(item.number)),
                        view_of(std::to_string(request.attempt)), message});
  job.envelope.channel = batch.channel;
  job.envelope.source = batch.name + "/" + request.file;
  auto& reply = job.envelope.reply;
  reply.channel = to.directory.empty() ? batch.channel : std::string(kNamedDirectory);
  reply.address = to.directory;
  reply.name = stem_of(std::string_view(request.file).substr(request.file.rfind('/') + 1));
  job.payload = std::move(message);
  return job;
}

// What is `ready` although it was put: from now on nobody has put it.
Result<void> forget_lost(Instance& instance, const BatchRow& batch) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  BatchLook look(*reader, spool->requests(), instance.clock().now(),
                 remembered(instance.settings()));
  std::vector<BatchEntry> lost;
  TRY(BatchTable(reader->connection())
          .for_each(batch.id, [&](const BatchEntry& item) -> Result<void> {
            if (!item.taken || !item.request.put) return {};
            ASSIGN_OR_RETURN(const auto standing, look.standing(item));
            if (standing.state == BatchState::ready) lost.push_back(item);
            return {};
          }));
  if (lost.empty()) return {};
  log::warning("batch.put_again", {{"batch", batch.name}, {"items", lost.size()}});
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    for (const auto& item : lost) TRY(BatchTable(writer.connection()).forget_put(batch.id, item));
    return {};
  });
}

}  // namespace

Duration remembered(const Settings& settings) {
  auto shortest = Duration::zero();
  for (const auto keep : {settings.instance.keep_refused, settings.instance.keep_messages}) {
    if (keep == Duration::zero()) continue;
    shortest = shortest == Duration::zero() ? keep : std::min(shortest, keep);
  }
  return shortest;
}

Result<std::size_t> put_batch(Instance& instance, const BatchRow& batch, const AnswersTo& to) {
  TRY(forget_lost(instance, batch));
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  BatchTable table(reader->connection());
  std::size_t count = 0;
  for (std::int64_t after = 0;;) {
    ASSIGN_OR_RETURN(auto items, table.not_put(batch.id, after, GroupRoom::kJobs));
    if (items.empty()) return count;
    std::vector<Job> jobs;
    for (std::size_t octets = 0; jobs.size() < items.size() && octets < GroupRoom::kOctets;) {
      const auto& item = items[jobs.size()];
      ASSIGN_OR_RETURN(const auto kept, table.octets(batch.id, item.number, item.request.attempt));
      ASSIGN_OR_RETURN(auto message, kept_octets(instance, item.request, kept));
      octets += message.size();
      jobs.push_back(job_of(batch, item, std::move(message), to));
    }
    items.resize(jobs.size());
    after = items.back().number;
    TRY(spool->requests().put(jobs));
    crash_point("batch.put");
    const auto now = instance.clock().now();
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      BatchTable writing(writer.connection());
      for (std::size_t i = 0; i < items.size(); ++i) {
        TRY(writing.note_put(batch.id, items[i], jobs[i].id, now));
      }
      return {};
    }));
    crash_point("batch.put_noted");
    count += jobs.size();
  }
}

Result<void> note_batch(Instance& instance, const BatchRow& batch) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  BatchLook look(*reader, spool->requests(), instance.clock().now(),
                 remembered(instance.settings()));
  struct Final {
    BatchEntry item;
    bool keep_octets;
  };
  std::vector<Final> some;
  const auto flush = [&]() -> Result<void> {
    if (some.empty()) return {};
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      BatchTable writing(writer.connection());
      for (const auto& one : some) TRY(writing.note(batch.id, one.item, one.keep_octets));
      return {};
    }));
    crash_point("batch.results_noted");
    some.clear();
    return {};
  };
  TRY(BatchTable(reader->connection())
          .for_each(batch.id, [&](const BatchEntry& item) -> Result<void> {
            if (!item.request.put || !item.request.noted.empty()) return {};
            ASSIGN_OR_RETURN(const auto standing, look.standing(item));
            if (!standing.is_final()) return {};
            Final one{item, standing.judged_anew || standing.state == BatchState::dropped};
            auto& request = one.item.request;
            request.noted = to_string(standing.state);
            request.noted_reason = standing.reason;
            request.noted_failInfo = standing.failInfo;
            request.noted_serials = joined(standing.serials, " ");
            some.push_back(std::move(one));
            return some.size() < GroupRoom::kJobs ? Result<void>() : flush();
          }));
  return flush();
}

}  // namespace cmpost
