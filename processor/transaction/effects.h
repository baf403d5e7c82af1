// What answering a request changes in the ledger. A handler only plans it; it happens in one commit
// with the stored answer, or not at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/seldom.h"
#include "ca/ledger/certificate_record.h"
#include "ca/ledger/ledger.h"
#include "processor/credentials/envelope_tables.h"
#include "processor/credentials/key_archive.h"
#include "processor/credentials/passphrase_table.h"
#include "processor/credentials/protection_tables.h"
#include "processor/devices/sought_device.h"
#include "processor/rulings/rule_record.h"
#include "processor/transaction/announcement_table.h"
#include "processor/transaction/conflict.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction.h"
#include "processor/transaction/waiting.h"
#include "processor/upstream/orphan_table.h"
#include "processor/upstream/own_renewal.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

struct StateChange {
  Bytes serial;
  std::vector<CertificateState> expected;
  CertificateState state;
};
struct Revocation {
  Bytes serial;
  CRLReason reason = CRLReason::unspecified;
  Time when{};
  std::optional<Time> invalidity_date;
};
// Certificates that a secret has brought; what it is good for becomes fewer. Less than zero: what
// was asked of a CA above is given back, where the secret is still there.
struct SecretUse {
  std::string reference;
  Bytes identity;  // Secret::identity: another one may have got the reference meanwhile
  std::int64_t certificates = 1;
};
// A key that no certificate may have but those of these effects: there was none among the first
// `seen` certificates of the ledger.
struct FreshKey {
  Bytes spki;
  std::int64_t seen = 0;
};
struct AuditEntry {
  std::string event;   // "certificate.issued"
  std::string detail;  // JSON
  // Of a message that nobody is known to have sent: the channel. Only so many an hour are kept.
  std::string stranger_on{};
};

struct Effects {
  std::optional<Transaction> open;  // a new one; its transactionID must be unused
  // ... and of other transactions that renew the same certificate only so many may be open.
  std::size_t open_renewals = 0;
  struct Advance {
    Transaction after;
    TransactionState before = TransactionState::open;
  };
  Seldom<Advance> advance;  // of one that has not ended
  // Version 0 is a new one, of a transaction that is opened or that was challenged; else the next
  // version of one that is there.
  Seldom<Waiting> waiting;
  bool waiting_parts_changed = true;
  // A new one: who agrees already to what its parts ask for. Empty: nobody.
  std::string endorsed_by;
  // The device of the list that the transaction is about: its certificates are noted with it.
  // `most`: how many there may be, renewals apart; what is asked of a CA above counts before that
  // has answered.
  struct DeviceUse {
    std::int64_t device = 0;
    std::optional<std::int64_t> most{};
  };
  std::optional<DeviceUse> device;
  std::vector<SoughtDevice> sought;  // it waits for the row of one of these
  // What rules have said of its parts; how often they have approved, and on what.
  std::vector<RuleRecord> rule_records;
  std::vector<RuleUse> rule_uses;
  std::vector<RuleGuard> rule_guards;
  // Belongs to the transaction of the above. `replaces`: the answer to a message that is stored
  // without one.
  std::optional<StoredMessage> message;
  bool message_replaces = false;
  // What a stored message that had to wait has come to in the end.
  struct Settled {
    Sha256 digest{};
    std::string outcome;
    MessageResult result = MessageResult::granted;
    std::string failInfo;
  };
  Seldom<Settled> settled;
  // A stored message has come again.
  struct Repeated {
    std::int64_t transaction = 0;
    std::string came_as;
  };
  Seldom<Repeated> repeated;
  // Of an RA: messages to a CA above that leave with it, and what becomes of those that have left.
  std::vector<UpstreamMessage> send_up;
  std::vector<UpstreamChange> upstream;
  Seldom<RenewalChange> renewal;  // of the own certificate
  std::vector<Orphan> orphans;    // certificates of it that nobody has
  std::vector<OrphanChange> orphan_changes;
  std::vector<CertificateRecord> certificates;
  // Of an RA: certificates of the CA above that pass it. One whose serial number is known already,
  // perhaps of another issuer, is not noted again.
  std::vector<CertificateRecord> passing;
  std::vector<FreshKey> fresh_keys;  // reuse_key = "deny"
  std::vector<StateChange> state_changes;
  std::vector<Revocation> revocations;
  std::vector<Bytes> unrevocations;  // serials
  std::optional<SecretUse> use_secret;
  Seldom<ReceivedAnnouncement> announcement;
  Seldom<SecretFailure> secret_failure;
  std::vector<SecretFailure> token_failures;
  Time failures_from{};  // of those secrets, those before are forgotten
  std::vector<KemSecret> kem_secrets;
  std::vector<std::string> use_tokens;  // references of regTokens
  std::vector<ArchivedKey> archived_keys;
  std::vector<Bytes> forgotten_keys;  // serials of certificates whose archived keys go
  Seldom<RevocationPassphrase> passphrase;
  std::vector<EnvelopeUse> envelopes;
  std::vector<EnvelopeFailure> envelope_failures;
  Time envelope_failures_from{};   // those before are forgotten
  Seldom<RefusedRequest> refused;  // when nothing of the above keeps it
  std::vector<AuditEntry> audit;

  // The effects of a part of a request that goes on to the rest.
  void merge(Effects&& more);
  // Something that was asked for happens by it; the rest notes who asked and what was said.
  bool grants() const;
  // A certificate has become or has ceased to be revoked: a new CRL is due.
  bool changes_crl() const { return !revocations.empty() || !unrevocations.empty(); }
};

// Applies all of it inside a ledger commit, or nothing: with what another request has changed of
// what these effects build on since they were planned, if it has. Then the request must be worked
// on again.
Result<std::optional<Conflict>> apply(const Effects& effects, LedgerWriter& writer, Time now);
// The same for the members of a batch one after the other, then for the batch: `rows` gets the row
// of the message that was stored, or 0, and the pieces of the answer to the batch name its indices.
using MessageRows = std::vector<std::int64_t>;
Result<std::optional<Conflict>> apply(const Effects& effects, LedgerWriter& writer, Time now,
                                      MessageRows& rows);

}  // namespace cmpost
