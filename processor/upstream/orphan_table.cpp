#include "processor/upstream/orphan_table.h"

#include <algorithm>
#include <array>

#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::array kOrphanStates = {OrphanState::open, OrphanState::wanted, OrphanState::asked,
                                      OrphanState::revoked, OrphanState::kept};
constexpr std::string_view kSelectOrphans =
    "SELECT id, tx, tid, channel, der, serial, issuer, subject, why, since, state, refusal, note "
    "FROM orphan ";

std::string select_orphans(std::string_view rest) {
  return std::string(kSelectOrphans) + std::string(rest);
}

Result<Orphan> read_orphan(Row& row) {
  Orphan orphan;
  row.into(orphan.id, orphan.transaction, orphan.transactionID, orphan.channel, orphan.der,
           orphan.serial, orphan.issuer, orphan.subject, orphan.why, orphan.since);
  const auto text = row.next<std::string_view>();
  const auto state =
      std::ranges::find(kOrphanStates, text, [](auto one) { return to_string(one); });
  row.into(orphan.refusal, orphan.note);
  if (state == kOrphanStates.end()) {
    return hold("the ledger has a certificate of nobody in an unknown state",
                "use the version that has written it");
  }
  orphan.state = *state;
  return orphan;
}

}  // namespace

std::string_view to_string(OrphanState state) {
  switch (state) {
    case OrphanState::open:
      return "open";
    case OrphanState::wanted:
      return "wanted";
    case OrphanState::asked:
      return "asked";
    case OrphanState::revoked:
      return "revoked";
    default:
      return "kept";
  }
}

Result<void> OrphanTable::add(const Orphan& orphan) {
  TRY(cmpost::change(
      connection_,
      "INSERT INTO orphan (tx, tid, channel, der, serial, issuer, subject, why, since, state, "
      "refusal, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'', ?) ON CONFLICT DO NOTHING",
      orphan.transaction, orphan.transactionID, orphan.channel, orphan.der, orphan.serial,
      orphan.issuer, orphan.subject, orphan.why, orphan.since, to_string(orphan.state),
      orphan.note));
  return {};
}

Result<bool> OrphanTable::change(const OrphanChange& change) {
  ASSIGN_OR_RETURN(const auto present, find(change.id));
  if (!present || std::ranges::find(change.from, present->state) == change.from.end()) {
    return false;
  }
  TRY(cmpost::change(connection_, "UPDATE orphan SET state = ?, refusal = ?, note = ? WHERE id = ?",
                     to_string(change.to), change.refusal, change.note, change.id));
  return true;
}

Result<std::optional<Orphan>> OrphanTable::find(std::int64_t id) {
  return one(connection_, select_orphans("WHERE id = ?"), read_orphan, id);
}

Result<std::optional<Orphan>> OrphanTable::of_refusal(ByteView transactionID) {
  return one(connection_, select_orphans("WHERE state = 'asked' AND refusal = ?"), read_orphan,
             transactionID);
}

Result<std::vector<Orphan>> OrphanTable::in_state(OrphanState state) {
  return cmpost::all(connection_, select_orphans("WHERE state = ? ORDER BY id"), read_orphan,
                     to_string(state));
}

Result<std::vector<Orphan>> OrphanTable::all() {
  return cmpost::all(connection_, select_orphans("ORDER BY id"), read_orphan);
}

}  // namespace cmpost
