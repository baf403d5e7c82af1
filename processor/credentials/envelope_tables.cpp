#include "processor/credentials/envelope_tables.h"

#include <algorithm>
#include <cstring>

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

Sha256 digest_in(ByteView blob) {
  Sha256 digest{};
  if (blob.size() == digest.size()) std::memcpy(digest.data(), blob.data(), blob.size());
  return digest;
}

bool is_same(const EnvelopeUse& a, const EnvelopeUse& b) {
  return a.envelope == b.envelope && a.credential == b.credential;
}

}  // namespace

Result<std::optional<EnvelopeUse>> EnvelopeTable::find(const Sha256& content_key) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT envelope, credential, at FROM envelope WHERE content_key = ?"));
  rows->bind(1, ByteView(content_key));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  EnvelopeUse use{content_key, digest_in(rows->blob(0)), std::string(rows->text(1)),
                  from_unix_micros(rows->integer(2))};
  rows->reset();
  return use;
}

Result<bool> EnvelopeTable::add(const EnvelopeUse& use) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT OR IGNORE INTO envelope (content_key, envelope, "
                                         "credential, at) VALUES (?, ?, ?, ?)"));
  insert->bind(1, ByteView(use.content_key));
  insert->bind(2, ByteView(use.envelope));
  insert->bind(3, std::string_view(use.credential));
  insert->bind(4, to_unix_micros(use.at));
  ASSIGN_OR_RETURN(const auto changed, insert->execute());
  if (changed == 1) return true;
  ASSIGN_OR_RETURN(const auto before, find(use.content_key));
  return before && is_same(*before, use);
}

Result<std::int64_t> EnvelopeTable::failures(std::string_view credential, Time oldest) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT count(*) FROM envelope_failure WHERE credential = "
                                         "? AND at > ?"));
  rows->bind(1, credential);
  rows->bind(2, to_unix_micros(oldest));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  const auto count = found ? rows->integer(0) : 0;
  rows->reset();
  return count;
}

Result<void> EnvelopeTable::count(const EnvelopeFailure& failure, Time oldest) {
  ASSIGN_OR_RETURN(
      auto* const removal,
      connection_.statement("DELETE FROM envelope_failure WHERE credential = ? AND at <= ?"));
  removal->bind(1, std::string_view(failure.credential));
  removal->bind(2, to_unix_micros(oldest));
  TRY(removal->execute());
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT OR IGNORE INTO envelope_failure (credential, "
                                         "envelope, at) VALUES (?, ?, ?)"));
  insert->bind(1, std::string_view(failure.credential));
  insert->bind(2, ByteView(failure.envelope));
  insert->bind(3, to_unix_micros(failure.at));
  TRY(insert->execute());
  return {};
}

Result<std::int64_t> EnvelopeTable::forget_failures(std::string_view credential) {
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM envelope_failure WHERE credential = ?"));
  removal->bind(1, credential);
  ASSIGN_OR_RETURN(const auto changed, removal->execute());
  return changed;
}

bool EnvelopeMemory::claim(const EnvelopeUse& use) {
  const std::lock_guard lock(mutex_);
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
  const std::lock_guard lock(mutex_);
  failures_.try_emplace({failure.credential, failure.envelope}, failure.at);
  if (failures_.size() <= kMostFailures) return;
  std::erase_if(failures_,
                [&](const auto& one) { return one.second <= failure.at - kUncommitted; });
  if (failures_.size() > kMostFailures) failures_.clear();  // those in the ledger still count
}

std::int64_t EnvelopeMemory::failures(const std::string& credential, Time now) const {
  const std::lock_guard lock(mutex_);
  std::int64_t count = 0;
  for (auto at = failures_.lower_bound({credential, Sha256{}});
       at != failures_.end() && at->first.first == credential; ++at) {
    count += at->second > now - kUncommitted ? 1 : 0;
  }
  return count;
}

}  // namespace cmpost
