#include "processor/records/recorded_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "processor/credentials/secret_store.h"
#include "store/rows.h"

namespace cmpost {
namespace {

using nlohmann::json;

// SQLite keeps these in a file of its own that nobody else sees, with a cache of two megabytes.
constexpr const char* kTables = R"sql(
DROP TABLE IF EXISTS temp.said_certificate;
DROP TABLE IF EXISTS temp.said_cmp;
DROP TABLE IF EXISTS temp.said_secret;
DROP TABLE IF EXISTS temp.said_tx;
CREATE TEMP TABLE said_certificate (
  serial BLOB PRIMARY KEY, record INTEGER NOT NULL, subject TEXT, digest TEXT, state TEXT NOT NULL,
  reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE said_cmp (digest TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE said_secret (
  reference TEXT PRIMARY KEY, record INTEGER NOT NULL, columns TEXT NOT NULL, digest TEXT NOT NULL,
  uses INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE said_tx (tid TEXT PRIMARY KEY, record INTEGER NOT NULL) WITHOUT ROWID;
)sql";

std::string text_in(const json& detail, const char* key) {
  const auto found = detail.find(key);
  return found != detail.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// As content octets of a positive INTEGER: some records leave out the zero in front.
std::optional<Bytes> serial_in(const json& detail) {
  auto octets = from_hex(text_in(detail, "serial"));
  if (!octets || octets->empty()) return std::nullopt;
  const auto first = std::ranges::find_if(*octets, [](auto octet) { return octet != 0; });
  octets->erase(octets->begin(), first == octets->end() ? first - 1 : first);
  if (octets->front() >= 0x80) octets->insert(octets->begin(), 0);
  return octets;
}

// As the table has it. Earlier versions had tokens among the MAC secrets, called as they are now.
std::string key_in(const json& detail) {
  const auto purpose = secret_purpose(text_in(detail, "for"));
  return secret_key(purpose.value_or(SecretPurpose::mac), text_in(detail, "reference"));
}

std::optional<std::string> known_in(const json& detail, const char* key) {
  auto text = text_in(detail, key);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

std::string by_record(std::int64_t record) { return "by record " + std::to_string(record); }

Result<void> RecordedState::begin() { return connection_.execute(kTables); }

Result<void> RecordedState::take(const AuditRecord& record) {
  const auto& event = record.event;
  const auto kind = event.substr(0, event.find('.'));
  if (kind != "certificate" && kind != "instance" && kind != "ca" && kind != "secret" &&
      kind != "message") {
    return {};
  }
  const auto detail = json::parse(record.detail, nullptr, false);
  if (!detail.is_object()) return {};
  if (event == "certificate.issued" || event == "certificate.passed" || event == "instance.made" ||
      event == "ca.credential") {
    return issued(record.id, detail);
  }
  if (event == "ca.rollover") return rolled_over(record.id, detail);
  if (event == "certificate.revoked") return revoked(record.id, detail);
  if (event == "certificate.released") return released(record.id, detail);
  if (event == "certificate.changed") {
    return becomes(record.id, detail, text_in(detail, "state"), "");
  }
  if (event == "secret.added") return secret_added(record.id, detail);
  if (event == "secret.changed") return secret_changed(record.id, detail);
  if (event == "secret.removed") return secret_removed(detail);
  if (event == "message.answered") return answered(record, detail);
  return {};
}

Result<void> RecordedState::issued(std::int64_t record, const json& detail) {
  const auto serial = serial_in(detail);
  if (!serial) return {};
  auto state = text_in(detail, "state");
  if (state.empty()) state = kSomeGoodState;
  ASSIGN_OR_RETURN(
      const auto added,
      change(connection_,
             "INSERT INTO temp.said_certificate VALUES (?, ?, ?, ?, ?, '') ON CONFLICT DO "
             "NOTHING",
             *serial, record, known_in(detail, "subject"), known_in(detail, "sha256"), state));
  if (added == 0) {
    differ_("certificate " + to_hex(*serial) + " was issued twice, the second time " +
            by_record(record));
  }
  return {};
}

// Records of earlier versions name the new CMP certificate by its fingerprint alone.
Result<void> RecordedState::rolled_over(std::int64_t record, const json& detail) {
  if (detail.contains("serial")) return issued(record, detail);
  TRY(change(connection_, "INSERT INTO temp.said_cmp VALUES (?) ON CONFLICT DO NOTHING",
             text_in(detail, "cmp")));
  return {};
}

Result<void> RecordedState::revoked(std::int64_t record, const json& detail) {
  const auto reason = text_in(detail, "reason");
  return becomes(record, detail, reason == "certificateHold" ? "held" : "revoked", reason);
}

// Earlier versions made each one valid.
Result<void> RecordedState::released(std::int64_t record, const json& detail) {
  const auto state = text_in(detail, "state");
  return becomes(record, detail, state.empty() ? "valid" : state, "");
}

Result<void> RecordedState::becomes(std::int64_t record, const json& detail, std::string_view state,
                                    std::string_view reason) {
  const auto serial = serial_in(detail);
  if (!serial) return {};
  TRY(change(connection_,
             "INSERT INTO temp.said_certificate VALUES (?1, ?2, NULL, NULL, ?3, ?4) ON CONFLICT "
             "DO UPDATE SET record = ?2, state = ?3, reason = ?4",
             *serial, record, state, reason));
  return {};
}

Result<void> RecordedState::secret_added(std::int64_t record, const json& detail) {
  TRY(change(connection_, "INSERT OR REPLACE INTO temp.said_secret VALUES (?, ?, ?, ?, 0, 0)",
             key_in(detail), record, text_in(detail, "columns"), text_in(detail, "sha256")));
  return {};
}

// It is good for something else, and keeps its uses.
Result<void> RecordedState::secret_changed(std::int64_t record, const json& detail) {
  TRY(change(connection_,
             "UPDATE temp.said_secret SET record = ?, columns = ?, digest = ? WHERE reference = ?",
             record, text_in(detail, "columns"), text_in(detail, "sha256"), key_in(detail)));
  return {};
}

Result<void> RecordedState::secret_removed(const json& detail) {
  TRY(change(connection_, "DELETE FROM temp.said_secret WHERE reference = ?", key_in(detail)));
  return {};
}

Result<void> RecordedState::count_uses(const json& detail) {
  const auto used = text_in(detail, "used"), uses = text_in(detail, "uses");
  if (used.empty()) return {};
  TRY(change(connection_,
             "UPDATE temp.said_secret SET uses = uses + CAST(? AS INTEGER) WHERE reference = ?",
             uses, used));
  return {};
}

Result<void> RecordedState::answered(const AuditRecord& record, const json& detail) {
  TRY(count_uses(detail));
  const auto transaction = text_in(detail, "transaction");
  if (transaction.empty()) return {};
  if (!transactions_since_) transactions_since_ = record.time;
  if (transaction != "opened") return {};
  TRY(change(connection_, "INSERT INTO temp.said_tx VALUES (?, ?) ON CONFLICT DO NOTHING",
             text_in(detail, "tid"), record.id));
  return {};
}

}  // namespace cmpost
