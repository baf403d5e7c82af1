#include "processor/transaction/effects.h"

#include <iterator>
#include <variant>

#include "processor/credentials/secret_store.h"
#include "processor/rulings/rule_tables.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"
#include "store/rows.h"

namespace cmpost {
namespace {

template <typename T>
void move_all(std::vector<T>& target, std::vector<T>& source) {
  target.insert(target.end(), std::make_move_iterator(source.begin()),
                std::make_move_iterator(source.end()));
}

// Why effects do not take effect.
struct Setback {
  Setback(Conflict c) : kind(std::move(c)) {}  // NOLINT(google-explicit-constructor)
  Setback(Error e) : kind(std::move(e)) {}     // NOLINT(google-explicit-constructor)
  std::variant<Conflict, Error> kind;
};
template <typename T>
using Applied = tl::expected<T, Setback>;

using What = Conflict::What;

auto conflict(What what, std::string row) { return failure(Conflict{what, std::move(row)}); }

Applied<void> change_certificates(const Effects& effects, LedgerWriter& writer) {
  for (const auto& change : effects.state_changes) {
    ASSIGN_OR_RETURN(const bool done,
                     writer.change_state(change.serial, change.expected, change.state));
    if (!done) return conflict(What::certificate, to_hex(change.serial));
  }
  for (const auto& revocation : effects.revocations) {
    ASSIGN_OR_RETURN(const bool done, writer.revoke(revocation.serial, revocation.reason,
                                                    revocation.when, revocation.invalidity_date));
    if (!done) return conflict(What::revocation, to_hex(revocation.serial));
  }
  for (const auto& serial : effects.unrevocations) {
    ASSIGN_OR_RETURN(const bool done, writer.unrevoke(serial));
    if (!done) return conflict(What::release, to_hex(serial));
  }
  return {};
}

Applied<std::int64_t> open_transaction(const Effects& effects, TransactionTable& table) {
  const auto& wanted = *effects.open;
  if (!wanted.old_serial.empty()) {
    ASSIGN_OR_RETURN(const auto renewals, table.open_renewals(wanted.old_serial));
    if (renewals.size() != effects.open_renewals)
      return conflict(What::renewal, to_hex(wanted.old_serial));
  }
  ASSIGN_OR_RETURN(const auto row, table.open(wanted));
  if (!row) return conflict(What::transactionID, to_hex(wanted.transactionID));
  return *row;
}

// The row id of the transaction that the message belongs to.
Applied<std::int64_t> change_transaction(const Effects& effects, TransactionTable& table) {
  if (effects.open) return open_transaction(effects, table);
  if (effects.advance) {
    const auto& advance = *effects.advance;
    ASSIGN_OR_RETURN(const bool done, table.advance(advance.after, advance.before));
    if (!done) return conflict(What::transaction, to_hex(advance.after.transactionID));
    return advance.after.id;
  }
  if (effects.waiting) return effects.waiting->transaction;
  return 0;
}

Applied<void> change_orphans(const Effects& effects, LedgerWriter& writer) {
  OrphanTable table(writer.connection());
  for (const auto& one : effects.orphans) TRY(table.add(one));
  for (const auto& one : effects.orphan_changes) {
    ASSIGN_OR_RETURN(const bool done, table.change(one));
    if (!done) return conflict(What::upstream, std::to_string(one.id));
  }
  return {};
}

Applied<void> change_upstream(const Effects& effects, std::int64_t transaction,
                              LedgerWriter& writer) {
  UpstreamTable table(writer.connection());
  for (const auto& one : effects.upstream) {
    ASSIGN_OR_RETURN(const bool done, table.change(one));
    if (!done) return conflict(What::upstream, std::to_string(one.id));
  }
  if (effects.renewal) {
    ASSIGN_OR_RETURN(const bool done,
                     OwnRenewalTable(writer.connection()).change(*effects.renewal));
    if (!done) return conflict(What::upstream, std::to_string(effects.renewal->id));
  }
  for (const auto& one : effects.send_up) {
    auto added = one;
    if (added.transaction == 0) added.transaction = transaction;
    ASSIGN_OR_RETURN(const bool done, table.add(added));
    if (!done) return conflict(What::upstream, to_hex(one.transactionID));
  }
  return change_orphans(effects, writer);
}

// Another request, or a member of the same batch, may have got a certificate for one of the keys
// meanwhile.
Applied<void> check_keys_are_fresh(const Effects& effects, LedgerWriter& writer, Time now) {
  for (const auto& key : effects.fresh_keys) {
    ASSIGN_OR_RETURN(const bool taken, writer.has_key(key.spki, key.seen, now));
    if (taken) return conflict(What::key, to_hex(sha256(key.spki)));
  }
  return {};
}

// What a registration authority says by its protection counts like the word of a person.
Applied<void> note_endorsement(const Effects& effects, std::int64_t transaction,
                               LedgerWriter& writer) {
  if (effects.endorsed_by.empty()) return {};
  const auto& about = effects.open ? *effects.open : effects.advance->after;
  for (const auto& part : effects.waiting->parts) {
    const auto digest = part.digest();
    if (part.state != PartState::undecided || !digest) continue;
    Vote vote;
    vote.certReqId = part.certReqId;
    vote.approves = true;
    vote.who = vote.account = effects.endorsed_by;
    vote.at = effects.waiting->received;
    vote.object = to_bytes(*digest);
    vote.round = part.round;
    TRY(WaitTable(writer.connection()).add(transaction, vote));
    const auto entry = verdict_entry(about, part, vote);
    TRY(writer.audit(entry.event, entry.detail));
  }
  return {};
}

Applied<void> change_waiting(const Effects& effects, std::int64_t transaction,
                             LedgerWriter& writer) {
  if (!effects.waiting) return {};
  WaitTable table(writer.connection());
  if (!effects.open && effects.waiting->version != 0) {
    const auto parts =
        effects.waiting_parts_changed ? WaitTable::Parts::changed : WaitTable::Parts::as_they_were;
    ASSIGN_OR_RETURN(const bool replaced, table.replace(*effects.waiting, parts));
    if (!replaced) return conflict(What::waiting, std::to_string(transaction));
    KnownDevices devices(writer.connection());
    TRY(effects.waiting->is_unlisted() ? devices.note_sought(transaction, effects.sought)
                                       : devices.forget_sought(transaction));
    return {};
  }
  auto added = *effects.waiting;
  added.transaction = transaction;
  TRY(table.add(added));
  if (added.is_unlisted()) {
    TRY(KnownDevices(writer.connection()).note_sought(transaction, effects.sought));
  }
  return note_endorsement(effects, transaction, writer);
}

Applied<void> change_protections(const Effects& effects, LedgerWriter& writer, Time now) {
  // Longer than any transaction that still needs them.
  constexpr auto kKemSecretsKept = std::chrono::hours(24 * 400);
  for (const auto& secret : effects.kem_secrets) {
    ASSIGN_OR_RETURN(const bool added,
                     KemSecrets(writer.connection()).add(secret, now - kKemSecretsKept));
    if (!added) return conflict(What::kem_ciphertext, to_hex(secret.ciphertext));
  }
  for (const auto& token : effects.use_tokens) {
    ASSIGN_OR_RETURN(const bool used, SecretStore::use(writer.connection(), token));
    if (!used) return conflict(What::reg_token, token);
  }
  for (const auto& key : effects.archived_keys) {
    TRY(KeyArchive(writer.connection()).add(key));
  }
  for (const auto& serial : effects.forgotten_keys) {
    TRY(KeyArchive(writer.connection()).forget(serial));
  }
  if (effects.passphrase) TRY(RevocationPassphrases(writer.connection()).put(*effects.passphrase));
  EnvelopeTable envelopes(writer.connection());
  for (const auto& use : effects.envelopes) {
    ASSIGN_OR_RETURN(const bool first, envelopes.add(use));
    if (!first) return conflict(What::envelope, to_hex(use.content_key));
  }
  for (const auto& failure : effects.envelope_failures) {
    TRY(envelopes.count(failure, effects.envelope_failures_from));
  }
  if (effects.secret_failure) {
    TRY(SecretLock(writer.connection()).count(*effects.secret_failure, effects.failures_from));
  }
  for (const auto& failure : effects.token_failures) {
    TRY(SecretLock(writer.connection()).count(failure, effects.failures_from));
  }
  return {};
}

// What a rule has approved was judged on a snapshot.
Applied<void> check_rules(const Effects& effects, LedgerWriter& writer, Time now) {
  KnownDevices devices(writer.connection());
  for (const auto& guard : effects.rule_guards) {
    ASSIGN_OR_RETURN(const bool in_use, devices.is_in_use(guard.device));
    if (!in_use) return conflict(What::rule, std::to_string(guard.device));
    if (!guard.active) continue;
    ASSIGN_OR_RETURN(const auto active, devices.active_certificates(guard.device, now));
    if (active != *guard.active) return conflict(What::rule, std::to_string(guard.device));
  }
  RuleTables rules(writer.connection());
  for (const auto& use : effects.rule_uses) {
    ASSIGN_OR_RETURN(const bool used, rules.use(use));
    if (!used) return conflict(What::rule, to_hex(use.rule));
  }
  return {};
}

Result<void> note_rulings(const Effects& effects, std::int64_t transaction, LedgerWriter& writer) {
  if (transaction == 0) return {};
  RuleTables rules(writer.connection());
  for (const auto& record : effects.rule_records) TRY(rules.add(transaction, record));
  return {};
}

// What a device of the list has asked for, and what it has got: of a transaction that it has
// opened, also where the CA above answers later.
Applied<void> note_device(const Effects& effects, std::int64_t transaction, LedgerWriter& writer) {
  const bool asks = effects.open || !effects.certificates.empty() || !effects.send_up.empty();
  KnownDevices devices(writer.connection());
  if (effects.device && transaction != 0 && asks) {
    TRY(devices.note_request(transaction, effects.device->device));
  }
  if (transaction == 0) return {};
  const auto* about = effects.open      ? &*effects.open
                      : effects.advance ? &effects.advance->after
                                        : nullptr;
  const bool first = about == nullptr || about->body != "kur";
  for (const auto* list : {&effects.certificates, &effects.passing}) {
    for (const auto& one : *list) {
      TRY(devices.note_certificate(transaction, one.serial, first));
    }
  }
  // What the CA above has issued is there, whatever the row says by now.
  const bool takes = !effects.certificates.empty() || !effects.send_up.empty();
  if (!effects.device || !effects.device->most || !first || !takes) return {};
  ASSIGN_OR_RETURN(const bool fits,
                   devices.has_at_most(effects.device->device, *effects.device->most));
  if (!fits) return conflict(What::device, std::to_string(effects.device->device));
  return {};
}

// Whoever can write into a channel could fill the ledger otherwise, which is never shortened.
Result<void> audit_stranger(const AuditEntry& entry, LedgerWriter& writer, Time now) {
  ASSIGN_OR_RETURN(const auto seen,
                   StrangerCount(writer.connection()).note(entry.stranger_on, now));
  if (seen.left_out_before > 0) {
    TRY(writer.audit("message.not_recorded", not_recorded_detail(entry.stranger_on, seen)));
  }
  if (!seen.is_recorded) return {};
  return writer.audit(entry.event, entry.detail);
}

// From indices of members to rows; members without a row have no place in `pieces`.
std::vector<ReplyPiece> located(const std::vector<ReplyPiece>& pieces, const MessageRows& rows) {
  std::vector<ReplyPiece> located;
  for (const auto& piece : pieces) {
    if (piece.own) {
      located.push_back(piece);
      continue;
    }
    for (auto member = piece.first; member < piece.first + piece.count; ++member) {
      const auto row = rows.at(static_cast<std::size_t>(member));
      CHECK(row != 0);
      const bool follows = !located.empty() && !located.back().own &&
                           located.back().first + located.back().count == row;
      if (!follows) located.push_back({false, row, 0});
      ++located.back().count;
    }
  }
  return located;
}

// The row; 0 where no message is added.
Result<std::int64_t> change_messages(const Effects& effects, TransactionTable& table,
                                     std::int64_t transaction, Time now, const MessageRows& rows) {
  if (effects.repeated) {
    TRY(table.add_name(effects.repeated->transaction, effects.repeated->came_as));
  }
  if (effects.settled) {
    const auto& settled = *effects.settled;
    TRY(table.set_outcome(transaction, settled.digest,
                          {settled.outcome, settled.result, settled.failInfo}));
  }
  if (!effects.message) return 0;
  if (effects.message_replaces) {
    TRY(table.set_reply(transaction, *effects.message));
    return 0;
  }
  if (!effects.open) TRY(table.add_name(transaction, effects.message->source));
  if (effects.message->pieces.empty()) return table.add(transaction, *effects.message, now);
  auto message = *effects.message;
  message.pieces = located(message.pieces, rows);
  return table.add(transaction, message, now);
}

Result<void> note_passing(const Effects& effects, LedgerWriter& writer) {
  for (const auto& certificate : effects.passing) {
    ASSIGN_OR_RETURN(const auto known, writer.reader().find(certificate.serial));
    if (known) {
      if (known->der == certificate.der) continue;
      const auto entry = not_noted_entry(certificate);
      TRY(writer.audit(entry.event, entry.detail));
      continue;
    }
    TRY(writer.add(certificate));
    const auto entry = passed_entry(certificate);
    TRY(writer.audit(entry.event, entry.detail));
  }
  return {};
}

// First all that may conflict.
Applied<void> apply_all(const Effects& effects, LedgerWriter& writer, Time now, MessageRows& rows) {
  TransactionTable table(writer.connection());
  ASSIGN_OR_RETURN(const auto transaction, change_transaction(effects, table));
  TRY(change_waiting(effects, transaction, writer));
  TRY(change_upstream(effects, transaction, writer));
  if (effects.use_secret) {
    const auto& use = *effects.use_secret;
    ASSIGN_OR_RETURN(const bool used, SecretStore::use(writer.connection(), use.reference,
                                                       use.certificates, use.identity));
    if (!used && use.certificates > 0) return conflict(What::secret, use.reference);
  }
  TRY(check_rules(effects, writer, now));
  TRY(note_rulings(effects, transaction, writer));
  TRY(change_protections(effects, writer, now));
  TRY(change_certificates(effects, writer));
  TRY(check_keys_are_fresh(effects, writer, now));
  ASSIGN_OR_RETURN(const auto row, change_messages(effects, table, transaction, now, rows));
  rows.push_back(row);
  for (const auto& certificate : effects.certificates) TRY(writer.add(certificate));
  TRY(note_passing(effects, writer));
  TRY(note_device(effects, transaction, writer));
  if (effects.announcement) {
    TRY(AnnouncementTable(writer.connection()).add(*effects.announcement));
  }
  if (effects.refused) TRY(RefusalTable(writer.connection()).add(*effects.refused));
  for (const auto& entry : effects.audit) {
    TRY(entry.stranger_on.empty() ? writer.audit(entry.event, entry.detail)
                                  : audit_stranger(entry, writer, now));
  }
  return {};
}

Result<std::optional<Conflict>> outcome_of(Applied<void>&& applied) {
  if (applied) return std::nullopt;
  if (auto* lost = std::get_if<Conflict>(&applied.error().kind)) return std::move(*lost);
  return failure(std::get<Error>(std::move(applied).error().kind));
}

// Only these can conflict half-way; the rest fails at its first step or never.
bool needs_savepoint(const Effects& effects) {
  return !effects.fresh_keys.empty() || effects.use_secret || effects.waiting || effects.device ||
         !effects.kem_secrets.empty() || !effects.use_tokens.empty() ||
         !effects.envelopes.empty() || !effects.state_changes.empty() || effects.changes_crl() ||
         !effects.rule_uses.empty() || !effects.rule_guards.empty() || !effects.send_up.empty() ||
         !effects.upstream.empty();
}

}  // namespace

void Effects::merge(Effects&& more) {
  move_all(send_up, more.send_up);
  move_all(upstream, more.upstream);
  move_all(certificates, more.certificates);
  move_all(passing, more.passing);
  move_all(fresh_keys, more.fresh_keys);
  move_all(state_changes, more.state_changes);
  move_all(revocations, more.revocations);
  move_all(unrevocations, more.unrevocations);
  move_all(kem_secrets, more.kem_secrets);
  move_all(use_tokens, more.use_tokens);
  move_all(archived_keys, more.archived_keys);
  move_all(forgotten_keys, more.forgotten_keys);
  move_all(rule_records, more.rule_records);
  move_all(rule_uses, more.rule_uses);
  move_all(rule_guards, more.rule_guards);
  move_all(orphans, more.orphans);
  move_all(orphan_changes, more.orphan_changes);
  move_all(audit, more.audit);
}

bool Effects::grants() const {
  return !certificates.empty() || !send_up.empty() || !state_changes.empty() || changes_crl() ||
         use_secret || !use_tokens.empty() || !archived_keys.empty() || passphrase;
}

Result<std::optional<Conflict>> apply(const Effects& effects, LedgerWriter& writer, Time now) {
  MessageRows rows;
  return apply(effects, writer, now, rows);
}

Result<std::optional<Conflict>> apply(const Effects& effects, LedgerWriter& writer, Time now,
                                      MessageRows& rows) {
  if (!needs_savepoint(effects)) return outcome_of(apply_all(effects, writer, now, rows));
  auto& connection = writer.connection();
  TRY(change(connection, "SAVEPOINT one_request"));
  auto conflict = outcome_of(apply_all(effects, writer, now, rows));
  if (!conflict) return conflict;  // the whole commit is given up
  if (*conflict) {
    TRY(change(connection, "ROLLBACK TO one_request"));
    writer.forget();
  }
  TRY(change(connection, "RELEASE one_request"));
  return conflict;
}

}  // namespace cmpost
