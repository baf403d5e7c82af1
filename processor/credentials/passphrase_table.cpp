#include "processor/credentials/passphrase_table.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::string_view kCredentialPrefix = "passphrase-";

RevocationPassphrase read_row(const Statement& row) {
  RevocationPassphrase passphrase{{to_bytes(row.blob(0))}, {}, to_hex(row.blob(0)), {}, {}, {}};
  passphrase.key_identifier = to_bytes(row.blob(1));
  passphrase.sealed = to_bytes(row.blob(2));
  passphrase.at = from_unix_micros(row.integer(3));
  return passphrase;
}

// Nobody has an empty name, and a name has one spelling here.
Result<std::optional<RevocationPassphrase>> read_old_row(const Statement& row) {
  const std::string spelled(row.text(0));
  const auto subject = Name::from_text(spelled);
  if (!subject || subject->is_null_dn()) return std::nullopt;
  return RevocationPassphrase{holder_named(*subject),
                              spelled,
                              spelled,
                              to_bytes(row.blob(1)),
                              to_bytes(row.blob(2)),
                              from_unix_micros(row.integer(3))};
}

// The only row that there is; anybody chooses any identifier.
template <typename Read>
Result<std::optional<RevocationPassphrase>> read_only_row(Statement& rows, Read read) {
  std::optional<RevocationPassphrase> only;
  for (int count = 0;; ++count) {
    ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return only;
    if (count == 1) break;
    ASSIGN_OR_RETURN(only, read(rows));
  }
  rows.reset();
  return std::nullopt;
}

}  // namespace

std::string passphrase_reference(const HolderIdentity& holder) {
  return "passphrase:" + to_hex(holder.value);
}

std::optional<HolderIdentity> passphrase_holder(std::string_view credential) {
  if (!credential.starts_with(kCredentialPrefix)) return std::nullopt;
  auto value =
      from_hex(credential.substr(std::min(credential.find(':'), credential.size() - 1) + 1));
  if (!value || value->empty()) return std::nullopt;
  return HolderIdentity{*std::move(value)};
}

std::string passphrase_context(const std::string& sealed_for) {
  return "rev_passphrase/" + sealed_for;
}

Result<void> RevocationPassphrases::put(const RevocationPassphrase& passphrase) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT OR REPLACE INTO holder_passphrase (holder, kid, "
                                         "sealed, at) VALUES (?, ?, ?, ?)"));
  insert->bind(1, ByteView(passphrase.holder.value));
  insert->bind(2, ByteView(passphrase.key_identifier));
  insert->bind(3, ByteView(passphrase.sealed));
  insert->bind(4, to_unix_micros(passphrase.at));
  TRY(insert->execute());
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM rev_passphrase WHERE subject = ?"));
  removal->bind(1, std::string_view(passphrase.subject));
  TRY(removal->execute());
  return {};
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::of_holder(
    const HolderIdentity& holder) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement(
                       "SELECT holder, kid, sealed, at FROM holder_passphrase WHERE holder = ?"));
  rows->bind(1, ByteView(holder.value));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto passphrase = read_row(*rows);
  rows->reset();
  return passphrase;
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::named(const Name& subject) {
  if (subject.is_null_dn()) return std::nullopt;
  ASSIGN_OR_RETURN(auto found, of_holder(holder_named(subject)));
  if (found) return found;
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement(
                       "SELECT subject, kid, sealed, at FROM rev_passphrase WHERE subject = ?"));
  const auto spelled = subject.text();
  rows->bind(1, std::string_view(spelled));
  return read_only_row(*rows, read_old_row);
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::of_target(
    const PKIMessage& message, LedgerReader& ledger) {
  const auto* rr = std::get_if<body::rr>(&message.body);
  const auto* details = rr == nullptr || rr->details.empty() ? nullptr : &rr->details.front();
  if (details == nullptr || !details->certDetails.serialNumber) return std::nullopt;
  ASSIGN_OR_RETURN(const auto record, ledger.find(*details->certDetails.serialNumber));
  if (!record) return std::nullopt;
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record->der));
  ASSIGN_OR_RETURN(auto found, of_holder(holder_of(*record, certificate.subject())));
  if (found) return found;
  return named(certificate.subject());
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::with_key_identifier(
    ByteView key_identifier) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT holder, kid, sealed, at FROM holder_passphrase "
                                         "WHERE kid = ? AND kid <> x'' LIMIT 2"));
  rows->bind(1, key_identifier);
  const auto read = [](const Statement& row) -> Result<std::optional<RevocationPassphrase>> {
    return read_row(row);
  };
  ASSIGN_OR_RETURN(auto found, read_only_row(*rows, read));
  if (found) return found;
  ASSIGN_OR_RETURN(auto* const old_rows,
                   connection_.statement("SELECT subject, kid, sealed, at FROM rev_passphrase "
                                         "WHERE kid = ? AND kid <> x'' LIMIT 2"));
  old_rows->bind(1, key_identifier);
  return read_only_row(*old_rows, read_old_row);
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::find(const PKIMessage& message,
                                                                        LedgerReader& ledger) {
  const auto& header = message.header;
  ASSIGN_OR_RETURN(auto found, of_target(message, ledger));
  if (found) return found;
  if (const auto sender = header.sender.directory_name()) {
    ASSIGN_OR_RETURN(found, named(*sender));
    if (found) return found;
  }
  if (!header.senderKID || header.senderKID->empty()) return std::nullopt;
  return with_key_identifier(*header.senderKID);
}

Result<Bytes> unseal(const RevocationPassphrase& passphrase, const SealingKey& sealing_key) {
  return sealing_key.unseal(passphrase.sealed, passphrase_context(passphrase.sealed_for));
}

}  // namespace cmpost
