#include "processor/records/verify_ledger.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ca/ledger/audit_replay.h"
#include "crypto/keys/algorithm.h"
#include "processor/credentials/secret_store.h"
#include "processor/transaction/audit_detail.h"
#include "store/database_transaction.h"
#include "store/rows.h"

namespace cmpost {
namespace {

using nlohmann::json;

// Where only records of earlier versions speak of a certificate: any of the good states.
constexpr std::string_view kSomeGoodState = "good";

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

// Only what is a plain column may be put into SQL.
bool is_column_list(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || c == ',';
  });
}

Result<std::string> digest_of_columns(Connection& connection, std::string_view columns,
                                      std::string_view reference) {
  const auto sql = "SELECT " + std::string(columns) + " FROM secret WHERE reference = ?";
  const auto count = 1 + std::ranges::count(columns, ',');
  const auto read = [count](Row& row) {
    Bytes input;
    for (int i = 0; i < count; ++i) {
      const auto value = row.next<std::optional<ByteView>>();
      append(input, view_of((value ? std::to_string(value->size()) : "-") + ":"));
      if (value) append(input, *value);
    }
    return to_hex(sha256(input));
  };
  ASSIGN_OR_RETURN(auto digest, one(connection, sql, read, reference));
  if (!digest) return hold("there is no such secret");
  return *std::move(digest);
}

// What the records say of a certificate, and what the table does.
struct SaidCertificate {
  Bytes serial;
  std::int64_t record = 0;
  std::optional<std::string> subject, digest;
  std::string state, reason;
};
struct CertificateRow {
  Bytes serial;
  std::string subject;
  Bytes der;
  std::string state;
  std::optional<std::int64_t> reason;
  Time not_after{};
};

SaidCertificate read_said(Row& row) {
  SaidCertificate said;
  row.into(said.serial, said.record, said.subject, said.digest, said.state, said.reason);
  return said;
}

CertificateRow read_certificate(Row& row) {
  CertificateRow read;
  row.into(read.serial, read.subject, read.der, read.state, read.reason, read.not_after);
  return read;
}

template <typename Read>
Result<Cursor<Read>> open(Connection& connection, std::string_view sql, Read read) {
  return Cursor<Read>::open(connection, sql, std::move(read));
}

// Which of two lists has the next row: below 0 the first, above 0 the other, 0 both.
template <typename First, typename Other, typename KeyOfFirst, typename KeyOfOther>
int order_of(const First& first, const Other& other, KeyOfFirst key_of_first,
             KeyOfOther key_of_other) {
  if (!first.is_there()) return 1;
  if (!other.is_there()) return -1;
  const auto& one = std::invoke(key_of_first, *first);
  const auto& two = std::invoke(key_of_other, *other);
  return one < two ? -1 : two < one ? 1 : 0;
}

class Comparison {
 public:
  Comparison(LedgerReader& reader, const std::function<void(const std::string&)>& tell)
      : connection_(reader.connection()), tell_(tell) {}

  Result<LedgerVerdict> run() {
    DatabaseTransaction snapshot(connection_);
    TRY(snapshot.begin_read());
    TRY(connection_.execute(kTables));
    ASSIGN_OR_RETURN(verdict_.broken_at,
                     replay_audit(connection_, [this](const AuditRecord& r) { return take(r); }));
    if (!verdict_.broken_at) {
      TRY(compare_certificates());
      TRY(compare_secrets());
      TRY(compare_transactions());
    }
    TRY(snapshot.commit());
    return verdict_;
  }

 private:
  // What a record says.

  Result<void> take(const AuditRecord& record) {
    verdict_.records = record.id;
    const auto& event = record.event;
    const auto kind = event.substr(0, event.find('.'));
    if (kind != "certificate" && kind != "instance" && kind != "ca" && kind != "secret" &&
        kind != "message") {
      return {};
    }
    const auto detail = json::parse(record.detail, nullptr, false);
    if (!detail.is_object()) return {};
    if (event == "certificate.issued" || event == "instance.made" || event == "ca.credential") {
      return issued(record.id, detail);
    }
    if (event == "ca.rollover") return rolled_over(record.id, detail);
    if (event == "certificate.revoked") return revoked(record.id, detail);
    if (event == "certificate.released") return released(record.id, detail);
    if (event == "certificate.changed") {
      return becomes(record.id, detail, text_in(detail, "state"), "");
    }
    if (event == "secret.added") return secret_added(record.id, detail);
    if (event == "secret.removed") return secret_removed(detail);
    if (event == "message.answered") return answered(record, detail);
    return {};
  }

  Result<void> issued(std::int64_t record, const json& detail) {
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
    if (added == 0)
      differ("certificate " + to_hex(*serial) + " was issued twice, the second time " + by(record));
    return {};
  }

  static std::optional<std::string> known_in(const json& detail, const char* key) {
    auto text = text_in(detail, key);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
  }

  // Records of earlier versions name the new CMP certificate by its fingerprint alone.
  Result<void> rolled_over(std::int64_t record, const json& detail) {
    if (detail.contains("serial")) return issued(record, detail);
    TRY(change(connection_, "INSERT INTO temp.said_cmp VALUES (?) ON CONFLICT DO NOTHING",
               text_in(detail, "cmp")));
    return {};
  }

  Result<void> revoked(std::int64_t record, const json& detail) {
    const auto reason = text_in(detail, "reason");
    return becomes(record, detail, reason == "certificateHold" ? "held" : "revoked", reason);
  }

  // Earlier versions made each one valid.
  Result<void> released(std::int64_t record, const json& detail) {
    const auto state = text_in(detail, "state");
    return becomes(record, detail, state.empty() ? "valid" : state, "");
  }

  Result<void> becomes(std::int64_t record, const json& detail, std::string_view state,
                       std::string_view reason) {
    const auto serial = serial_in(detail);
    if (!serial) return {};
    TRY(change(connection_,
               "INSERT INTO temp.said_certificate VALUES (?1, ?2, NULL, NULL, ?3, ?4) ON CONFLICT "
               "DO UPDATE SET record = ?2, state = ?3, reason = ?4",
               *serial, record, state, reason));
    return {};
  }

  Result<void> secret_added(std::int64_t record, const json& detail) {
    TRY(change(connection_, "INSERT OR REPLACE INTO temp.said_secret VALUES (?, ?, ?, ?, 0, 0)",
               key_in(detail), record, text_in(detail, "columns"), text_in(detail, "sha256")));
    return {};
  }

  Result<void> secret_removed(const json& detail) {
    TRY(change(connection_, "DELETE FROM temp.said_secret WHERE reference = ?", key_in(detail)));
    return {};
  }

  Result<void> count_uses(const json& detail) {
    const auto used = text_in(detail, "used"), uses = text_in(detail, "uses");
    if (used.empty()) return {};
    TRY(change(connection_,
               "UPDATE temp.said_secret SET uses = uses + CAST(? AS INTEGER) WHERE reference = ?",
               uses, used));
    return {};
  }

  Result<void> answered(const AuditRecord& record, const json& detail) {
    TRY(count_uses(detail));
    const auto transaction = text_in(detail, "transaction");
    if (transaction.empty()) return {};
    if (!transactions_since_) transactions_since_ = record.time;
    if (transaction != "opened") return {};
    TRY(change(connection_, "INSERT INTO temp.said_tx VALUES (?, ?) ON CONFLICT DO NOTHING",
               text_in(detail, "tid"), record.id));
    return {};
  }

  // What the tables say. Both sides come in the order of their keys, so each is read once.

  Result<void> compare_certificates() {
    ASSIGN_OR_RETURN(auto said, open(connection_,
                                     "SELECT serial, record, subject, digest, state, reason FROM "
                                     "temp.said_certificate ORDER BY serial",
                                     read_said));
    ASSIGN_OR_RETURN(auto rows, open(connection_,
                                     "SELECT serial, subject, der, state, reason, not_after FROM "
                                     "certificate ORDER BY serial",
                                     read_certificate));
    while (said.is_there() || rows.is_there()) {
      const auto order = order_of(said, rows, &SaidCertificate::serial, &CertificateRow::serial);
      if (order < 0) {
        differ("certificate " + to_hex(said->serial) + " (" + said->subject.value_or("") +
               ") is missing: it " + std::string(word_for(said->state)) + " " + by(said->record));
      } else if (order > 0) {
        TRY(certificate_without_record(*rows));
      } else {
        compare(*said, *rows);
      }
      if (order <= 0) TRY(said.next());
      if (order >= 0) TRY(rows.next());
    }
    return {};
  }

  static std::string_view word_for(std::string_view state) {
    return state == "revoked" ? "was revoked" : state == "held" ? "was put on hold" : "was issued";
  }

  Result<void> certificate_without_record(const CertificateRow& row) {
    ASSIGN_OR_RETURN(
        const bool known,
        any(connection_, "SELECT 1 FROM temp.said_cmp WHERE digest = ?", to_hex(sha256(row.der))));
    ++verdict_.certificates;
    if (!known) {
      differ("certificate " + to_hex(row.serial) + " (" + row.subject +
             ") is in the ledger, and no record says that it was issued");
    }
    return {};
  }

  void compare(const SaidCertificate& said, const CertificateRow& row) {
    ++verdict_.certificates;
    const auto name = "certificate " + to_hex(row.serial);
    if (!said.digest) ++verdict_.certificates_by_serial;
    if (said.digest && *said.digest != to_hex(sha256(row.der))) {
      differ(name + " was changed: its octets are not those that were issued");
    }
    if (said.subject && *said.subject != printable(row.subject, kLongestDetail)) {
      differ(name + " was changed: its subject is " + row.subject + ", and that of the record " +
             *said.subject);
    }
    // By this a revoked certificate leaves the CRLs.
    if (const auto certificate = Certificate::from_der(row.der); !certificate) {
      differ(name + " cannot be read");
    } else if (certificate->not_after() != row.not_after) {
      differ(name + " was changed: it ends " + to_iso8601(certificate->not_after()) +
             ", and the ledger says " + to_iso8601(row.not_after));
    }
    compare_states(said, row, name);
  }

  void compare_states(const SaidCertificate& said, const CertificateRow& row,
                      const std::string& name) {
    if (!fits(said.state, row.state)) {
      differ(name + " is " + row.state + ", and it " +
             (said.state == kSomeGoodState ? "was never revoked or put on hold"
                                           : "became " + said.state) +
             " " + by(said.record));
    } else if (const auto reason = reason_of(row); !said.reason.empty() && reason != said.reason) {
      differ(name + " was changed: it is revoked for " + reason + ", and for " + said.reason + " " +
             by(said.record));
    }
  }

  static bool fits(std::string_view said, std::string_view state) {
    if (said != kSomeGoodState) return said == state;
    return state == "valid" || state == "unconfirmed" || state == "updated";
  }

  static std::string reason_of(const CertificateRow& row) {
    const auto reason = row.reason ? crl_reason(*row.reason) : CRLReason::unspecified;
    return reason ? to_string(*reason) : "an unknown reason";
  }

  Result<void> compare_secrets() {
    TRY(each(connection_, "SELECT reference, uses FROM secret ORDER BY reference",
             [&](Row& row) -> Result<void> {
               const auto [reference, uses] = columns<std::string, std::int64_t>(row);
               return compare_secret(reference, uses);
             }));
    TRY(each(connection_,
             "SELECT reference, record FROM temp.said_secret WHERE seen = 0 ORDER BY reference",
             [&](Row& row) {
               const auto [reference, record] = columns<std::string, std::int64_t>(row);
               differ("secret " + reference + " is missing: it was added " + by(record));
             }));
    return {};
  }

  struct SaidSecret {
    std::int64_t record = 0, uses = 0;
    std::string columns, digest;
  };

  Result<std::optional<SaidSecret>> find_secret(const std::string& reference) {
    TRY(change(connection_, "UPDATE temp.said_secret SET seen = 1 WHERE reference = ?", reference));
    const auto read = [](Row& row) {
      SaidSecret said;
      row.into(said.record, said.columns, said.digest, said.uses);
      return said;
    };
    return one(connection_,
               "SELECT record, columns, digest, uses FROM temp.said_secret WHERE reference = ?",
               read, reference);
  }

  Result<void> compare_secret(const std::string& reference, std::int64_t uses) {
    ++verdict_.secrets;
    ASSIGN_OR_RETURN(const auto said, find_secret(printable(reference)));
    const auto name = "secret " + reference;
    if (!said) {
      differ(name + " is in the ledger, and no record says that it was added");
    } else if (!is_column_list(said->columns)) {
      ++verdict_.secrets_by_name;
    } else {
      ASSIGN_OR_RETURN(const auto digest, digest_of_columns(connection_, said->columns, reference));
      if (digest != said->digest) {
        differ(name + " was changed since it was added " + by(said->record));
      }
    }
    if (said && uses < said->uses) {
      differ(name + " was changed: it counts " + std::to_string(uses) + " uses, and the records " +
             std::to_string(said->uses));
    }
    return {};
  }

  Result<void> compare_transactions() {
    ASSIGN_OR_RETURN(auto said,
                     open(connection_, "SELECT tid, record FROM temp.said_tx ORDER BY tid",
                          columns<std::string, std::int64_t>));
    ASSIGN_OR_RETURN(auto rows,
                     open(connection_, "SELECT lower(hex(tid)), opened FROM tx ORDER BY tid",
                          columns<std::string, Time>));
    constexpr auto kTid = [](const auto& row) -> const auto& { return std::get<0>(row); };
    while (said.is_there() || rows.is_there()) {
      const auto order = order_of(said, rows, kTid, kTid);
      if (order < 0) {
        const auto& [tid, record] = *said;
        differ("transaction " + tid + " is missing: it was opened " + by(record));
      } else {
        ++verdict_.transactions;
        if (order > 0) transaction_without_record(std::get<0>(*rows), std::get<1>(*rows));
      }
      if (order <= 0) TRY(said.next());
      if (order >= 0) TRY(rows.next());
    }
    return {};
  }

  void transaction_without_record(const std::string& tid, Time opened) {
    const bool covered = transactions_since_ && opened >= *transactions_since_;
    if (!covered) {
      ++verdict_.transactions_without_record;
      return;
    }
    differ("transaction " + tid + " is in the ledger, and no record says that it was opened");
  }

  static std::string by(std::int64_t record) { return "by record " + std::to_string(record); }

  void differ(const std::string& text) {
    ++verdict_.differences;
    tell_(printable(text, 2000));
  }

  Connection& connection_;
  const std::function<void(const std::string&)>& tell_;
  LedgerVerdict verdict_;
  std::optional<Time> transactions_since_;  // the first record that says something about them
};

}  // namespace

Result<LedgerVerdict> verify_ledger(LedgerReader& reader,
                                    const std::function<void(const std::string&)>& tell) {
  return Comparison(reader, tell).run();
}

Result<SecretDigest> secret_digest(Connection& connection, std::string_view reference) {
  // Whatever a later version adds stays out of what this one vouches for, and the other way round.
  SecretDigest digest;
  TRY(each(connection,
           "SELECT name FROM pragma_table_info('secret') WHERE name <> 'uses' ORDER BY name",
           [&](Row& row) {
             digest.columns += (digest.columns.empty() ? "" : ",") + row.next<std::string>();
           }));
  ASSIGN_OR_RETURN(digest.sha256, digest_of_columns(connection, digest.columns, reference));
  return digest;
}

}  // namespace cmpost
