// Runs in the ledger: what has been started by which name, whether it is under way, and how it has
// ended. A run has its channels as long as it is under way, also while no process works on it: what
// is answered on them belongs to it (run_of_channel.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "report/run_report.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kRunMigrations;

struct RunRow {
  std::int64_t number = 0;  // of the row, from 1 on
  std::string name;
  std::vector<std::string> channels;
  std::optional<Time> planned;  // by the schedule
  Time started{};
  std::optional<Time> ended;              // nullopt: under way
  RunEnd end = RunEnd::done;              // of one that has ended
  std::int64_t resumed = 0;               // how often it has gone on after its process had died
  std::string who;                        // the account, or "schedule"
  std::optional<std::int64_t> continues;  // the stopped one that it goes on with
  std::int64_t first_audit = 0;           // the first record that is written in it
  std::string facts;                      // JSON (stored_facts.h); empty: not ended, or no report
  Bytes signature;                        // over SHA256SUMS of the report; empty: not made yet
  Bytes sums;                             // the SHA-256 of that; empty: not known
  std::optional<Time> reported;           // since when the report is where it belongs
  std::int64_t first_certificate = 0;     // the last row of a certificate before it
};

// The file that is locked while a run is at work (base/file_lock.h). `state`: of the instance.
inline std::string lock_of_runs(const std::string& state) { return state + "/run.lock"; }

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class RunTable {
 public:
  explicit RunTable(Connection& connection) : connection_(connection) {}

  // `run` without number and end; its number.
  Result<std::int64_t> begin(const RunRow& run);
  // It goes on in another process. False: it is not under way.
  Result<bool> resume(std::int64_t number);
  // Its channels are free; what has become of it is in `facts`. False: it was not under way.
  Result<bool> end(std::int64_t number, RunEnd end, Time at, std::string_view facts);
  // Of the report: `sums` is the SHA-256 of its SHA256SUMS.
  Result<void> sign(std::int64_t number, ByteView signature, ByteView sums);
  Result<void> note_reported(std::int64_t number, Time at);

  // Since when somebody looks for the times of a run that the settings have: Time::max() when it
  // has not been told by know(), or by begin(); the first time counts. Names that are not among
  // those that the settings have are forgotten.
  Result<Time> known_since(std::string_view name);
  Result<void> know(std::string_view name, Time now);
  Result<void> forget_others(const std::vector<std::string>& names);

  Result<std::optional<RunRow>> find(std::int64_t number);
  Result<std::optional<RunRow>> newest(std::string_view name);
  Result<std::vector<RunRow>> under_way();
  // Those that have ended and whose report is not where it belongs, the oldest first.
  Result<std::vector<RunRow>> unreported(std::string_view name);
  // Which one goes on with this stopped one; nullopt: none yet.
  Result<std::optional<std::int64_t>> continued_by(std::int64_t number);
  // The newest first, of all names when it is empty.
  Result<std::vector<RunRow>> list(std::string_view name, std::size_t limit);

  // How far it is, for rules that stop it and for who looks on; counts from `seen` on, and moves
  // it.
  struct Progress {
    std::int64_t last_message = 0, last_refused = 0, last_certificate = 0;
    std::uint64_t items = 0, refused = 0, issued = 0;  // issued: certificates
  };
  Result<void> look(std::int64_t number, Progress& seen);

 private:
  Connection& connection_;
};

}  // namespace cmpost
