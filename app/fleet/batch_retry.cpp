#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/fleet/batch_commands.h"
#include "app/fleet/batch_intake.h"
#include "app/fleet/batch_work.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "base/crash_point.h"
#include "base/file_lock.h"
#include "watcher/deposit.h"

namespace cmpost {
namespace {

using nlohmann::json;

// What an item gets: another message, or why it gets none.
struct Retried {
  BatchEntry item;
  std::optional<RequestFacts> facts;  // of a file; nullopt: the octets that are kept
  std::string file, why_not;
};

constexpr const char* kStored =
    "the answer to its transaction is on record, and the same request would get it again: the site "
    "has to make a new one (--from)";

// The same octets are put again where nobody has kept an answer to them.
Result<std::vector<Retried>> with_kept_octets(BatchTable table, const BatchRow& batch,
                                              const std::vector<BatchEntry>& items,
                                              BatchLook& look) {
  std::vector<Retried> all;
  for (const auto& item : items) {
    Retried one{item, std::nullopt, item.request.file, {}};
    if (item.request.attempt == 0) {
      one.why_not = "no request of it has come (--from)";
    } else {
      ASSIGN_OR_RETURN(const auto standing, look.standing(item));
      ASSIGN_OR_RETURN(const auto kept, table.octets(batch.id, item.number, item.request.attempt));
      if (!standing.judged_anew) {
        one.why_not = kStored;
      } else if (kept.octets.empty()) {
        one.why_not = "its octets are not kept any more (--from)";
      }
    }
    all.push_back(std::move(one));
  }
  return all;
}

// New files are held against the items as against a list; its lines are their numbers.
Result<std::vector<Retried>> with_new_files(const std::vector<BatchEntry>& items,
                                            const std::vector<ArrivedRequest>& arrived,
                                            const BatchRow& batch, LedgerReader& ledger) {
  std::vector<ManifestRow> rows;
  std::map<std::size_t, const BatchEntry*> by_number;
  for (const auto& item : items) {
    ManifestRow row;
    row.line = static_cast<std::size_t>(item.number);
    row.file = item.file;
    row.name = item.name;
    row.subject = item.wanted;
    rows.push_back(std::move(row));
    by_number[static_cast<std::size_t>(item.number)] = &item;
  }
  const FindKnown known = [&](const RequestFacts& facts) {
    return find_known(ledger, facts, batch.name);
  };
  ASSIGN_OR_RETURN(auto plan, plan_batch(batch.channel, arrived, rows, {}, known));
  std::vector<Retried> all;
  for (auto& planned : plan.items) {
    Retried one;
    one.file = planned.file;
    if (planned.row) one.item = *by_number.at(planned.row->line);
    if (planned.taken) {
      one.facts = std::move(planned.facts);
    } else if (planned.finding == BatchFinding::missing) {
      one.why_not = "no new file for it";
    } else {
      one.why_not = planned.detail;
    }
    if (!planned.row) one.why_not = "no item that is put again has this name: " + planned.detail;
    all.push_back(std::move(one));
  }
  return all;
}

BatchRequest next_try(const Retried& one) {
  auto request = one.item.request;
  ++request.attempt;
  request.file = one.file;
  if (!one.facts) return request;
  request.digest = one.facts->digest;
  request.transactionID = one.facts->transactionID;
  request.body = one.facts->body;
  request.subject = one.facts->subject.is_null_dn() ? "" : one.facts->subject.text();
  return request;
}

class Retrying {
 public:
  Retrying(Instance& instance, Ledger& ledger, const BatchRow& batch)
      : instance_(instance), ledger_(ledger), batch_(batch) {}

  Result<void> add(const Retried& one, BatchOctets octets) {
    some_.push_back({&one, std::move(octets)});
    return some_.size() < GroupRoom::kJobs ? Result<void>() : flush();
  }

  Result<void> flush() {
    if (some_.empty()) return {};
    const auto detail = by(instance_.person(), {{"batch", batch_.name}, {"items", some_.size()}});
    TRY(ledger_.write([&](LedgerWriter& writer) -> Result<void> {
      BatchTable table(writer.connection());
      for (const auto& [one, octets] : some_) {
        TRY(table.add_try(batch_.id, one->item.number, next_try(*one), octets));
      }
      return writer.audit("batch.retried", detail.dump());
    }));
    crash_point("batch.retried");
    some_.clear();
    return {};
  }

 private:
  Instance& instance_;
  Ledger& ledger_;
  const BatchRow& batch_;
  std::vector<std::pair<const Retried*, BatchOctets>> some_;
};

Result<void> store(Instance& instance, Ledger& ledger, const BatchRow& batch,
                   const std::vector<Retried>& all, BatchSource* source,
                   const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  BatchTable table(reader->connection());
  Retrying retrying(instance, ledger, batch);
  if (source == nullptr) {
    for (const auto& one : all) {
      if (!one.why_not.empty()) continue;
      ASSIGN_OR_RETURN(auto kept,
                       table.octets(batch.id, one.item.number, one.item.request.attempt));
      TRY(retrying.add(one, std::move(kept)));
    }
    return retrying.flush();
  }
  std::map<Sha256, const Retried*> wanted;
  for (const auto& one : all) {
    if (one.why_not.empty() && one.facts) wanted[one.facts->digest] = &one;
  }
  TRY(read_again(*source, channel,
                 [&](const std::string&, const ArrivedRequest& now, Bytes message) -> Result<void> {
                   const auto found = wanted.find(now.digest);
                   if (!now.facts || found == wanted.end()) return {};
                   const auto& one = *found->second;
                   wanted.erase(found);
                   ASSIGN_OR_RETURN(auto octets,
                                    octets_to_keep(instance, *one.facts, std::move(message)));
                   return retrying.add(one, std::move(octets));
                 }));
  TRY(retrying.flush());
  if (wanted.empty()) return {};
  return retry(wanted.begin()->second->file + " has changed while it was read",
               "try again when nobody writes there");
}

void print(const BatchRow& batch, const std::vector<Retried>& all, const CommonOptions& common) {
  auto put = json::array(), cannot = json::array();
  for (const auto& one : all) {
    const auto& file = one.file.empty() ? one.item.file : one.file;
    json value = {{"item", one.item.number}, {"file", file}, {"name", one.item.name}};
    if (!one.why_not.empty()) value["reason"] = one.why_not;
    (one.why_not.empty() ? put : cannot).push_back(std::move(value));
  }
  if (common.json) return print_json({{"batch", batch.name}, {"ready", put}, {"cannot", cannot}});
  if (common.quiet) return;
  for (const auto& one : all) {
    const auto& file = one.file.empty() ? one.item.file : one.file;
    print_line((file.empty() ? one.item.name : file) + ": " +
               (one.why_not.empty() ? "ready" : one.why_not));
  }
  print_line(std::to_string(put.size()) + " are ready, " + std::to_string(cannot.size()) +
             " cannot be put again" +
             (put.empty() ? "" : "; `cmpost batch run " + batch.name + "` works on them"));
}

}  // namespace

Result<ExitCode> retry_batch(const BatchWords& words, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  const auto& state = instance->settings().instance.state;
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(const auto lock, try_lock(lock_of_batches(state)));
  if (!lock) return retry("a batch is being made on this instance", "try again afterwards");
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto batch, batch_named(reader->connection(), words.name));
  if (batch.dropped) return wrong_usage("batch " + batch.name + " was dropped");
  const auto* const channel = instance->settings().channel(batch.channel);
  if (channel == nullptr) return hold("the settings have no channel " + batch.channel);
  BatchTable table(reader->connection());
  BatchLook look(*reader, spool->requests(), instance->clock().now(),
                 remembered(instance->settings()));
  const auto wanted = batch_state(words.only).value_or(BatchState::refused);
  std::vector<BatchEntry> items;
  TRY(table.for_each(batch.id, [&](const BatchEntry& item) -> Result<void> {
    ASSIGN_OR_RETURN(const auto standing, look.standing(item));
    if (standing.state == wanted) items.push_back(item);
    return {};
  }));
  std::unique_ptr<BatchSource> source;
  std::vector<Retried> all;
  if (words.from.empty()) {
    ASSIGN_OR_RETURN(all, with_kept_octets(table, batch, items, look));
  } else {
    ASSIGN_OR_RETURN(source, open_batch_source(words.from, limits_of(*channel, {})));
    ASSIGN_OR_RETURN(const auto arrived, look_through(*source, *channel));
    ASSIGN_OR_RETURN(all, with_new_files(items, arrived, batch, *reader));
  }
  TRY(store(*instance, *ledger, batch, all, source.get(), *channel));
  print(batch, all, common);
  const bool all_ready =
      std::ranges::all_of(all, [](const auto& one) { return one.why_not.empty(); });
  return all_ready ? ExitCode::ok : ExitCode::partly;
}

}  // namespace cmpost
