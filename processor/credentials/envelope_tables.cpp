#include "processor/credentials/envelope_tables.h"

#include <algorithm>

#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kEnvelopeMigrations = {
    {1, R"sql(
CREATE TABLE envelope (
  content_key BLOB PRIMARY KEY,
  envelope BLOB NOT NULL,
  credential TEXT NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE envelope_failure (
  credential TEXT NOT NULL,
  envelope BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (credential, envelope)
) WITHOUT ROWID;
)sql"},
};

namespace {

// Longer than from a decision to its commit.
constexpr auto kUncommitted = std::chrono::minutes(5);
// More than are decided meanwhile.
constexpr std::size_t kMostUses = 1 << 17;
constexpr std::size_t kMostFailures = 1 << 16;

bool is_same(const EnvelopeUse& a, const EnvelopeUse& b) {
  return a.envelope == b.envelope && a.credential == b.credential;
}

}  // namespace

Result<std::optional<EnvelopeUse>> EnvelopeTable::find(const Sha256& content_key) {
  const auto read = [&](Row& row) {
    EnvelopeUse use;
    use.content_key = content_key;
    row.into(use.envelope, use.credential, use.at);
    return use;
  };
  return one(connection_, "SELECT envelope, credential, at FROM envelope WHERE content_key = ?",
             read, content_key);
}

Result<bool> EnvelopeTable::add(const EnvelopeUse& use) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          "INSERT OR IGNORE INTO envelope (content_key, envelope, credential, at) "
                          "VALUES (?, ?, ?, ?)",
                          use.content_key, use.envelope, use.credential, use.at));
  if (changed == 1) return true;
  ASSIGN_OR_RETURN(const auto before, find(use.content_key));
  return before && is_same(*before, use);
}

Result<std::int64_t> EnvelopeTable::failures(std::string_view credential, Time oldest) {
  return only(connection_, "SELECT count(*) FROM envelope_failure WHERE credential = ? AND at > ?",
              column<std::int64_t>, credential, oldest);
}

Result<void> EnvelopeTable::count(const EnvelopeFailure& failure, Time oldest) {
  TRY(change(connection_, "DELETE FROM envelope_failure WHERE credential = ? AND at <= ?",
             failure.credential, oldest));
  TRY(change(connection_,
             "INSERT OR IGNORE INTO envelope_failure (credential, envelope, at) VALUES (?, ?, ?)",
             failure.credential, failure.envelope, failure.at));
  return {};
}

Result<std::int64_t> EnvelopeTable::forget_failures(std::string_view credential) {
  return change(connection_, "DELETE FROM envelope_failure WHERE credential = ?", credential);
}

bool EnvelopeMemory::claim(const EnvelopeUse& use) {
  const MutexLock lock(mutex_);
  const auto [at, added] = uses_.try_emplace(use.content_key, use);
  if (!added) return is_same(at->second, use);
  order_.push_back(use.content_key);
  if (order_.size() > kMostUses) {
    uses_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

void EnvelopeMemory::count(const EnvelopeFailure& failure) {
  const MutexLock lock(mutex_);
  failures_.try_emplace({failure.credential, failure.envelope}, failure.at);
  if (failures_.size() <= kMostFailures) return;
  std::erase_if(failures_,
                [&](const auto& one) { return one.second <= failure.at - kUncommitted; });
  if (failures_.size() > kMostFailures) failures_.clear();  // those in the ledger still count
}

std::int64_t EnvelopeMemory::failures(const std::string& credential, Time now) const {
  const MutexLock lock(mutex_);
  std::int64_t count = 0;
  for (auto at = failures_.lower_bound({credential, Sha256{}});
       at != failures_.end() && at->first.first == credential; ++at) {
    count += at->second > now - kUncommitted ? 1 : 0;
  }
  return count;
}

}  // namespace cmpost
