#include "queue/id_index.h"

#include <algorithm>
#include <vector>

#include "queue/job_row.h"
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
  ASSIGN_OR_RETURN(const auto settled, only(connection_, "SELECT settled FROM queue WHERE name = ?",
                                            column<std::int64_t>, table_));
  if (settled > settled_) {
    std::erase_if(newest_, [settled](const auto& entry) { return entry.second <= settled; });
    settled_ = settled;
    known_ = std::max(known_, settled);
  }
  return load_newer();
}

Result<void> IdIndex::load_newer() {
  const auto load = [this](Row& row) {
    const auto seq = row.next<std::int64_t>();
    add(next_id(row), seq);
  };
  return each(connection_, for_table("SELECT seq, id FROM $ WHERE seq > ? ORDER BY seq", table_),
              load, known_);
}

void IdIndex::add(const JobId& id, std::int64_t seq) {
  newest_.emplace(id, seq);
  known_ = seq;
}

Result<std::optional<std::int64_t>> IdIndex::find(const JobId& id) {
  if (const auto found = newest_.find(id); found != newest_.end()) return found->second;
  return one(connection_, find_, column<std::int64_t>, prefix_of(id), id.octets);
}

Result<void> IdIndex::settle(When when) {
  if (newest_.empty() || (when == When::many && newest_.size() < kMany)) return {};
  std::vector<Entry> entries;
  entries.reserve(newest_.size());
  for (const auto& [id, seq] : newest_) entries.push_back({id, seq});
  TRY(sweep("INSERT INTO $_id VALUES (?, ?)", entries));
  TRY(change(connection_, "UPDATE queue SET settled = ? WHERE name = ?", known_, table_));
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
  const auto whole = for_table(sql, table_);
  for (const auto& entry : sorted) TRY(change(connection_, whole, entry));
  return {};
}

void IdIndex::clear() {
  newest_.clear();
  settled_ = known_ = 0;
}

}  // namespace cmpost
