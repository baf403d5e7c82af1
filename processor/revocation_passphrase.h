// Revocation passphrases: who has lost a key can still have its certificates revoked (RFC 9810
// 5.3.19.9 and Appendix B; ).
#pragma once

#include <optional>
#include <string>

#include "processor/authority.h"
#include "processor/request.h"
#include "processor/requester.h"

namespace cmpost {

struct Services;

// Sealed, for one subject: it revokes the certificates of this subject and does nothing else.
struct RevocationPassphrase {
  std::string subject;
  Bytes key_identifier;  // localKeyId: chosen by the sender, senderKID of the rr; may be empty
  Bytes sealed;
  Time at{};
};

// How such a passphrase is called where secrets have references: in credentials, audit records and
// failures.
std::string passphrase_reference(const std::string& subject);
bool is_passphrase_credential(std::string_view credential);

// Whether this channel takes them at all (`revocation_passphrase`, never when strict).
bool takes_passphrases(const ChannelSettings& channel);
// The one that a header brings, where the channel takes them.
const InfoTypeAndValue* header_passphrase(const PKIHeader& header, const ChannelPolicy& channel);

// Takes the value of id-it-revPassphrase: EnvelopedData for one of our keys (pvno 3). It is for the
// subject of the certificate that protects the message, or for the only subject that the secret may
// ask for; notAuthorized for anybody else. badRequest for what cannot be opened, or is too simple.
Outcome<RevocationPassphrase> take_passphrase(const InfoTypeAndValue& item, const Request& request,
                                              const Requester& requester, const Services& services);

// A view on a connection; thread and durability are the connection's.
class RevocationPassphrases {
 public:
  explicit RevocationPassphrases(Connection& connection) : connection_(connection) {}

  // The newest one of a subject counts.
  Result<void> put(const RevocationPassphrase& passphrase);
  // That of the sender's name, else the only one that has senderKID as its key identifier.
  Result<std::optional<RevocationPassphrase>> find(const PKIHeader& header);

 private:
  Result<std::optional<RevocationPassphrase>> of_subject(const std::string& subject);

  Connection& connection_;
};

// Its value. The caller wipes it.
Result<Bytes> unseal(const RevocationPassphrase& passphrase, const SealingKey& sealing_key);

}  // namespace cmpost
