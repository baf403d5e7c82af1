#include "app/looking/clock_notes.h"

#include "app/terminal/output.h"
#include "ca/ledger/clock_record.h"

namespace cmpost {
namespace {

constexpr const char* kWaits =
    ". Until it is believed, what cannot be taken back (revoking what was not confirmed, ending "
    "what waits, forgetting messages and files, the dates of CRLs) goes by ";

std::string confirm_hint(const std::string& otherwise) {
  return "; put the clock right, or say by `cmpost clock confirm` that it is" + otherwise;
}

ClockNote doubt_note(const ClockState& state, const ClockReading& now, const ClockRules& rules) {
  const auto sure = sure_time(state, now, rules);
  const auto wall = to_iso8601(now.wall), believed = to_iso8601(sure);
  const auto trial = "; it is believed when it has gone on for " + in_words(rules.trial);
  switch (state.doubt) {
    case ClockDoubt::ahead:
      return {"the clock is ahead: it says " + wall + ", and by the time that has passed it is " +
                  believed + kWaits + believed +
                  confirm_hint(is_small_step(state.accepted, now, rules) ? trial : ""),
              true};
    case ClockDoubt::behind:
      return {"the clock is behind: it says " + wall + ", and it has been " + believed +
                  " already. Certificates are dated too early" + kWaits + believed +
                  confirm_hint(""),
              true};
    case ClockDoubt::long_off:
      return {"the clock says " + wall + ", and it was last believed " + in_words(now.wall - sure) +
                  " earlier, before this machine was started" + kWaits + believed +
                  confirm_hint("; `usual_off` in [clock] is how long it may be off unasked"),
              false};
    case ClockDoubt::none:
      break;
  }
  return {};
}

Result<void> add_records_ahead(LedgerReader& reader, Time now, const ClockRules& rules,
                               std::vector<ClockNote>& notes) {
  ASSIGN_OR_RETURN(const auto record, newest_record(reader.connection()));
  if (record && *record > now + rules.tolerance) {
    notes.push_back({"the newest audit record is of " + to_iso8601(*record) +
                         ", and the clock says " + to_iso8601(now) +
                         ": it was ahead when that was written, or is behind now; `cmpost run` or "
                         "the service notes that it has looked",
                     false});
  }
  return {};
}

Result<void> add_before_the_ca(Instance& instance, Time now, const ClockRules& rules,
                               std::vector<ClockNote>& notes) {
  if (!instance.is_ca()) return {};
  ASSIGN_OR_RETURN(const auto certificate, instance.ca_certificate());
  const auto begin = certificate.not_before();
  if (now >= begin - rules.tolerance) return {};
  notes.push_back({"the clock says " + to_iso8601(now) + ", and the CA certificate begins at " +
                       to_iso8601(begin) +
                       ": nothing is issued, and requests wait; put the clock right",
                   true});
  return {};
}

}  // namespace

Result<std::vector<ClockNote>> find_clock_notes(Instance& instance) {
  std::vector<ClockNote> notes;
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(const auto known, read_clock(reader->connection()));
  auto& clock = instance.watched_clock();
  const auto& rules = clock.rules();
  const auto now = clock.read();
  const auto state = judge(known.value_or(ClockState{now, ClockDoubt::none, {}}), now, rules);
  clock.remember(state);
  if (state.doubt != ClockDoubt::none) {
    notes.push_back(doubt_note(state, now, rules));
  } else {
    TRY(add_records_ahead(*reader, now.wall, rules, notes));
  }
  TRY(add_before_the_ca(instance, now.wall, rules, notes));
  return notes;
}

}  // namespace cmpost
