#include "queue/id_index.h"

#include <algorithm>
#include <vector>

#include "queue/spool_schema.h"

namespace cmpost {
namespace {

constexpr std::size_t kMany = 32'000;

std::int64_t prefix_of(const JobId& id) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) prefix = prefix << 8 | id.octets[i];
  return static_cast<std::int64_t>(prefix);
}

}  // namespace

IdIndex::IdIndex(Connection& connection, std::string table)
    : connection_(connection),
      table_(std::move(table)),
      find_(for_table("SELECT $.seq FROM $_id CROSS JOIN $ USING (seq) WHERE prefix = ? AND id = ?",
                      table_)) {}

Result<void> IdIndex::refresh() {
  ASSIGN_OR_RETURN(auto* const query,
                   connection_.statement("SELECT settled FROM queue WHERE name = ?"));
  query->bind(1, table_);
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto settled = query->integer(0);
  query->reset();
  if (settled > settled_) {
    std::erase_if(newest_, [settled](const auto& entry) { return entry.second <= settled; });
    settled_ = settled;
    known_ = std::max(known_, settled);
  }
  return load_newer();
}

Result<void> IdIndex::load_newer() {
  ASSIGN_OR_RETURN(
      auto* const query,
      connection_.statement(for_table("SELECT seq, id FROM $ WHERE seq > ? ORDER BY seq", table_)));
  query->bind(1, known_);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, query->step());
    if (!row) break;
    JobId id;
    const auto octets = query->blob(1);
    CHECK(octets.size() == id.octets.size());
    std::copy(octets.begin(), octets.end(), id.octets.begin());
    add(id, query->integer(0));
  }
  query->reset();
  return {};
}

void IdIndex::add(const JobId& id, std::int64_t seq) {
  newest_.emplace(id, seq);
  known_ = seq;
}

Result<std::optional<std::int64_t>> IdIndex::find(const JobId& id) {
  if (const auto found = newest_.find(id); found != newest_.end()) return found->second;
  ASSIGN_OR_RETURN(auto* const query, connection_.statement(find_));
  query->bind(1, prefix_of(id));
  query->bind(2, ByteView(id.octets));
  ASSIGN_OR_RETURN(const bool row, query->step());
  const auto seq = row ? std::optional(query->integer(0)) : std::nullopt;
  query->reset();
  return seq;
}

Result<void> IdIndex::settle(When when) {
  if (newest_.empty() || (when == When::many && newest_.size() < kMany)) return {};
  std::vector<Entry> entries;
  entries.reserve(newest_.size());
  for (const auto& [id, seq] : newest_) entries.push_back({id, seq});
  TRY(sweep("INSERT INTO $_id VALUES (?, ?)", entries));
  ASSIGN_OR_RETURN(auto* const update,
                   connection_.statement("UPDATE queue SET settled = ? WHERE name = ?"));
  update->bind(1, known_);
  update->bind(2, table_);
  TRY(update->execute());
  settled_ = known_;
  newest_.clear();
  return {};
}

Result<void> IdIndex::remove(const std::vector<Entry>& entries) {
  return sweep("DELETE FROM $_id WHERE prefix = ? AND seq = ?", entries);
}

Result<void> IdIndex::sweep(std::string_view sql, const std::vector<Entry>& entries) {
  std::vector<std::pair<std::int64_t, std::int64_t>> sorted;
  sorted.reserve(entries.size());
  for (const auto& [id, seq] : entries) sorted.emplace_back(prefix_of(id), seq);
  std::sort(sorted.begin(), sorted.end());
  ASSIGN_OR_RETURN(auto* const statement, connection_.statement(for_table(sql, table_)));
  for (const auto& [prefix, seq] : sorted) {
    statement->bind(1, prefix);
    statement->bind(2, seq);
    TRY(statement->execute());
  }
  return {};
}

void IdIndex::clear() {
  newest_.clear();
  settled_ = known_ = 0;
}

}  // namespace cmpost
