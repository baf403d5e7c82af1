// Who we are to those that we exchange messages with, as a CA or as an RA: what signs and MACs our
// messages, and what others encrypt to us.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cmp/pki_body.h"
#include "config/settings.h"
#include "crypto/envelope/envelope.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"
#include "processor/credentials/envelope_tables.h"

namespace cmpost {

// A key pair of ours that neither issues nor signs. What it is for is what its certificate allows:
// keyAgreement (DHBasedMac, agreeMAC), keyEncipherment (KEM, what others encrypt to us).
struct ProtocolKey {
  PrivateKey key;
  Certificate certificate;
  std::vector<CMPCertificate> chain;  // it first
};

// Immutable once made; any thread.
struct Identity {
  Certificate certificate;  // protects what we send; by default not the issuing key
  Signer signer;
  Bytes key_identifier;                   // senderKID of what we sign
  std::vector<CMPCertificate> chain;      // extraCerts of what we sign: signer first
  std::vector<CMPCertificate> issuers{};  // the rest of it; without a root, unless it is wanted
  std::vector<ProtocolKey> protocol_keys{};
  // What was opened with protocol_keys lately; shared by the copies of an Identity.
  std::shared_ptr<EnvelopeMemory> envelopes = std::make_shared<EnvelopeMemory>();
  // What it has taken the place of, as long as something goes on under that.
  std::vector<std::shared_ptr<const Identity>> former{};

  // The one of these with this key_identifier; *this where there is none.
  const Identity& of_signer(ByteView key_id) const;
  // The one for Diffie-Hellman with `peer`: that with this key identifier, if one is given, else
  // the first of the same kind. nullptr: none.
  const ProtocolKey* agreement_key(const PublicKey& peer,
                                   const std::optional<Bytes>& key_identifier) const;
  // The first that may encapsulate; nullptr: none.
  const ProtocolKey* kem_key() const;
};

// What was encrypted to one of our protocol_keys: see decrypt_envelope(). Its sender must not learn
// what comes out; received_envelope.h is the way to it.
Result<DecryptedContent> open_for_us(ByteView enveloped, const Identity& identity);

// What an Identity is read from, and what its certificates are sent with.
struct IdentityFiles {
  std::string certificate, key;
  std::optional<std::string> key_password_file;
  std::vector<ProtocolKeySettings> protocol_keys;
  bool send_root = false;
  std::vector<CMPCertificate> links;    // of roll-overs: holders of either root can follow them
  std::vector<CMPCertificate> issuers;  // of all of these
  // The certificate may have ended: an RA asks for the next one (Role::is_over).
  bool may_be_over = false;
};
// An Error says which file, what is wrong and what to do: a key that does not fit its certificate,
// a certificate that has expired.
Result<Identity> load_identity(IdentityFiles files, const Clock& clock);

}  // namespace cmpost
