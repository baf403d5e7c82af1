#include "processor/effects.h"

#include <algorithm>
#include <iterator>

#include "processor/announcement_table.h"
#include "processor/audit_detail.h"
#include "processor/revocation_passphrase.h"
#include "processor/secret_store.h"
#include "processor/transaction_table.h"
#include "processor/wait_table.h"

namespace cmpost {
namespace {

template <typename T>
void move_all(std::vector<T>& target, std::vector<T>& source) {
  target.insert(target.end(), std::make_move_iterator(source.begin()),
                std::make_move_iterator(source.end()));
}

Result<bool> change_certificates(const Effects& effects, LedgerWriter& writer) {
  for (const auto& change : effects.state_changes) {
    ASSIGN_OR_RETURN(const bool done,
                     writer.change_state(change.serial, change.expected, change.state));
    if (!done) return false;
  }
  for (const auto& revocation : effects.revocations) {
    ASSIGN_OR_RETURN(const bool done, writer.revoke(revocation.serial, revocation.reason,
                                                    revocation.when, revocation.invalidity_date));
    if (!done) return false;
  }
  for (const auto& serial : effects.unrevocations) {
    ASSIGN_OR_RETURN(const bool done, writer.unrevoke(serial));
    if (!done) return false;
  }
  return true;
}

// The row id of the transaction that the message belongs to; nullopt for a conflict.
Result<std::optional<std::int64_t>> change_transaction(const Effects& effects,
                                                       TransactionTable& table) {
  if (effects.open) {
    if (!effects.open->old_serial.empty()) {
      ASSIGN_OR_RETURN(const bool busy, table.being_renewed(effects.open->old_serial));
      if (busy) return std::nullopt;
    }
    return table.open(*effects.open);
  }
  if (effects.advance) {
    const auto& advance = *effects.advance;
    ASSIGN_OR_RETURN(const bool done, table.advance(advance.after, advance.before));
    if (!done) return std::nullopt;
    return advance.after.id;
  }
  if (effects.waiting) return effects.waiting->transaction;
  return 0;
}

// False for a conflict.
Result<bool> change_waiting(const Effects& effects, std::int64_t transaction,
                            LedgerWriter& writer) {
  if (!effects.waiting) return true;
  WaitTable table(writer.connection());
  if (!effects.open && effects.waiting->version != 0) {
    const auto parts =
        effects.waiting_parts_changed ? WaitTable::Parts::changed : WaitTable::Parts::as_they_were;
    return table.replace(*effects.waiting, parts);
  }
  auto added = *effects.waiting;
  added.transaction = transaction;
  TRY(table.add(added));
  return true;
}

Result<bool> change_protections(const Effects& effects, LedgerWriter& writer, Time now) {
  // Longer than any transaction that still needs them.
  constexpr auto kKemSecretsKept = std::chrono::hours(24 * 400);
  for (const auto& secret : effects.kem_secrets) {
    ASSIGN_OR_RETURN(const bool added,
                     KemSecrets(writer.connection()).add(secret, now - kKemSecretsKept));
    if (!added) return false;
  }
  for (const auto& token : effects.use_tokens) {
    ASSIGN_OR_RETURN(const bool used, SecretStore::use(writer.connection(), token));
    if (!used) return false;
  }
  for (const auto& key : effects.archived_keys) {
    TRY(KeyArchive(writer.connection()).add(key));
  }
  if (effects.passphrase) TRY(RevocationPassphrases(writer.connection()).put(*effects.passphrase));
  if (effects.secret_failure) {
    TRY(SecretLock(writer.connection()).count(*effects.secret_failure, effects.failures_from));
  }
  return true;
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
  if (!effects.message) return 0;
  if (effects.message_replaces) {
    TRY(table.set_reply(transaction, *effects.message));
    return 0;
  }
  if (effects.message->pieces.empty()) return table.add(transaction, *effects.message, now);
  auto message = *effects.message;
  message.pieces = located(message.pieces, rows);
  return table.add(transaction, message, now);
}

Result<bool> apply_all(const Effects& effects, LedgerWriter& writer, Time now, MessageRows& rows) {
  TransactionTable table(writer.connection());
  ASSIGN_OR_RETURN(const auto transaction, change_transaction(effects, table));
  if (!transaction) return false;
  ASSIGN_OR_RETURN(const bool waits, change_waiting(effects, *transaction, writer));
  if (!waits) return false;
  if (effects.use_secret) {
    const auto& use = *effects.use_secret;
    ASSIGN_OR_RETURN(const bool used,
                     SecretStore::use(writer.connection(), use.reference, use.certificates));
    if (!used) return false;
  }
  ASSIGN_OR_RETURN(const bool protections, change_protections(effects, writer, now));
  if (!protections) return false;
  ASSIGN_OR_RETURN(const bool changed, change_certificates(effects, writer));
  if (!changed) return false;
  ASSIGN_OR_RETURN(const auto row, change_messages(effects, table, *transaction, now, rows));
  rows.push_back(row);
  for (const auto& certificate : effects.certificates) TRY(writer.add(certificate));
  if (effects.announcement) {
    TRY(AnnouncementTable(writer.connection()).add(*effects.announcement));
  }
  for (const auto& entry : effects.audit) {
    TRY(entry.stranger_on.empty() ? writer.audit(entry.event, entry.detail)
                                  : audit_stranger(entry, writer, now));
  }
  return true;
}

Result<void> run(Connection& connection, std::string_view sql) {
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  TRY(statement->execute());
  return {};
}

// Only these can conflict half-way; the rest fails at its first step or never.
bool needs_savepoint(const Effects& effects) {
  return effects.use_secret || effects.waiting || !effects.kem_secrets.empty() ||
         !effects.use_tokens.empty() || !effects.state_changes.empty() || effects.changes_crl();
}

}  // namespace

void Effects::merge(Effects&& more) {
  move_all(certificates, more.certificates);
  move_all(state_changes, more.state_changes);
  move_all(revocations, more.revocations);
  move_all(unrevocations, more.unrevocations);
  move_all(kem_secrets, more.kem_secrets);
  move_all(use_tokens, more.use_tokens);
  move_all(archived_keys, more.archived_keys);
  move_all(audit, more.audit);
}

bool Effects::grants() const {
  return !certificates.empty() || !state_changes.empty() || changes_crl() || use_secret ||
         !use_tokens.empty() || !archived_keys.empty() || passphrase;
}

Result<bool> apply(const Effects& effects, LedgerWriter& writer, Time now) {
  MessageRows rows;
  return apply(effects, writer, now, rows);
}

Result<bool> apply(const Effects& effects, LedgerWriter& writer, Time now, MessageRows& rows) {
  if (!needs_savepoint(effects)) return apply_all(effects, writer, now, rows);
  auto& connection = writer.connection();
  TRY(run(connection, "SAVEPOINT one_request"));
  auto applied = apply_all(effects, writer, now, rows);
  if (!applied) return applied;  // the whole commit is given up
  if (!*applied) TRY(run(connection, "ROLLBACK TO one_request"));
  TRY(run(connection, "RELEASE one_request"));
  return applied;
}

}  // namespace cmpost
