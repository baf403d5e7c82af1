#include "processor/officers/officer.h"

#include "asn1/name.h"
#include "base/files.h"
#include "cmp/pki_message.h"
#include "processor/credentials/secret_store.h"
#include "processor/transaction/transaction_table.h"
#include "store/rows.h"

namespace cmpost {
namespace {

using Maker = MakerTable::Maker;
constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

Maker read_maker(Row& row) {
  Maker maker;
  row.into(maker.account, maker.said);
  return maker;
}

bool is(const std::optional<Maker>& maker, const Officer& officer) {
  if (!maker) return false;
  return maker->account == officer.account ||
         (!maker->said.empty() && folded_value(maker->said) == folded_value(officer.name));
}

// The reference of the secret that it was protected with; empty: it was signed.
std::string secret_of(const Transaction& transaction) {
  for (const std::string_view kind : {"mac:", "pbmac1:", "key:"}) {
    if (!transaction.credential.starts_with(kind)) continue;
    return secret_key(SecretPurpose::mac,
                      plain_reference(transaction.credential.substr(kind.size())));
  }
  return {};
}

bool is_signed(const Transaction& transaction) {
  return transaction.credential.starts_with("cert:") || transaction.credential.starts_with("dh:") ||
         transaction.credential.starts_with("kem:");
}

bool has_same_holder(const Certificate& one, const Certificate& other) {
  if (equal(one.spki(), other.spki())) return true;
  return !one.subject().is_null_dn() && one.subject().same(other.subject());
}

// The certificate that has protected the message, by the digest that is on record.
const CMPCertificate* signer_in(const PKIMessage& message, const std::string& credential) {
  for (const auto& one : message.extraCerts) {
    if (credential.ends_with(to_hex(sha256(one.der)))) return &one;
  }
  return nullptr;
}

Result<std::string> why_holder(Connection& connection, const Transaction& transaction,
                               const Certificate& own) {
  constexpr const char* kOwn = "it is signed with a certificate of his";
  constexpr const char* kUnknown =
      "nobody can tell whether it is signed with a certificate of his: the message cannot be read "
      "here";
  if (transaction.credential.ends_with(to_hex(own.fingerprint()))) return std::string(kOwn);
  ASSIGN_OR_RETURN(const auto stored, TransactionTable(connection).first_message(transaction.id));
  if (!stored || stored->sealed) return std::string(kUnknown);
  const auto message = decode(stored->request, {});
  const auto* signer = message ? signer_in(*message, transaction.credential) : nullptr;
  if (signer == nullptr) return std::string(kUnknown);
  const auto certificate = Certificate::from_der(signer->der);
  if (!certificate) return std::string(kUnknown);
  return has_same_holder(*certificate, own) ? std::string(kOwn) : std::string();
}

}  // namespace

const std::vector<Migration> kOfficerMigrations = {
    {1, R"sql(
CREATE TABLE secret_maker (
  secret TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  said TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE import_maker (
  import INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  said TEXT NOT NULL
);
)sql"},
};

Result<Officer> load_officer(const OfficerSettings& settings) {
  Officer officer{settings.name, settings.account};
  if (settings.certificate.empty()) return officer;
  ASSIGN_OR_RETURN(const auto pem, read_file(settings.certificate, kLargestFile));
  auto certificates = Certificate::from_pem(text_of(pem));
  if (!certificates) {
    return failure(std::move(certificates).error().within(settings.certificate));
  }
  if (certificates->size() != 1) {
    return hold("the file of an officer has one certificate, not " +
                    std::to_string(certificates->size()) + ": " + settings.certificate,
                "the officer's own");
  }
  officer.certificate = std::move(certificates->front());
  return officer;
}

Result<void> MakerTable::note_secret(std::string_view secret, const Person& person) {
  TRY(change(connection_, "INSERT OR REPLACE INTO secret_maker VALUES (?, ?, ?)", secret,
             person.account, person.as));
  return {};
}

Result<void> MakerTable::note_import(std::int64_t import, const Person& person) {
  TRY(change(connection_, "INSERT OR REPLACE INTO import_maker VALUES (?, ?, ?)", import,
             person.account, person.as));
  return {};
}

Result<std::optional<Maker>> MakerTable::of_secret(std::string_view secret) {
  return one(connection_, "SELECT account, said FROM secret_maker WHERE secret = ?", read_maker,
             secret);
}

Result<std::optional<Maker>> MakerTable::of_device(std::int64_t device) {
  return one(connection_,
             "SELECT account, said FROM device JOIN import_maker ON import_maker.import = "
             "device.import WHERE device.id = ?",
             read_maker, device);
}

Result<std::string> why_own(Connection& connection, const Transaction& transaction,
                            const Officer& officer) {
  MakerTable makers(connection);
  ASSIGN_OR_RETURN(const auto device,
                   one(connection, "SELECT device FROM device_request WHERE tx = ?",
                       column<std::int64_t>, transaction.id));
  if (device) {
    ASSIGN_OR_RETURN(const auto importer, makers.of_device(*device));
    if (is(importer, officer)) return std::string("the row of the device is by his import");
  }
  if (const auto secret = secret_of(transaction); !secret.empty()) {
    ASSIGN_OR_RETURN(const auto maker, makers.of_secret(secret));
    if (is(maker, officer)) return std::string("he has made the secret that it is protected with");
  }
  if (!officer.certificate || !is_signed(transaction)) return std::string();
  return why_holder(connection, transaction, *officer.certificate);
}

}  // namespace cmpost
