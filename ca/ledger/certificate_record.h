// What the ledger knows of one issued certificate.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {

// Spelled in the database and in listings as here.
enum class CertificateState {
  unconfirmed,  // issued, the requester has not confirmed it yet; counts as valid
  valid,
  updated,  // renewed by a confirmed kur; counts as valid unless revoked
  held,     // certificateHold
  revoked,  // for good; also what a requester refused in certConf
};
std::string_view to_string(CertificateState state);
std::optional<CertificateState> certificate_state(std::string_view text);

// Whose a certificate, or what is kept here for it, is: processor/credentials/holder_identity.h.
struct HolderIdentity {
  Bytes value;  // as the ledger has it; never empty
  friend bool operator==(const HolderIdentity&, const HolderIdentity&) = default;
};

struct CertificateRecord {
  std::int64_t id = 0;  // of the row; 0 before it is stored
  Bytes serial;         // INTEGER content octets
  Bytes der;
  std::string subject;  // RFC 4514, to be read by people: names are compared as in `der`
  std::string profile;
  std::string channel;
  std::string requester;  // "mac:REF" or "cert:CN=...": who asked
  std::string tid;        // transactionID in hex
  Time issued{};
  Time not_after{};
  CertificateState state = CertificateState::valid;
  std::optional<CertificateState> held_from;  // held: what it was before
  std::optional<Time> revoked_at;
  std::optional<CRLReason> reason;
  std::optional<Time> invalidity_date;
  Bytes holder{};  // whose it is, where the subject does not say it
                   // (processor/credentials/holder_identity.h)
};

}  // namespace cmpost
