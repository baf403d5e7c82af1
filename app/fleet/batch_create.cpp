#include <fstream>
#include <nlohmann/json.hpp>

#include "app/fleet/batch_commands.h"
#include "app/fleet/batch_intake.h"
#include "app/fleet/batch_work.h"
#include "app/instance/operator_act.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/crash_point.h"
#include "base/file_lock.h"
#include "watcher/deposit.h"

namespace cmpost {
namespace {

using nlohmann::json;

Result<std::optional<std::vector<ManifestRow>>> read_list(const std::string& file,
                                                          std::size_t most) {
  if (file.empty()) return std::optional<std::vector<ManifestRow>>();
  std::ifstream in(file, std::ios::binary);
  if (!in) return failure(errno_error("opening", file, errno));
  auto rows = read_manifest(in, most);
  if (!rows) return failure(std::move(rows).error().within(file));
  return std::optional(*std::move(rows));
}

Result<const ChannelSettings*> channel_for(const Instance& instance, const std::string& name) {
  ASSIGN_OR_RETURN(const auto* const channel, channel_named(instance.settings(), name));
  if (channel->direction == Direction::downstream) return channel;
  return wrong_usage("channel " + name + " leads to a CA above, and no requests come from there",
                     "name one with direction = \"downstream\"");
}

BatchEntry item_of(const PlannedItem& planned, std::int64_t number) {
  BatchEntry item;
  item.number = number;
  item.file = planned.file;
  if (planned.row) {
    const auto& row = *planned.row;
    item.line = static_cast<std::int64_t>(row.line);
    item.name = row.name;
    item.serial = row.serial;
    item.mac = row.mac;
    item.wanted = row.subject;
    item.profile = row.profile;
    item.note = row.note;
  }
  item.finding = planned.finding;
  item.detail = planned.detail;
  item.taken = planned.taken;
  return item;
}

// Puts the items of a plan into the ledger, as many in a commit as fit.
class Storing {
 public:
  Storing(Instance& instance, Ledger& ledger, std::int64_t batch)
      : instance_(instance), ledger_(ledger), batch_(batch) {}

  Result<void> add(BatchEntry item, const std::optional<RequestFacts>& facts, Bytes message) {
    Kept kept{std::move(item), {}};
    if (facts && kept.item.taken) {
      auto& request = kept.item.request;
      request.attempt = 1;
      request.file = kept.item.file;
      request.digest = facts->digest;
      request.transactionID = facts->transactionID;
      request.body = facts->body;
      request.subject = facts->subject.is_null_dn() ? "" : facts->subject.text();
      octets_ += message.size();
      ASSIGN_OR_RETURN(kept.octets, octets_to_keep(instance_, *facts, std::move(message)));
    }
    some_.push_back(std::move(kept));
    if (some_.size() < GroupRoom::kJobs && octets_ < GroupRoom::kOctets) return {};
    return flush();
  }

  Result<void> flush() {
    if (some_.empty()) return {};
    TRY(ledger_.write([&](LedgerWriter& writer) -> Result<void> {
      BatchTable table(writer.connection());
      for (const auto& kept : some_) TRY(table.add(batch_, kept.item, kept.octets));
      return {};
    }));
    crash_point("batch.stored");
    some_.clear();
    octets_ = 0;
    return {};
  }

 private:
  struct Kept {
    BatchEntry item;
    BatchOctets octets;
  };
  Instance& instance_;
  Ledger& ledger_;
  const std::int64_t batch_;
  std::vector<Kept> some_;
  std::size_t octets_ = 0;
};

class Creation {
 public:
  Creation(Instance& instance, Ledger& ledger, const ChannelSettings& channel, BatchSource& source)
      : instance_(instance), ledger_(ledger), channel_(channel), source_(source) {}

  // nullopt: the same set is there already, as `same`.
  Result<std::optional<BatchRow>> make(const BatchWords& options,
                                       const std::optional<std::vector<ManifestRow>>& list,
                                       const std::set<BatchFinding>& take) {
    ASSIGN_OR_RETURN(arrived_, look_through(source_, channel_));
    ASSIGN_OR_RETURN(const auto reader, ledger_.reader());
    const FindKnown known = [&](const RequestFacts& facts) {
      return find_known(*reader, facts, options.name);
    };
    ASSIGN_OR_RETURN(plan_, plan_batch(channel_.name, arrived_, list, take, known));
    if (plan_.items.empty()) {
      return hold("there is nothing in " + options.from, "put the requests there");
    }
    BatchTable table(reader->connection());
    ASSIGN_OR_RETURN(same, table.find(plan_.digest));
    if (same && same->made) return std::optional<BatchRow>();
    ASSIGN_OR_RETURN(const auto before, table.find(options.name));
    if (before && before->made) {
      return wrong_usage("there is a batch " + options.name + " of another set already",
                         "`cmpost batch show " + options.name + "`; give this one another name");
    }
    const bool goes_on = before && before->digest == plan_.digest;
    BatchRow batch;
    if (goes_on) {
      batch = *before;
    } else {
      ASSIGN_OR_RETURN(batch, begin(options));
    }
    TRY(store(batch));
    TRY(finish(batch));
    return std::optional(batch);
  }

  std::optional<BatchRow> same;

 private:
  Result<BatchRow> begin(const BatchWords& options) {
    BatchRow batch;
    batch.name = options.name;
    batch.digest = plan_.digest;
    batch.channel = channel_.name;
    batch.origin = printable(options.from, 500);
    batch.list = printable(options.list, 500);
    batch.who = instance_.person().name();
    batch.begun = instance_.clock().now();
    TRY(ledger_.write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(batch.id, BatchTable(writer.connection()).begin(batch));
      return {};
    }));
    crash_point("batch.begun");
    return batch;
  }

  Result<void> store(const BatchRow& batch) {
    ASSIGN_OR_RETURN(const auto reader, ledger_.reader());
    ASSIGN_OR_RETURN(const auto done, BatchTable(reader->connection()).last_item(batch.id));
    Storing storing(instance_, ledger_, batch.id);
    std::size_t at = 0;
    const auto changed = [](const std::string& file) {
      return retry(file + " has changed while the batch was made",
                   "try again when nobody writes there");
    };
    TRY(read_again(
        source_, channel_,
        [&](const std::string& file, const ArrivedRequest& now, Bytes message) -> Result<void> {
          const auto index = at++;
          const bool known = index < arrived_.size() && arrived_[index].file == file &&
                             arrived_[index].digest == now.digest;
          if (!known) return changed(file);
          const auto number = static_cast<std::int64_t>(at);
          if (number <= done) return {};
          return storing.add(item_of(plan_.items[index], number), plan_.items[index].facts,
                             std::move(message));
        }));
    if (at != arrived_.size()) return changed(arrived_[at].file);
    for (; at < plan_.items.size(); ++at) {
      const auto number = static_cast<std::int64_t>(at + 1);
      if (number > done) TRY(storing.add(item_of(plan_.items[at], number), std::nullopt, {}));
    }
    return storing.flush();
  }

  Result<void> finish(BatchRow& batch) {
    const auto now = instance_.clock().now();
    std::size_t taken = 0;
    for (const auto& item : plan_.items) taken += item.taken ? 1 : 0;
    const auto detail = by(instance_.person(), {{"batch", batch.name},
                                                {"channel", batch.channel},
                                                {"items", plan_.items.size()},
                                                {"taken", taken},
                                                {"from", batch.origin},
                                                {"list", batch.list},
                                                {"sha256", to_hex(batch.digest)}});
    TRY(ledger_.write([&](LedgerWriter& writer) -> Result<void> {
      TRY(BatchTable(writer.connection()).finish(batch.id, now));
      return writer.audit("batch.created", detail.dump());
    }));
    crash_point("batch.created");
    batch.made = now;
    return {};
  }

  Instance& instance_;
  Ledger& ledger_;
  const ChannelSettings& channel_;
  BatchSource& source_;
  std::vector<ArrivedRequest> arrived_;
  BatchPlan plan_;
};

std::set<BatchFinding> findings_in(const std::vector<std::string>& words) {
  std::set<BatchFinding> findings;
  for (const auto& word : words) {
    if (const auto finding = batch_finding(word)) findings.insert(*finding);
  }
  return findings;
}

}  // namespace

Result<ExitCode> create_batch(const BatchWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel, channel_for(*instance, options.channel));
  const auto limits = limits_of(*channel, options.list);
  ASSIGN_OR_RETURN(const auto list, read_list(options.list, limits.files));
  ASSIGN_OR_RETURN(const auto source, open_batch_source(options.from, limits));
  const auto& state = instance->settings().instance.state;
  TRY(make_directories(state));
  ASSIGN_OR_RETURN(const auto lock, try_lock(lock_of_batches(state)));
  if (!lock) return retry("another batch is being made on this instance", "try again afterwards");
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  Creation creation(*instance, *ledger, *channel, *source);
  ASSIGN_OR_RETURN(const auto made, creation.make(options, list, findings_in(options.take)));
  const auto& batch = made ? *made : *creation.same;
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  BatchLook look(*reader, spool->requests(), instance->clock().now(),
                 remembered(instance->settings()));
  ASSIGN_OR_RETURN(const auto count, count_batch(BatchTable(reader->connection()), batch, look));
  if (common.json) {
    auto value = to_json(batch, count);
    value["created"] = made.has_value();
    print_json(value);
  } else if (!common.quiet) {
    if (!made) {
      print_line("this set is batch " + batch.name + " of " + to_iso8601(*batch.made) +
                 " already; nothing was done");
    }
    print_batch(batch, count, common);
  }
  if (!made) return ExitCode::ok;
  const auto good = count.findings[static_cast<std::size_t>(BatchFinding::good)];
  return good == count.items ? ExitCode::ok : ExitCode::partly;
}

}  // namespace cmpost
