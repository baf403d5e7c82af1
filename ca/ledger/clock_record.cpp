#include "ca/ledger/clock_record.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "ca/ledger/ledger_rows.h"

namespace cmpost {
namespace {

// How old what the ledger remembers may get while nothing changes.
constexpr Duration kRememberEvery = std::chrono::minutes(10);

Result<std::optional<Time>> newest_crl_time(Connection& ledger) {
  return one(ledger, "SELECT this_update FROM crl ORDER BY number DESC LIMIT 1", column<Time>);
}

ClockReading next_reading(Row& row) {
  ClockReading reading{};
  row.into(reading.wall, reading.since_boot, reading.boot);
  return reading;
}

Result<ClockState> read_state(Row& row) {
  ClockState state{next_reading(row), ClockDoubt::none, {}};
  const auto text = row.next<std::string>();
  const auto doubt = clock_doubt(text);
  const auto wall = row.next<std::optional<Time>>();
  const auto [since_boot, boot] = columns<Time, std::string>(row);
  const bool believed = doubt == ClockDoubt::none;
  if (!doubt || (!believed && !wall)) {
    return hold("the ledger has an unknown doubt of the clock: " + printable(text),
                "restore the ledger from a backup");
  }
  if (!believed) {
    state.doubt = *doubt;
    state.first = ClockReading{*wall, since_boot, boot, false};
  }
  return state;
}

Result<std::optional<ClockState>> read_remembered(Connection& ledger) {
  return one(ledger,
             "SELECT accepted, since_boot, boot, doubt, first_wall, first_since_boot, first_boot "
             "FROM clock",
             read_state);
}

Result<void> write_remembered(Connection& ledger, const ClockState& state) {
  const auto& [accepted, doubt, first] = state;
  TRY(change(ledger, "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?, ?)", accepted.wall,
             accepted.since_boot, accepted.boot, to_string(doubt),
             first ? std::optional(first->wall) : std::nullopt,
             first ? std::optional(first->since_boot) : std::nullopt,
             first ? std::optional(std::string_view(first->boot)) : std::nullopt));
  return {};
}

// What changed with a look.
struct Change {
  std::string event;  // empty: nothing
  std::string why;
};

Change change_of(const ClockState& before, const ClockState& after, const ClockReading& now,
                 const ClockRules& rules) {
  if (after.doubt != ClockDoubt::none) {
    return before.doubt == after.doubt
               ? Change{}
               : Change{"clock.doubted", std::string(to_string(after.doubt))};
  }
  // Nobody may have looked while it was wrong.
  if (doubt_of(before.accepted, now, rules) == ClockDoubt::none) {
    return before.doubt == ClockDoubt::none ? Change{}
                                            : Change{"clock.accepted", "it is right again"};
  }
  return {"clock.accepted", now.synchronized ? "it is synchronized" : "it went on for long enough"};
}

std::string detail_of(const Change& change, const ClockState& before, const ClockReading& now,
                      const ClockRules& rules) {
  return nlohmann::json({{"why", change.why},
                         {"clock", to_iso8601(now.wall)},
                         {"accepted", to_iso8601(sure_time(before, now, rules))}})
      .dump();
}

void tell(const Change& change, const ClockState& before, const ClockReading& now,
          const ClockRules& rules) {
  const auto level = change.event == "clock.doubted" ? log::Level::error : log::Level::warning;
  log::write(level, change.event,
             {{"why", change.why},
              {"clock", to_iso8601(now.wall)},
              {"accepted", to_iso8601(sure_time(before, now, rules))},
              {"hint", "see `cmpost clock`"}});
}

bool worth_remembering(const ClockState& before, const ClockState& after) {
  return after.doubt != before.doubt || after.accepted.boot != before.accepted.boot ||
         (after.first && before.first && after.first->wall != before.first->wall) ||
         after.accepted.wall - before.accepted.wall >= kRememberEvery ||
         after.accepted.wall < before.accepted.wall;
}

// Of a time that has not come: whoever wrote it had another clock.
Result<bool> is_record_ahead(Connection& ledger, const ClockReading& now, const ClockRules& rules) {
  ASSIGN_OR_RETURN(const auto newest, newest_record(ledger));
  return newest && *newest > now.wall + rules.tolerance;
}

struct Look {
  ClockState before, after;
  Change change;
  bool remember = false;
};

Result<Look> look(Connection& ledger, const ClockReading& now, const ClockRules& rules) {
  ASSIGN_OR_RETURN(const auto remembered, read_remembered(ledger));
  ASSIGN_OR_RETURN(const auto known, read_clock(ledger));
  Look look;
  look.before = known.value_or(ClockState{now, ClockDoubt::none, {}});
  look.after = judge(look.before, now, rules);
  look.change = change_of(look.before, look.after, now, rules);
  if (look.change.event.empty() && look.after.doubt == ClockDoubt::none) {
    ASSIGN_OR_RETURN(const bool ahead, is_record_ahead(ledger, now, rules));
    if (ahead) look.change = {"clock.accepted", "it was ahead, and is right again"};
  }
  look.remember =
      !remembered || !look.change.event.empty() || worth_remembering(look.before, look.after);
  return look;
}

}  // namespace

const std::vector<Migration>& clock_migrations() {
  static const std::vector<Migration> migrations = {
      // One row: what was believed last, and when by the clock that counts since the start of the
      // machine; of a time that is in doubt the same of its first reading.
      {1,
       "CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), accepted INTEGER NOT NULL, "
       "since_boot INTEGER NOT NULL, boot TEXT NOT NULL, doubt TEXT NOT NULL, first_wall INTEGER, "
       "first_since_boot INTEGER, first_boot TEXT)"},
  };
  return migrations;
}

Result<std::optional<Time>> newest_record(Connection& ledger) {
  return one(ledger, "SELECT time FROM audit ORDER BY id DESC LIMIT 1", column<Time>);
}

Result<std::optional<ClockState>> read_clock(Connection& ledger) {
  ASSIGN_OR_RETURN(auto remembered, read_remembered(ledger));
  if (remembered) return remembered;
  ASSIGN_OR_RETURN(const auto record, newest_record(ledger));
  ASSIGN_OR_RETURN(const auto crl, newest_crl_time(ledger));
  if (!record && !crl) return std::nullopt;
  return ClockState{
      {std::max(record.value_or(Time::min()), crl.value_or(Time::min())), {}, {}, false},
      ClockDoubt::none,
      {}};
}

Result<void> look_at_clock(Ledger& ledger, WatchedClock& clock) {
  const auto now = clock.read();
  const auto& rules = clock.rules();
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  ASSIGN_OR_RETURN(auto seen, look(reader->connection(), now, rules));
  if (seen.remember) {
    TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(seen, look(writer.connection(), now, rules));
      TRY(write_remembered(writer.connection(), seen.after));
      if (seen.change.event.empty()) return {};
      return writer.audit(seen.change.event, detail_of(seen.change, seen.before, now, rules));
    }));
  }
  // A process that begins while the clock is in doubt says so, too.
  const bool is_new = clock.state().doubt != seen.after.doubt;
  clock.remember(seen.after);
  if (seen.change.event.empty() && is_new && seen.after.doubt != ClockDoubt::none) {
    seen.change = {"clock.doubted", std::string(to_string(seen.after.doubt))};
  }
  if (!seen.change.event.empty()) tell(seen.change, seen.before, now, rules);
  return {};
}

Result<void> confirm_clock(Ledger& ledger, WatchedClock& clock, const nlohmann::json& who) {
  const auto now = clock.read();
  const ClockState state{now, ClockDoubt::none, {}};
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(const auto before, look(writer.connection(), now, clock.rules()));
    TRY(write_remembered(writer.connection(), state));
    nlohmann::json detail = {{"clock", to_iso8601(now.wall)},
                             {"accepted", to_iso8601(sure_time(before.before, now, clock.rules()))},
                             {"doubt", to_string(before.after.doubt)}};
    detail.update(who);
    return writer.audit("clock.confirmed", detail.dump());
  }));
  clock.remember(state);
  return {};
}

}  // namespace cmpost
