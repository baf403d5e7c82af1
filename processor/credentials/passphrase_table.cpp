#include "processor/credentials/passphrase_table.h"

#include <algorithm>

#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::string_view kCredentialPrefix = "passphrase-";

using Found = std::optional<RevocationPassphrase>;

Found read_passphrase(Row& row) {
  RevocationPassphrase passphrase;
  row.into(passphrase.holder.value, passphrase.key_identifier, passphrase.sealed, passphrase.at);
  passphrase.sealed_for = to_hex(passphrase.holder.value);
  return passphrase;
}

// Nobody has an empty name, and a name has one spelling here.
Found read_old_passphrase(Row& row) {
  RevocationPassphrase passphrase;
  row.into(passphrase.subject, passphrase.key_identifier, passphrase.sealed, passphrase.at);
  const auto subject = Name::from_text(passphrase.subject);
  if (!subject || subject->is_null_dn()) return std::nullopt;
  passphrase.holder = holder_named(*subject);
  passphrase.sealed_for = passphrase.subject;
  return passphrase;
}

// The only row that there is; anybody chooses any identifier.
Found only_one(std::vector<Found> rows) {
  return rows.size() == 1 ? std::move(rows.front()) : std::nullopt;
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
  TRY(change(connection_,
             "INSERT OR REPLACE INTO holder_passphrase (holder, kid, sealed, at) "
             "VALUES (?, ?, ?, ?)",
             passphrase.holder.value, passphrase.key_identifier, passphrase.sealed, passphrase.at));
  TRY(change(connection_, "DELETE FROM rev_passphrase WHERE subject = ?", passphrase.subject));
  return {};
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::of_holder(
    const HolderIdentity& holder) {
  ASSIGN_OR_RETURN(
      auto found,
      one(connection_, "SELECT holder, kid, sealed, at FROM holder_passphrase WHERE holder = ?",
          read_passphrase, holder.value));
  return std::move(found).value_or(std::nullopt);
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::named(const Name& subject) {
  if (subject.is_null_dn()) return std::nullopt;
  ASSIGN_OR_RETURN(auto found, of_holder(holder_named(subject)));
  if (found) return found;
  ASSIGN_OR_RETURN(
      auto rows,
      all(connection_, "SELECT subject, kid, sealed, at FROM rev_passphrase WHERE subject = ?",
          read_old_passphrase, subject.text()));
  return only_one(std::move(rows));
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
  ASSIGN_OR_RETURN(auto rows, all(connection_,
                                  "SELECT holder, kid, sealed, at FROM holder_passphrase "
                                  "WHERE kid = ? AND kid <> x'' LIMIT 2",
                                  read_passphrase, key_identifier));
  if (auto found = only_one(std::move(rows))) return found;
  ASSIGN_OR_RETURN(auto old_rows, all(connection_,
                                      "SELECT subject, kid, sealed, at FROM rev_passphrase "
                                      "WHERE kid = ? AND kid <> x'' LIMIT 2",
                                      read_old_passphrase, key_identifier));
  return only_one(std::move(old_rows));
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
