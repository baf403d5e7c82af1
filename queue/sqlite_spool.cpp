#include "queue/spool.h"
#include "queue/spool_database.h"
#include "queue/spool_schema.h"
#include "queue/sqlite_queue.h"
#include "store/rows.h"

namespace cmpost {
namespace {

// Rows are appended and removed in their order, and a payload of some 1.5 kB fits a large page
// better than a small one.
constexpr int kPageSize = 8192;

class SqliteSpool final : public Spool {
 public:
  SqliteSpool(std::unique_ptr<SpoolDatabase> database, SpoolSettings settings)
      : settings_(std::move(settings)),
        database_(std::move(database)),
        requests_(*database_, database_->requests()),
        replies_(*database_, database_->replies()) {}

  JobQueue& requests() override { return requests_; }
  JobQueue& replies() override { return replies_; }

  using Spool::exchange;
  Result<void> exchange(const Exchange& exchange,
                        const std::function<bool()>& may_commit) override {
    auto& requests = database_->requests();
    auto& replies = database_->replies();
    bool given_up = false;
    const auto added = database_->write([&]() -> Result<std::size_t> {
      const auto now = database_->now();
      TRY(requests.table.finish(exchange.answered, "answered", now));
      auto inserted = replies.table.insert(exchange.replies, now, {});
      given_up = inserted && !may_commit();
      if (given_up) return retry("given up");
      return inserted;
    });
    if (given_up) return {};
    TRY(added);
    if (*added > 0) replies.signal.work_added();
    return {};
  }

  std::int64_t log_size() override { return database_->log_size(); }
  Result<void> check_place() const override { return database_->check_place(); }

  // What others commit meanwhile would leave the file unsynced, and the long wait to somebody else.
  Result<bool> checkpoint() override {
    constexpr int kTries = 3;
    ASSIGN_OR_RETURN(const auto own,
                     open_database(settings_.url, settings_.base_directory, OpenMode::read_write));
    auto done = own->checkpoint();
    for (int tries = 1; done && !*done && tries < kTries; ++tries) done = own->checkpoint();
    return done;
  }

 private:
  const SpoolSettings settings_;
  const std::unique_ptr<SpoolDatabase> database_;
  SqliteQueue requests_;
  SqliteQueue replies_;
};

Result<std::string> path_of(Connection& connection) {
  return only(connection, "SELECT file FROM pragma_database_list WHERE name = 'main'",
              column<std::string>);
}

}  // namespace

Result<std::unique_ptr<Spool>> open_spool(const SpoolSettings& settings,
                                          const SpoolClocks& clocks) {
  const bool only_reads = settings.mode == OpenMode::read_only;
  ASSIGN_OR_RETURN(auto writer,
                   open_database(settings.url, settings.base_directory, settings.mode, kPageSize));
  if (only_reads) {
    TRY(check_schema(*writer, "spool", spool_migrations()));
  } else {
    TRY(migrate(*writer, "spool", spool_migrations()));
  }
  ASSIGN_OR_RETURN(auto reader,
                   open_database(settings.url, settings.base_directory, OpenMode::read_only));
  ASSIGN_OR_RETURN(const auto path, path_of(*writer));
  auto database = std::make_unique<SpoolDatabase>(std::move(writer), std::move(reader), path,
                                                  settings.lease, settings.scope, clocks);
  if (!only_reads) TRY(database->clean_up());
  return std::make_unique<SqliteSpool>(std::move(database), settings);
}

}  // namespace cmpost
