// Revocation passphrases in the ledger database: what they are for is
// revocation_passphrase.h's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "ca/ledger/ledger.h"
#include "cmp/pki_message.h"
#include "crypto/secrets/seal.h"
#include "processor/credentials/holder_identity.h"

namespace cmpost {

// Sealed, of one holder: it revokes the certificates of this holder and does nothing else.
struct RevocationPassphrase {
  HolderIdentity holder;
  std::string subject;     // for people
  std::string sealed_for;  // what the seal is bound to
  Bytes key_identifier;    // localKeyId: chosen by the sender, senderKID of the rr; may be empty
  Bytes sealed;
  Time at{};
};

// How such a passphrase is called where secrets have references: in audit records and failures.
std::string passphrase_reference(const HolderIdentity& holder);
// Whose passphrase has opened a transaction with this credential (Requester::credential); nullopt:
// it was something else.
std::optional<HolderIdentity> passphrase_holder(std::string_view credential);

// A view on a connection; thread and durability are the connection's.
class RevocationPassphrases {
 public:
  explicit RevocationPassphrases(Connection& connection) : connection_(connection) {}

  // The newest one of a holder counts. Before holders were known there was one for each spelling of
  // a subject (table rev_passphrase): it is that of who has the name.
  Result<void> put(const RevocationPassphrase& passphrase);
  // Which may have protected a message: that of the holder of the first certificate that rr names,
  // else that of the sender's name, else the only one that has senderKID as its key identifier. All
  // of these are what the message says; the MAC shows whether it is true.
  Result<std::optional<RevocationPassphrase>> find(const PKIMessage& message, LedgerReader& ledger);
  Result<std::optional<RevocationPassphrase>> of_holder(const HolderIdentity& holder);

 private:
  Result<std::optional<RevocationPassphrase>> of_target(const PKIMessage& message,
                                                        LedgerReader& ledger);
  Result<std::optional<RevocationPassphrase>> named(const Name& subject);
  Result<std::optional<RevocationPassphrase>> with_key_identifier(ByteView key_identifier);

  Connection& connection_;
};

// What the seal of a passphrase is bound to.
std::string passphrase_context(const std::string& sealed_for);
// Its value. The caller wipes it.
Result<Bytes> unseal(const RevocationPassphrase& passphrase, const SealingKey& sealing_key);

}  // namespace cmpost
