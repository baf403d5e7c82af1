#include "app/looking/inspection.h"
#include "base/file_lock.h"
#include "processor/batches/batch_table.h"

namespace cmpost {
namespace {

// A batch is looked at before it is run; not for longer than that.
constexpr Duration kWaitsForSomebody = std::chrono::hours(24);

std::optional<Remark> remark_about(const BatchRow& batch, std::int64_t not_put, bool being_made,
                                   Time now) {
  const auto subject = "batch " + batch.name;
  const auto warn = [&](std::string text, std::string hint) {
    return Remark{Severity::warning, RemarkKind::request_set, subject,
                  std::move(text),   std::move(hint),         {}};
  };
  if (batch.dropped) return std::nullopt;
  if (!batch.made) {
    if (being_made) return std::nullopt;
    return warn("it is half made",
                "`cmpost batch create " + batch.name +
                    "` with the same set goes on with it; `cmpost batch drop` gives it up");
  }
  if (not_put == 0) return std::nullopt;
  const auto since = batch.started.value_or(*batch.made);
  if (now - since < kWaitsForSomebody) return std::nullopt;
  return warn(
      std::to_string(not_put) + " of its items have waited for a run since " + to_iso8601(since),
      "`cmpost batch run " + batch.name + "`, or `cmpost batch drop` gives it up");
}

}  // namespace

void look_at_batches(Instance& instance, Remarks& findings) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the transactions
  const bool being_made = is_locked(lock_of_batches(instance.settings().instance.state));
  BatchTable table((*reader)->connection());
  const auto batches = table.list({});
  if (!batches) return findings.add(RemarkKind::database, "the ledger", batches.error());
  for (const auto& batch : *batches) {
    const auto not_put = table.count_not_put(batch.id);
    if (!not_put) return findings.add(RemarkKind::database, "the ledger", not_put.error());
    auto remark = remark_about(batch, *not_put, being_made, instance.clock().now());
    if (remark) findings.add(*std::move(remark));
  }
}

}  // namespace cmpost
