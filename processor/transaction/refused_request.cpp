#include "processor/transaction/refused_request.h"

#include <algorithm>
#include <array>

#include "processor/transaction/run_of_channel.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 7> kStages = {
    "channel", "encoding", "header", "sender", "credential", "transaction", "body"};

Milestone stage_of(std::string_view text) {
  const auto found = std::ranges::find(kStages, text);
  return static_cast<Milestone>(
      std::min<std::ptrdiff_t>(found - kStages.begin(), kStages.size() - 1));
}

}  // namespace

std::string_view to_string(Milestone stage) { return kStages[static_cast<std::size_t>(stage)]; }

RefusedRequest read_refused(Row& row) {
  RefusedRequest refused;
  row.into(refused.id, refused.at, refused.channel, refused.job, refused.source,
           refused.transactionID, refused.body, refused.requester, refused.known, refused.subject,
           refused.serial);
  refused.stage = stage_of(row.next<std::string_view>());
  row.into(refused.failInfo, refused.reason, refused.note, refused.reply_body, refused.digest);
  return refused;
}

// A run counts what it cannot list.
Result<void> RefusalTable::make_room(const RefusedRequest& refused, std::int64_t last) {
  TRY(change(connection_,
             "INSERT INTO run_unlisted SELECT run, count(*) FROM refused WHERE channel = ? AND "
             "known = ? AND number <= ? AND run <> 0 GROUP BY run ON CONFLICT (run) DO UPDATE "
             "SET refused = refused + excluded.refused",
             refused.channel, refused.known, last));
  TRY(change(connection_, "DELETE FROM refused WHERE channel = ? AND known = ? AND number <= ?",
             refused.channel, refused.known, last));
  return {};
}

Result<void> RefusalTable::add(const RefusedRequest& refused) {
  ASSIGN_OR_RETURN(
      const auto number,
      only(connection_,
           "SELECT ifnull(max(number), 0) + 1 FROM refused WHERE channel = ? AND known = ?",
           column<std::int64_t>, refused.channel, refused.known));
  if (number > kMostKept) TRY(make_room(refused, number - kMostKept));
  TRY(change(
      connection_,
      "INSERT OR REPLACE INTO refused (number, at, channel, job, source, tid, body, "
      "requester, known, subject, serial, stage, fail_info, reason, note, reply_body, "
      "digest, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " RUN_OF_CHANNEL ")",
      number, refused.at, refused.channel, refused.job, refused.source, refused.transactionID,
      refused.body, refused.requester, refused.known, refused.subject, refused.serial,
      to_string(refused.stage), refused.failInfo, refused.reason, refused.note, refused.reply_body,
      refused.digest, refused.channel));
  return {};
}

Result<std::optional<RefusedRequest>> RefusalTable::find(std::int64_t id) {
  static const auto kSql = "SELECT " + std::string(kRefusedColumns) + " FROM refused WHERE id = ?";
  return one(connection_, kSql, read_refused, id);
}

Result<std::optional<Time>> RefusalTable::oldest() {
  return only(connection_, "SELECT min(at) FROM refused", column<std::optional<Time>>);
}

Result<std::int64_t> RefusalTable::forget(Time before) {
  return change(connection_, "DELETE FROM refused WHERE at < ?", before);
}

}  // namespace cmpost
