#include "processor/revocation_passphrase.h"

#include "crypto/envelope_attributes.h"
#include "processor/handlers.h"
#include "processor/received_envelope.h"

namespace cmpost {
namespace {

// Longer than what people remember, shorter than what somebody might want to fill the ledger with.
constexpr std::size_t kMostOctets = 256;
// A certificate that is revoked by a stranger is a nuisance and no disaster; 64 bits cannot be
// guessed from one recorded rr within the time that matters.
constexpr double kMinBits = 64;
constexpr std::size_t kMaxKeyIdentifier = 64;

constexpr std::string_view kPrefix = "passphrase:";

std::string passphrase_context(const std::string& subject) { return "rev_passphrase/" + subject; }

// Whose certificates it will revoke.
Checked<std::string> subject_for(const Requester& requester) {
  if (const auto* holder = requester.certificate()) {
    if (holder->role == CertificateHolder::Role::end_entity) {
      return holder->certificate.subject().text();
    }
    return reject(PKIFailureInfo::notAuthorized,
                  "a revocation passphrase is for holders of certificates of this CA");
  }
  const auto& allowed = requester.secret()->secret.subject;
  const bool one = !allowed.empty() && allowed.find('*') == std::string::npos;
  const auto subject = one ? Name::from_text(allowed) : hold("many subjects");
  if (subject) return subject->text();
  return reject(PKIFailureInfo::notAuthorized,
                "the secret is for many subjects: nobody knows whose passphrase this is");
}

bool is_hard_to_guess(ByteView passphrase) {
  return passphrase.size() <= kMostOctets && guessing_bits(passphrase) >= kMinBits;
}

RevocationPassphrase read_row(const Statement& row) {
  return {std::string(row.text(0)), to_bytes(row.blob(1)), to_bytes(row.blob(2)),
          from_unix_micros(row.integer(3))};
}

}  // namespace

std::string passphrase_reference(const std::string& subject) {
  return std::string(kPrefix) + subject;
}

bool is_passphrase_credential(std::string_view credential) {
  const auto colon = credential.find(':');
  return colon != credential.npos && credential.substr(colon + 1).starts_with(kPrefix);
}

bool takes_passphrases(const ChannelSettings& channel) {
  return channel.revocation_passphrase && !channel.strict;
}

const InfoTypeAndValue* header_passphrase(const PKIHeader& header, const ChannelPolicy& channel) {
  if (!takes_passphrases(channel.settings)) return nullptr;
  return find(header.generalInfo, oid::id_it_revPassphrase);
}

Outcome<RevocationPassphrase> take_passphrase(const InfoTypeAndValue& item, const Request& request,
                                              const Requester& requester,
                                              const Services& services) {
  ASSIGN_OR_RETURN(auto subject, subject_for(requester));
  // pvno 2 would have it in an EncryptedValue, which is not opened here.
  const bool enveloped = request.message.header.pvno >= kCmp2021 && item.infoValue &&
                         !item.infoValue->empty() &&
                         item.infoValue->front() == der::context_constructed(0);
  if (!enveloped) {
    return reject(PKIFailureInfo::badRequest, "revPassphrase needs EnvelopedData and pvno 3");
  }
  Bytes der = *item.infoValue;
  der[0] = der::kSequence;
  // Before anything is decrypted: it stands beside.
  auto key_identifier = local_key_id(der).value_or(Bytes());
  if (key_identifier.size() > kMaxKeyIdentifier) {
    return reject(PKIFailureInfo::badRequest, "localKeyId is too long");
  }
  ASSIGN_OR_RETURN(auto value,
                   open_passphrase(der, is_hard_to_guess, request, requester, services));
  auto sealed = services.sealing_key.seal(value, passphrase_context(subject), services.random);
  wipe(value);
  if (!sealed) return failure(std::move(sealed).error());
  return RevocationPassphrase{std::move(subject), std::move(key_identifier), std::move(*sealed),
                              request.now};
}

Result<void> RevocationPassphrases::put(const RevocationPassphrase& passphrase) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT OR REPLACE INTO rev_passphrase (subject, kid, "
                                         "sealed, at) VALUES (?, ?, ?, ?)"));
  insert->bind(1, std::string_view(passphrase.subject));
  insert->bind(2, ByteView(passphrase.key_identifier));
  insert->bind(3, ByteView(passphrase.sealed));
  insert->bind(4, to_unix_micros(passphrase.at));
  TRY(insert->execute());
  return {};
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::of_subject(
    const std::string& subject) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement(
                       "SELECT subject, kid, sealed, at FROM rev_passphrase WHERE subject = ?"));
  rows->bind(1, std::string_view(subject));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto passphrase = read_row(*rows);
  rows->reset();
  return passphrase;
}

Result<std::optional<RevocationPassphrase>> RevocationPassphrases::find(const PKIHeader& header) {
  if (const auto sender = header.sender.directory_name(); sender && !sender->is_null_dn()) {
    ASSIGN_OR_RETURN(auto found, of_subject(sender->text()));
    if (found) return found;
  }
  if (!header.senderKID || header.senderKID->empty()) return std::nullopt;
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT subject, kid, sealed, at FROM rev_passphrase "
                                         "WHERE kid = ? AND kid <> x'' LIMIT 2"));
  rows->bind(1, ByteView(*header.senderKID));
  std::vector<RevocationPassphrase> named;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows->step());
    if (!row) break;
    named.push_back(read_row(*rows));
  }
  if (named.size() != 1) return std::nullopt;  // anybody chooses any identifier
  return std::move(named.front());
}

Result<Bytes> unseal(const RevocationPassphrase& passphrase, const SealingKey& sealing_key) {
  return sealing_key.unseal(passphrase.sealed, passphrase_context(passphrase.subject));
}

}  // namespace cmpost
