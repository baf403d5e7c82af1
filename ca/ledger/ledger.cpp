#include "ca/ledger/ledger.h"

#include "base/mutex.h"
#include "ca/ledger/ledger_schema.h"

namespace cmpost {
namespace {

// A message with its answer has two or three thousand octets: several fit on a page.
constexpr int kPageSize = 8192;

}  // namespace

struct Ledger::State {
  std::string url;
  std::string base_directory;
  const Clock& clock;
  Mutex mutex;
  const std::unique_ptr<Connection> connection PT_GUARDED_BY(mutex);
};

Ledger::Ledger(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& url,
                                             const std::string& base_directory, const Clock& clock,
                                             const std::vector<Schema>& more, OpenMode mode) {
  ASSIGN_OR_RETURN(auto connection, open_database(url, base_directory, mode, kPageSize));
  TRY(migrate(*connection, "ledger", ledger_migrations()));
  for (const Schema& schema : more) TRY(migrate(*connection, schema.name, schema.migrations));
  std::unique_ptr<State> state(new State{url, base_directory, clock, {}, std::move(connection)});
  return std::unique_ptr<Ledger>(new Ledger(std::move(state)));
}

Result<std::unique_ptr<LedgerReader>> Ledger::look_into(const std::string& url,
                                                        const std::string& base_directory,
                                                        const std::vector<Schema>& more) {
  ASSIGN_OR_RETURN(auto connection, open_database(url, base_directory, OpenMode::read_only));
  TRY(check_schema(*connection, "ledger", ledger_migrations()));
  for (const Schema& schema : more) TRY(check_schema(*connection, schema.name, schema.migrations));
  return std::make_unique<LedgerReader>(std::move(connection));
}

Result<std::unique_ptr<LedgerReader>> Ledger::reader() const {
  ASSIGN_OR_RETURN(auto connection,
                   open_database(state_->url, state_->base_directory, OpenMode::read_only));
  return std::make_unique<LedgerReader>(std::move(connection));
}

Result<void> Ledger::write(const std::function<Result<void>(LedgerWriter&)>& work) {
  const MutexLock lock(state_->mutex);
  Connection& connection = *state_->connection;
  TRY(connection.begin());
  LedgerWriter writer(connection, state_->clock);
  if (auto done = work(writer); !done) {
    connection.rollback();
    return done;
  }
  return connection.commit();
}

// Connection lets any thread ask.
Result<void> Ledger::check_place() const NEEDS_NO_MUTEX {
  return state_->connection->check_place();
}

std::int64_t Ledger::log_size() const {
  const MutexLock lock(state_->mutex);
  return state_->connection->log_size();
}

Result<bool> Ledger::checkpoint() {
  const MutexLock lock(state_->mutex);
  return state_->connection->checkpoint();
}

Result<std::optional<std::int64_t>> Ledger::verify_audit() {
  ASSIGN_OR_RETURN(const auto own, reader());
  return cmpost::verify_audit(own->connection());
}

}  // namespace cmpost
