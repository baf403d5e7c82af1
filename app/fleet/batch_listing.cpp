#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/fleet/batch_commands.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "base/csv.h"
#include "base/joined.h"

namespace cmpost {
namespace {

using nlohmann::json;

json when(const std::optional<Time>& time) { return time ? json(to_iso8601(*time)) : json(); }

// Of the batch as a whole, by what is on record of it.
std::string_view stage_of(const BatchRow& batch) {
  if (batch.dropped) return "dropped";
  if (!batch.made) return "half-made";
  if (!batch.started) return "made";
  return batch.ended ? "run" : "under-way";
}

struct Shown {
  const BatchEntry& item;
  const BatchStanding& standing;
};

// What an item is called: by its file, or else by the list.
const std::string& called(const BatchEntry& item) {
  if (!item.request.file.empty()) return item.request.file;
  return item.file.empty() ? item.name : item.file;
}

std::string reason_of(const Shown& shown) {
  const auto& [item, standing] = shown;
  const auto& reason = standing.reason.empty() ? item.detail : standing.reason;
  if (standing.failInfo.empty() || reason.find(standing.failInfo) != std::string::npos) {
    return reason;
  }
  return standing.failInfo + ": " + reason;
}

const std::vector<std::string> kColumns = {
    "item",     "file",    "name",        "serial",  "mac",  "state",         "finding", "reason",
    "failInfo", "subject", "certificate", "profile", "body", "transactionID", "attempt", "note"};

std::vector<std::string> cells_of(const Shown& shown) {
  const auto& [item, standing] = shown;
  const auto& request = item.request;
  return {std::to_string(item.number),
          called(item),
          item.name,
          item.serial,
          item.mac,
          std::string(to_string(standing.state)),
          std::string(to_string(item.finding)),
          reason_of(shown),
          standing.failInfo,
          request.subject.empty() ? item.wanted : request.subject,
          joined(standing.serials, " "),
          item.profile,
          request.body,
          to_hex(request.transactionID),
          std::to_string(request.attempt),
          item.note};
}

json to_json(const Shown& shown) {
  const auto& [item, standing] = shown;
  const auto& request = item.request;
  return {{"item", item.number},
          {"file", called(item)},
          {"name", item.name},
          {"serial", item.serial},
          {"mac", item.mac},
          {"state", to_string(standing.state)},
          {"finding", to_string(item.finding)},
          {"detail", item.detail},
          {"reason", standing.reason},
          {"failInfo", standing.failInfo},
          {"subject", request.subject},
          {"wanted", item.wanted},
          {"certificates", standing.serials},
          {"profile", item.profile},
          {"body", request.body},
          {"tid", to_hex(request.transactionID)},
          {"job", request.put ? json(request.job.text()) : json()},
          {"put", when(request.put)},
          {"attempt", request.attempt},
          {"note", item.note}};
}

// Which items are shown, by filters that no SQL knows: the state is derived.
class Choice {
 public:
  Choice(const BatchWords& options, const ListFilter& filter)
      : state_(batch_state(options.state)),
        finding_(batch_finding(options.finding)),
        filter_(filter) {}

  bool takes(const Shown& shown) {
    if (state_ && shown.standing.state != *state_) return false;
    if (finding_ && shown.item.finding != *finding_) return false;
    const auto place = matched_++;
    return place >= filter_.offset && (!filter_.limit || place - filter_.offset < *filter_.limit);
  }
  std::int64_t left() const { return left_out(filter_, static_cast<std::int64_t>(matched_)); }

 private:
  const std::optional<BatchState> state_;
  const std::optional<BatchFinding> finding_;
  const ListFilter& filter_;
  std::size_t matched_ = 0;
};

using ShowItem = std::function<void(const Shown&)>;

Result<std::int64_t> for_each_shown(BatchTable table, const BatchRow& batch, BatchLook& look,
                                    const BatchWords& options, const ListFilter& filter,
                                    const ShowItem& show) {
  Choice choice(options, filter);
  TRY(table.for_each(
      batch.id,
      [&](const BatchEntry& item) -> Result<void> {
        ASSIGN_OR_RETURN(const auto standing, look.standing(item));
        const Shown shown{item, standing};
        if (choice.takes(shown)) show(shown);
        return {};
      },
      filter.newest));
  return choice.left();
}

Result<void> show_items(BatchTable table, const BatchRow& batch, BatchLook& look,
                        const BatchWords& options, const ListFilter& filter, ListForm form) {
  RowSink sink({"item", "file", "name", "state", "finding", "subject", "certificate", "reason"},
               form, "no item is like that");
  ASSIGN_OR_RETURN(const auto left,
                   for_each_shown(table, batch, look, options, filter, [&](const Shown& shown) {
                     sink.add(
                         [&] {
                           const auto cells = cells_of(shown);
                           return std::vector<std::string>{cells[0], cells[1], cells[2],  cells[5],
                                                           cells[6], cells[9], cells[10], cells[7]};
                         },
                         [&] { return to_json(shown); });
                   }));
  sink.finish(left);
  return {};
}

}  // namespace

Result<BatchRow> batch_named(Connection& connection, const std::string& name) {
  ASSIGN_OR_RETURN(auto batch, BatchTable(connection).find(name));
  if (!batch) return wrong_usage("there is no batch " + name, "`cmpost batch list` shows them");
  if (!batch->made) {
    return wrong_usage("batch " + name + " is half made",
                       "`cmpost batch create " + name + "` with the same set goes on with it");
  }
  return *std::move(batch);
}

Result<BatchCount> count_batch(BatchTable table, const BatchRow& batch, BatchLook& look) {
  BatchCount count;
  TRY(table.for_each(batch.id, [&](const BatchEntry& item) -> Result<void> {
    ASSIGN_OR_RETURN(const auto standing, look.standing(item));
    count.add(item, standing.state);
    return {};
  }));
  return count;
}

std::string in_words(const BatchCount& count) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kBatchStates; ++i) {
    if (count.states[i] == 0) continue;
    auto word = std::string(to_string(static_cast<BatchState>(i)));
    std::ranges::replace(word, '-', ' ');
    parts.push_back(in_groups(static_cast<std::int64_t>(count.states[i])) + " " + word);
  }
  return in_groups(static_cast<std::int64_t>(count.items)) +
         (count.items == 1 ? " item: " : " items: ") + joined(parts);
}

json to_json(const BatchRow& batch, const BatchCount& count) {
  json states = json::object(), findings = json::object();
  for (std::size_t i = 0; i < kBatchStates; ++i) {
    states[std::string(to_string(static_cast<BatchState>(i)))] = count.states[i];
  }
  for (std::size_t i = 0; i < kBatchFindings; ++i) {
    findings[std::string(to_string(static_cast<BatchFinding>(i)))] = count.findings[i];
  }
  return {{"batch", batch.name},
          {"stage", stage_of(batch)},
          {"channel", batch.channel},
          {"from", batch.origin},
          {"list", batch.list},
          {"sha256", to_hex(batch.digest)},
          {"who", batch.who},
          {"made", when(batch.made)},
          {"started", when(batch.started)},
          {"ended", when(batch.ended)},
          {"dropped", when(batch.dropped)},
          {"items", count.items},
          {"states", states},
          {"findings", findings}};
}

void print_batch(const BatchRow& batch, const BatchCount& count, const CommonOptions& common) {
  if (common.quiet) return;
  print_line("batch " + batch.name + " on channel " + batch.channel + ", " +
             std::string(stage_of(batch)) + ", of " + batch.origin +
             (batch.list.empty() ? "" : " held against " + batch.list));
  print_line(in_words(count));
  for (std::size_t i = 1; i < kBatchFindings; ++i) {
    if (count.findings[i] == 0) continue;
    const std::string word(to_string(static_cast<BatchFinding>(i)));
    print_line("- " + in_groups(static_cast<std::int64_t>(count.findings[i])) + " " + word +
               ": `cmpost batch show " + batch.name + " --finding " + word + "`");
  }
}

Result<ExitCode> list_batches(const BatchWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  ASSIGN_OR_RETURN(const auto filter, options.batches.read(*instance));
  BatchTable table(reader->connection());
  BatchLook look(*reader, spool->requests(), instance->clock().now(),
                 remembered(instance->settings()));
  ASSIGN_OR_RETURN(const auto all, table.count());
  ASSIGN_OR_RETURN(const auto batches, table.list(filter));
  RowSink sink({"batch", "stage", "channel", "made", "items", "granted", "refused", "open"},
               options.batches.form(common),
               "no batch was made: `cmpost batch create NAME --from DIR --channel NAME`");
  for (const auto& batch : batches) {
    ASSIGN_OR_RETURN(const auto count, count_batch(table, batch, look));
    using enum BatchState;
    const auto open = count.of(ready) + count.of(queued) + count.of(held) + count.of(waiting);
    sink.add(
        [&] {
          return std::vector<std::string>{batch.name,
                                          std::string(stage_of(batch)),
                                          batch.channel,
                                          to_iso8601(batch.made.value_or(batch.begun)),
                                          std::to_string(count.items),
                                          std::to_string(count.of(granted)),
                                          std::to_string(count.of(refused) + count.of(partly)),
                                          std::to_string(open)};
        },
        [&] { return to_json(batch, count); });
  }
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

Result<ExitCode> show_batch(const BatchWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  ASSIGN_OR_RETURN(const auto batch, batch_named(reader->connection(), options.name));
  ASSIGN_OR_RETURN(const auto filter, options.items.read(*instance));
  BatchTable table(reader->connection());
  BatchLook look(*reader, spool->requests(), instance->clock().now(),
                 remembered(instance->settings()));
  const auto form = options.items.form(common);
  if (options.csv) {
    print_line(csv_row(kColumns));
    ASSIGN_OR_RETURN(const auto left,
                     for_each_shown(table, batch, look, options, filter, [](const Shown& shown) {
                       print_line(csv_row(cells_of(shown)));
                     }));
    if (left > 0) print_warning("... and " + in_groups(left) + " more: --limit, --offset");
    return ExitCode::ok;
  }
  if (form == ListForm::json_lines) {
    TRY(show_items(table, batch, look, options, filter, form));
    return ExitCode::ok;
  }
  ASSIGN_OR_RETURN(const auto count, count_batch(table, batch, look));
  if (form == ListForm::table) {
    print_batch(batch, count, common);
    TRY(show_items(table, batch, look, options, filter, form));
    return ExitCode::ok;
  }
  auto value = to_json(batch, count);
  auto items = json::array();
  ASSIGN_OR_RETURN(const auto left,
                   for_each_shown(table, batch, look, options, filter,
                                  [&](const Shown& shown) { items.push_back(to_json(shown)); }));
  value["shown"] = std::move(items);
  value["left"] = left;
  print_json(value);
  return ExitCode::ok;
}

}  // namespace cmpost
