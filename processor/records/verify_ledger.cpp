#include "processor/records/verify_ledger.h"

#include "crypto/keys/algorithm.h"
#include "processor/records/recorded_state.h"
#include "processor/records/secret_digest.h"
#include "processor/transaction/audit_detail.h"
#include "store/database_transaction.h"
#include "store/rows.h"

namespace cmpost {
namespace {

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
      : connection_(reader.connection()),
        tell_(tell),
        said_(connection_, [this](const std::string& text) { differ(text); }) {}

  Result<LedgerVerdict> run() {
    DatabaseTransaction snapshot(connection_);
    TRY(snapshot.begin_read());
    TRY(said_.begin());
    ASSIGN_OR_RETURN(verdict_.broken_at,
                     replay_audit(connection_, [this](const AuditRecord& record) {
                       verdict_.records = record.id;
                       return said_.take(record);
                     }));
    if (!verdict_.broken_at) {
      TRY(compare_certificates());
      TRY(compare_secrets());
      TRY(compare_transactions());
    }
    TRY(snapshot.commit());
    return verdict_;
  }

 private:
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
               ") is missing: it " + std::string(word_for(said->state)) + " " +
               by_record(said->record));
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
             " " + by_record(said.record));
    } else if (const auto reason = reason_of(row); !said.reason.empty() && reason != said.reason) {
      differ(name + " was changed: it is revoked for " + reason + ", and for " + said.reason + " " +
             by_record(said.record));
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
               differ("secret " + reference + " is missing: it was added " + by_record(record));
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
        differ(name + " was changed since it was added " + by_record(said->record));
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
        differ("transaction " + tid + " is missing: it was opened " + by_record(record));
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
    const auto since = said_.transactions_since();
    if (!since || opened < *since) {
      ++verdict_.transactions_without_record;
      return;
    }
    differ("transaction " + tid + " is in the ledger, and no record says that it was opened");
  }

  void differ(const std::string& text) {
    ++verdict_.differences;
    tell_(printable(text, 2000));
  }

  Connection& connection_;
  const std::function<void(const std::string&)>& tell_;
  LedgerVerdict verdict_;
  RecordedState said_;
};

}  // namespace

Result<LedgerVerdict> verify_ledger(LedgerReader& reader,
                                    const std::function<void(const std::string&)>& tell) {
  return Comparison(reader, tell).run();
}

}  // namespace cmpost
