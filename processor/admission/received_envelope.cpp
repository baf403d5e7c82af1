#include "processor/admission/received_envelope.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/envelope/envelope.h"
#include "processor/credentials/envelope_credential.h"

namespace cmpost {
namespace {

// One text for all.
tl::unexpected<Rejection> refused(PKIFailureInfo failInfo) {
  return reject(failInfo, "what is encrypted to this CA cannot be used");
}

// For the operator. In the order in which they are noticed.
enum class Fault { none, illegible, used_before, undecryptable, senseless, not_owned };

std::string_view words_of(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "";
    case Fault::illegible:
      return "it is malformed, for somebody else, or encrypted in a way that is not supported";
    case Fault::used_before:
      return "it is a changed copy of another envelope, or was sent by another credential before";
    case Fault::undecryptable:
      return "it was not encrypted to this CA's key, or was changed";
    case Fault::senseless:
      return "its content is not what it should be";
    case Fault::not_owned:
      return "its content names another owner";
  }
  return "";
}

// One envelope on its way, of one requester.
struct Receipt {
  const Request& request;
  const Requester& requester;
  const Services& services;
  PKIFailureInfo failInfo;
  std::string credential;
  Sha256 envelope{};
};

Receipt receive(Bytes& enveloped, PKIFailureInfo failInfo, const Request& request,
                const Requester& requester, const Services& services) {
  if (!enveloped.empty()) enveloped[0] = der::kSequence;
  return {request,          requester, services, failInfo, credential_of_envelopes(requester),
          sha256(enveloped)};
}

void warn(std::string_view event, const Receipt& receipt, std::string_view reason) {
  const auto& tid = receipt.request.message.header.transactionID;
  log::warning(event, {{"tid", tid ? to_hex(*tid) : ""},
                       {"requester", receipt.requester.text()},
                       {"channel", receipt.request.channel->settings.name},
                       {"reason", std::string(reason)}});
}

tl::unexpected<Rejection> fail(const Receipt& receipt, Fault fault) {
  warn("envelope.refused", receipt, words_of(fault));
  if (auto* const log = receipt.services.envelopes) {
    const EnvelopeFailure failure{receipt.credential, receipt.envelope, receipt.request.likely};
    receipt.services.identity.envelopes->count(failure);
    log->failures.push_back(failure);
    log->reasons.emplace_back(words_of(fault));
  }
  return refused(receipt.failInfo);
}

// A request that has waited was believed when it came.
Outcome<void> check_patience(const Receipt& receipt) {
  const auto& limits = receipt.request.channel->settings.envelopes;
  if (limits.refuse_after == 0 || receipt.request.waited != nullptr) return {};
  EnvelopeTable table(receipt.services.ledger.connection());
  const auto now = receipt.request.likely;
  ASSIGN_OR_RETURN(const auto stored, table.failures(receipt.credential, now - limits.refuse_time));
  const auto recent = receipt.services.identity.envelopes->failures(receipt.credential, now);
  if (std::max(stored, recent) < limits.refuse_after) return {};
  warn("envelope.unopened", receipt, "too many envelopes of this credential could not be used");
  return refused(receipt.failInfo);
}

// Told apart by its structure, which is no secret.
Outcome<void> check_kind(const Receipt& receipt, ByteView enveloped) {
  const bool any = !receipt.request.channel->settings.envelopes.authenticated;
  if (any || is_authenticated_envelope(enveloped)) return {};
  return reject(receipt.failInfo, "this channel takes AuthEnvelopedData (RFC 5083) only");
}

// By its name, or, in rows of versions that knew no more than the reference, by its time.
bool is_by_same(const EnvelopeUse& before, const Receipt& receipt) {
  if (before.credential == receipt.credential) return true;
  const auto* holder = receipt.requester.secret();
  return holder != nullptr && before.credential == envelopes_of_secret(holder->secret.reference) &&
         before.at >= holder->secret.added;
}

// Whether the key is this envelope's, and the envelope this credential's.
Result<bool> claim(const Receipt& receipt, const Sha256& content_key) {
  const EnvelopeUse use{content_key, receipt.envelope, receipt.credential, receipt.request.likely};
  EnvelopeTable table(receipt.services.ledger.connection());
  ASSIGN_OR_RETURN(const auto before, table.find(content_key));
  const bool others = before && (before->envelope != use.envelope || !is_by_same(*before, receipt));
  auto* const log = receipt.services.envelopes;
  if (log == nullptr || others) return !others;
  if (!receipt.services.identity.envelopes->claim(use)) return false;
  if (!before) log->uses.push_back(use);
  return true;
}

struct Received {
  DecryptedContent decrypted;
  bool first = true;  // nobody else has used its key
};

Outcome<Received> open_from(const Receipt& receipt, ByteView enveloped) {
  TRY(check_kind(receipt, enveloped));
  TRY(check_patience(receipt));
  auto opened = open_for_us(enveloped, receipt.services.identity);
  if (!opened) return fail(receipt, Fault::illegible);
  ASSIGN_OR_RETURN(const bool first, claim(receipt, opened->content_key));
  return Received{*std::move(opened), first};
}

// The first that is wrong.
Fault fault_of(const Received& received, bool makes_sense, bool owned) {
  if (!received.first) return Fault::used_before;
  if (!received.decrypted.right) return Fault::undecryptable;
  if (!makes_sense) return Fault::senseless;
  return owned ? Fault::none : Fault::not_owned;
}

// Text, as people and programs choose it: what comes out of a wrong key is none.
bool is_text(ByteView content) {
  const auto text = text_of(content);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return is_utf8(text) && std::ranges::none_of(text, is_control);
}

}  // namespace

std::string credential_of_envelopes(const Requester& requester) {
  if (const auto* holder = requester.secret())
    return envelopes_of_secret(full_reference(holder->secret));
  return "cert:" + to_hex(requester.certificate()->certificate.fingerprint());
}

Outcome<PrivateKey> open_private_key(Bytes enveloped, const PublicKey& key, const KeyOwner& belongs,
                                     const Request& request, const Requester& requester,
                                     const Services& services) {
  const auto receipt = receive(enveloped, PKIFailureInfo::badPOP, request, requester, services);
  ASSIGN_OR_RETURN(auto received, open_from(receipt, enveloped));
  auto& content = received.decrypted.content;
  auto judged = judge_enc_key_with_id(content, key, request.message.header.sender);
  wipe(content);
  if (!judged) return fail(receipt, Fault::senseless);  // for every content with this kind of key
  const bool right_type = received.decrypted.content_type == oid::id_ct_encKeyWithID;
  const auto fault = fault_of(received, judged->right && right_type, belongs(judged->sent));
  if (fault != Fault::none) return fail(receipt, fault);
  return std::move(judged->sent.key);
}

Outcome<Bytes> open_passphrase(Bytes enveloped, const PassphraseRule& fits, const Request& request,
                               const Requester& requester, const Services& services) {
  const auto receipt = receive(enveloped, PKIFailureInfo::badRequest, request, requester, services);
  ASSIGN_OR_RETURN(auto received, open_from(receipt, enveloped));
  auto content = std::move(received.decrypted.content);
  const bool text = is_text(content);
  const bool fit = fits(content);
  const bool right_type = received.decrypted.content_type == oid::id_data;
  const auto fault = fault_of(received, text && fit && right_type, true);
  if (fault == Fault::none) return content;
  wipe(content);
  return fail(receipt, fault);
}

}  // namespace cmpost
