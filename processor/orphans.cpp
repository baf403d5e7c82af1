#include "processor/orphans.h"

#include "base/log.h"
#include "processor/transaction/effects.h"
#include "processor/upstream/orphan_table.h"

namespace cmpost {
namespace {

Effects left_to_people(const Orphan& orphan, const std::string& why) {
  log::error(
      "upstream.not_refused",
      {{"tid", to_hex(orphan.transactionID)}, {"serial", to_hex(orphan.serial)}, {"answer", why}});
  Effects effects;
  effects.orphan_changes.push_back(
      {.id = orphan.id, .from = {OrphanState::wanted}, .to = OrphanState::open, .note = why});
  return effects;
}

Result<void> revoke(const Orphan& orphan, LedgerReader& reader, Ledger& ledger,
                    const ProcessorServices& services) {
  TokenLog tokens;
  Services ours{services.identity, reader, services.sealing_key, services.random, tokens};
  const auto now = services.likely.now();
  ASSIGN_OR_RETURN(auto asked, apart(services.role.revoke(orphan, now, ours)));
  const auto effects = asked ? std::move(*asked) : left_to_people(orphan, asked.error().text);
  // Where somebody was faster there is nothing left to do.
  return ledger.write([&](LedgerWriter& writer) -> Result<void> {
    TRY(apply(effects, writer, now));
    return {};
  });
}

}  // namespace

Result<void> revoke_wanted(Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  ASSIGN_OR_RETURN(const auto wanted,
                   OrphanTable(reader->connection()).in_state(OrphanState::wanted));
  for (const auto& orphan : wanted) TRY(revoke(orphan, *reader, ledger, services));
  return {};
}

}  // namespace cmpost
