#include "processor/transaction/refused_request.h"

#include <algorithm>
#include <array>

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

RefusedRequest read_refused(const Statement& row) {
  RefusedRequest refused;
  refused.id = row.integer(0);
  refused.at = from_unix_micros(row.integer(1));
  refused.channel = row.text(2);
  refused.job = to_bytes(row.blob(3));
  refused.source = row.text(4);
  refused.transactionID = to_bytes(row.blob(5));
  refused.body = row.text(6);
  refused.requester = row.text(7);
  refused.known = row.integer(8) != 0;
  refused.subject = row.text(9);
  refused.serial = row.text(10);
  refused.stage = stage_of(row.text(11));
  refused.failInfo = row.text(12);
  refused.reason = row.text(13);
  refused.note = row.text(14);
  refused.reply_body = row.text(15);
  const auto digest = row.blob(16);
  std::copy_n(digest.begin(), std::min(digest.size(), refused.digest.size()),
              refused.digest.begin());
  return refused;
}

Result<void> RefusalTable::add(const RefusedRequest& refused) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT ifnull(max(number), 0) + 1 FROM refused WHERE "
                                         "channel = ? AND known = ?"));
  rows->bind(1, std::string_view(refused.channel));
  rows->bind(2, static_cast<std::int64_t>(refused.known));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  const auto number = found ? rows->integer(0) : 1;
  rows->reset();
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM refused WHERE channel = ? AND known = ? AND "
                                         "number <= ?"));
  removal->bind(1, std::string_view(refused.channel));
  removal->bind(2, static_cast<std::int64_t>(refused.known));
  removal->bind(3, number - kMostKept);
  TRY(removal->execute());
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement(
          "INSERT OR REPLACE INTO refused (number, at, channel, job, source, tid, body, "
          "requester, known, subject, serial, stage, fail_info, reason, note, "
          "reply_body, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
          "?, ?, ?)"));
  int column = 0;
  insert->bind(++column, number);
  insert->bind(++column, to_unix_micros(refused.at));
  insert->bind(++column, std::string_view(refused.channel));
  insert->bind(++column, ByteView(refused.job));
  insert->bind(++column, std::string_view(refused.source));
  insert->bind(++column, ByteView(refused.transactionID));
  insert->bind(++column, std::string_view(refused.body));
  insert->bind(++column, std::string_view(refused.requester));
  insert->bind(++column, static_cast<std::int64_t>(refused.known));
  for (const auto* text : {&refused.subject, &refused.serial}) {
    insert->bind(++column, std::string_view(*text));
  }
  insert->bind(++column, to_string(refused.stage));
  for (const auto* text :
       {&refused.failInfo, &refused.reason, &refused.note, &refused.reply_body}) {
    insert->bind(++column, std::string_view(*text));
  }
  insert->bind(++column, ByteView(refused.digest));
  TRY(insert->execute());
  return {};
}

Result<std::optional<RefusedRequest>> RefusalTable::find(std::int64_t id) {
  static const auto kSql = "SELECT " + std::string(kRefusedColumns) + " FROM refused WHERE id = ?";
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, id);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto refused = read_refused(*rows);
  rows->reset();
  return refused;
}

Result<std::optional<Time>> RefusalTable::oldest() {
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement("SELECT min(at) FROM refused"));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  std::optional<Time> oldest;
  if (found && !rows->is_null(0)) oldest = from_unix_micros(rows->integer(0));
  rows->reset();
  return oldest;
}

Result<std::int64_t> RefusalTable::forget(Time before) {
  ASSIGN_OR_RETURN(auto* const removal, connection_.statement("DELETE FROM refused WHERE at < ?"));
  removal->bind(1, to_unix_micros(before));
  return removal->execute();
}

}  // namespace cmpost
