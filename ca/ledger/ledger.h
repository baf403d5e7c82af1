// The ledger database: what was issued, to whom, why, and what became of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ca/ledger/audit.h"
#include "ca/ledger/certificate_record.h"
#include "ca/ledger/key_filter.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

// Reads. One thread at a time; each sees what was committed before its last call.
class LedgerReader {
 public:
  explicit LedgerReader(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  Connection& connection() { return *connection_; }

  Result<std::optional<CertificateRecord>> find(ByteView serial);
  // One by one, so that memory stays flat; how many match, whatever limit and offset say. Sorts by
  // subject, profile, channel, requester, state or notAfter.
  Result<std::int64_t> for_each(const ListFilter& filter,
                                const std::function<Result<void>(const CertificateRecord&)>& each);
  // The newest `limit` serial numbers that begin with these hexadecimal digits, as serial_text()
  // writes them.
  Result<std::vector<Bytes>> serials_beginning(std::string_view digits, std::size_t limit);
  // Certificates with this key that are neither revoked nor expired at `now`, newest first
  // as a rule. By the hash of the SubjectPublicKeyInfo, indexed. The first call reads the hashes of
  // all certificates (see key_filter.h), so keep the reader.
  Result<std::vector<CertificateRecord>> with_key(ByteView spki, Time now);
  // The same in whatever state, expired or not.
  Result<std::vector<CertificateRecord>> ever_with_key(ByteView spki);
  // Held and revoked ones whose notAfter is not before the given time.
  Result<std::vector<RevokedCertificate>> revoked(Time not_expired_before);
  Result<std::optional<std::pair<std::uint64_t, Bytes>>> newest_crl();        // number, DER
  Result<std::optional<std::pair<std::uint64_t, Bytes>>> newest_delta_crl();  // number, DER
  struct CrlRow {
    std::int64_t number = 0;
    std::optional<std::int64_t> base;  // of a delta CRL
    Time this_update{}, next_update{};
    std::size_t size = 0;  // octets
  };
  Result<std::int64_t> for_each_crl(const ListFilter& filter,
                                    const std::function<Result<void>(const CrlRow&)>& each);
  Result<std::int64_t> count();
  // Audit records with a larger id, ascending; and the newest one's number and hash.
  Result<std::vector<AuditRecord>> audit(std::int64_t after_id, std::size_t limit);
  // One by one; how many match, whatever limit and offset say. `reason`: a part of the detail.
  Result<std::int64_t> for_each_audit(const ListFilter& filter,
                                      const std::function<Result<void>(const AuditRecord&)>& each);
  // The events that there are.
  Result<std::vector<std::string>> audit_events();
  Result<AuditHead> audit_head();

 private:
  std::unique_ptr<Connection> connection_;
  KeyFilter key_filter_;
};

// What writing certificates means inside one commit. Only valid inside Ledger::write. It remembers
// the last id and the end of the audit chain: after a savepoint was rolled back over add() or
// audit() forget() must be called.
class LedgerWriter {
 public:
  explicit LedgerWriter(Connection& connection, const Clock& clock)
      : connection_(connection), clock_(clock) {}
  // For the processor's own tables in the same commit.
  Connection& connection() { return connection_; }
  // Sees what this commit has written so far. In the same thread, and not longer than the commit.
  LedgerReader reader();

  // Stores `record` (its id is not looked at) and returns the id of the row. A serial number that
  // the ledger knows already is an Error.
  Result<std::int64_t> add(const CertificateRecord& record);
  // Whether a certificate behind the first `seen` ones has this key and is neither revoked nor
  // expired: what with_key() could not know when it was asked with so many.
  Result<bool> has_key(ByteView spki, std::int64_t seen, Time now);
  // Changes the state if it is one of `expected`, else false and nothing has changed. A certificate
  // that becomes revoked or held this way gets the present time as its revocationDate.
  Result<bool> change_state(ByteView serial, const std::vector<CertificateState>& expected,
                            CertificateState state);
  // valid/unconfirmed/updated/held -> revoked (or held for certificateHold). False when already
  // revoked, or already held for certificateHold. A held certificate that is revoked keeps the date
  // of its hold.
  Result<bool> revoke(ByteView serial, CRLReason reason, Time when,
                      std::optional<Time> invalidity_date);
  Result<bool> unrevoke(ByteView serial);  // held -> what it was before
  // A revocation of a certificate that this ledger does not have: it was published before a backup
  // was restored, and stays on every CRL. Known ones change nothing.
  Result<void> carry(const RevokedCertificate& entry);
  // CRLs up to this number have left, whether the ledger has them or not. A lower one changes
  // nothing.
  Result<void> keep_above(std::uint64_t crl_number);
  // Keeps the newest CRLs only. `base`: of a delta CRL.
  Result<void> add_crl(std::uint64_t number, ByteView der, Time this_update, Time next_update,
                       std::optional<std::uint64_t> base = {});

  // Appends to the hash chain, see audit.h. `detail` is JSON text without secrets.
  Result<void> audit(std::string_view event, std::string_view detail);

  // A savepoint has been rolled back over add() or audit(): what this remembers of them is read
  // anew.
  void forget() {
    last_id_.reset();
    audit_head_.reset();
  }

 private:
  Connection& connection_;
  const Clock& clock_;
  // Read once in the transaction, so that what another process wrote before it counts.
  std::optional<std::int64_t> last_id_;
  std::optional<AuditHead> audit_head_;
};

// Owns the writing connection. One writer at a time in this process (a mutex) and on this host
// (the database's lock); readers are never blocked.
class Ledger {
 public:
  // Opens and migrates, and with OpenMode::create makes it; `clock` must outlive it. `migrations`
  // of other folders' tables (the processor's) are applied after the ledger's own, each under its
  // own name.
  struct Schema {
    std::string name;
    std::vector<Migration> migrations;
  };
  static Result<std::unique_ptr<Ledger>> open(const std::string& url,
                                              const std::string& base_directory, const Clock& clock,
                                              const std::vector<Schema>& more = {},
                                              OpenMode mode = OpenMode::create);
  // Only to look: nothing is made, migrated or otherwise written. The schemas must be the newest.
  static Result<std::unique_ptr<LedgerReader>> look_into(const std::string& url,
                                                         const std::string& base_directory,
                                                         const std::vector<Schema>& more = {});
  ~Ledger();

  Result<std::unique_ptr<LedgerReader>> reader() const;  // a connection of its own
  // Runs `work` in one write transaction; commits when it returns OK, else rolls back and hands on
  // its Error. Once this has returned OK everything survives loss of power.
  Result<void> write(const std::function<Result<void>(LedgerWriter&)>& work);

  // See Connection: for who has time while nobody writes. write() waits for a checkpoint.
  std::int64_t log_size() const;
  Result<void> check_place() const;
  Result<bool> checkpoint();

  // Follows the audit chain from the first record; the number of the first record that does not
  // fit, or nullopt when all do.
  Result<std::optional<std::int64_t>> verify_audit();

 private:
  struct State;
  explicit Ledger(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cmpost
