#include "processor/possession/controls.h"

#include <algorithm>

#include "crypto/envelope/envelope.h"
#include "crypto/envelope/key_package.h"
#include "processor/admission/received_envelope.h"
#include "processor/credentials/name_pattern.h"
#include "processor/credentials/secret_store.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/rights/rights.h"

namespace cmpost {
namespace {

const Attribute* control(const CertReqMsg& message, const Oid& type) {
  return message.certReq.controls ? find(*message.certReq.controls, type) : nullptr;
}

// "dontPublish" and places to publish in exclude each other (RFC 4211 6.3).
Checked<void> check_publication(const CertReqMsg& message) {
  const auto* found = control(message, oid::id_regCtrl_pkiPublicationInfo);
  if (found == nullptr) return {};
  const auto info = read_publication_info(found->value);
  if (!info) return reject(PKIFailureInfo::badDataFormat, "pkiPublicationInfo is malformed");
  const bool please = info->action == PKIPublicationInfo::Action::please;
  if (!please && info->action != PKIPublicationInfo::Action::dontPublish) {
    return reject(PKIFailureInfo::badDataFormat, "pkiPublicationInfo has an unknown action");
  }
  if (please || info->pubInfos.empty()) return {};
  return reject(PKIFailureInfo::badRequest,
                "pkiPublicationInfo says where to publish, and not to publish");
}

Checked<void> check_encryption_key(const CertReqMsg& message) {
  const auto* found = control(message, oid::id_regCtrl_protocolEncrKey);
  if (found == nullptr) return {};
  const auto key = PublicKey::from_spki(ByteView(found->value));
  if (!key) return reject(PKIFailureInfo::badDataFormat, "protocolEncrKey: " + key.error().what);
  if (can_receive(*key)) return {};
  return reject(PKIFailureInfo::badRequest, "nothing can be encrypted to protocolEncrKey");
}

Checked<void> check_reg_info(const CertReqMsg& message) {
  if (!message.regInfo) return {};
  for (const auto& info : *message.regInfo) {
    if (info.type != oid::id_regInfo_utf8Pairs) continue;  // others are for others to read
    der::Reader reader(info.value);
    const auto pairs = reader.utf8_string();
    if (!pairs || !reader.finish()) {
      return reject(PKIFailureInfo::badDataFormat, "utf8Pairs is not a UTF8String");
    }
    // RFC 4211 7.1: name?value pairs, each ended by '%'.
    if (!pairs->empty() && (pairs->find('?') == pairs->npos || pairs->back() != '%')) {
      return reject(PKIFailureInfo::badDataFormat, "utf8Pairs is not made of name?value%");
    }
  }
  return {};
}

// PKIArchiveOptions (RFC 4211 6.4).
struct ArchiveOptions {
  Bytes enveloped;  // encryptedPrivKey, with the tag of its choice
  bool generated = false;
};

der::Parsed<ArchiveOptions> read_archive_options(ByteView value) {
  der::Reader reader(value);
  ArchiveOptions options;
  if (reader.peek() == der::context_constructed(0)) {
    ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::context_constructed(0)));
    ASSIGN_OR_RETURN(const auto enveloped, inside.expect(der::context_constructed(0)));
    TRY(inside.finish());
    options.enveloped = to_bytes(enveloped.whole);
  } else {
    ASSIGN_OR_RETURN(options.generated, reader.boolean(der::context(2)));
  }
  TRY(reader.finish());
  return options;
}

Checked<void> check_archive(const CertReqMsg& message, const Request& request) {
  const auto* found = control(message, oid::id_regCtrl_pkiArchiveOptions);
  if (found == nullptr) return {};
  if (!request.channel->settings.archive) {
    return reject(PKIFailureInfo::badRequest, "private keys are not archived here");
  }
  if (read_archive_options(found->value)) return {};
  return reject(PKIFailureInfo::badDataFormat,
                "pkiArchiveOptions is neither an EnvelopedData nor archiveRemGenPrivKey");
}

// One regToken or authenticator on its way through the checks.
struct TokenCheck {
  const CertReqMsg& message;
  const Request& request;
  const Requester& requester;
  Services& services;
  SecretPurpose purpose;
  const Profile& profile;

  tl::unexpected<Rejection> wrong() const {
    return reject(PKIFailureInfo::notAuthorized, std::string(to_string(purpose)) + " is wrong");
  }

  // nullopt: the request has no such control.
  Checked<std::optional<std::string>> sent(const Oid& type) const {
    const auto& controls = message.certReq.controls;
    if (!controls) return std::nullopt;
    const auto has_type = [&](const Attribute& one) { return one.type == type; };
    const auto count = std::ranges::count_if(*controls, has_type);
    if (count == 0) return std::nullopt;
    der::Reader reader(std::ranges::find_if(*controls, has_type)->value);
    auto token = reader.utf8_string();
    if (token && reader.finish() && count == 1) return *std::move(token);
    return reject(PKIFailureInfo::badDataFormat,
                  std::string(to_string(purpose)) + " is not one UTF8String");
  }

  SecretFailure failure() const {
    return {"tokens from " + requester.credential(), request.channel->settings.name,
            requester.credential(), request.digest, request.likely};
  }

  // One message is one guess. What was believed when it came is believed when it has waited. They
  // are the failures of one who is authenticated: whoever has too many locks nobody out but itself.
  Result<bool> may_guess() const {
    if (!services.tokens.failures.empty()) return false;
    if (request.waited != nullptr) return true;
    const auto& channel = request.channel->settings;
    ASSIGN_OR_RETURN(const auto state,
                     SecretLock(services.ledger.connection())
                         .state(failure().reference, channel.name, requester.credential(),
                                channel.mac, request.likely));
    return state == SecretLock::State::open;
  }

  Result<bool> is_right(const std::optional<Secret>& secret, std::string_view token) const {
    const auto& subject = message.certReq.certTemplate.subject;
    if (!secret || !subject || !same_mac(secret->value, view_of(token))) return false;
    if (is_over(*secret, request.sure) || !is_for_this(*secret)) return false;
    if (secret->subject.empty()) return true;
    ASSIGN_OR_RETURN(const auto pattern, SubjectPattern::parse(secret->subject));
    return pattern.covers(*subject);
  }

  // Of a token that is said nothing else of: everywhere.
  bool is_for_this(const Secret& secret) const {
    const auto& profiles = secret.profiles;
    return (secret.channels.names.empty() || counts_here(secret.channels, *request.channel)) &&
           (profiles.empty() || std::ranges::count(profiles, profile.name()) > 0);
  }

  Outcome<std::optional<Secret>> compare(const Oid& type) const {
    ASSIGN_OR_RETURN(const auto token, sent(type));
    if (!token) return std::nullopt;
    ASSIGN_OR_RETURN(const bool may, may_guess());
    if (!may) return wrong();
    const auto& subject = message.certReq.certTemplate.subject;
    const auto name = subject ? subject->first(oid::id_at_commonName) : std::nullopt;
    SecretStore secrets(services.ledger.connection(), services.sealing_key);
    ASSIGN_OR_RETURN(auto secret, secrets.find(name.value_or(""), purpose));
    ASSIGN_OR_RETURN(const bool right, is_right(secret, *token));
    if (right) return secret;
    services.tokens.failures.push_back(failure());
    return wrong();
  }

  // False when other requests of the message use it up.
  bool take(const Secret& token, const std::string& key) const {
    const auto id = message.certReq.certReqId;
    const auto others = std::ranges::count_if(services.tokens.used, [&](const auto& one) {
      return one.first == key && one.second != id;
    });
    services.tokens.used.emplace_back(key, id);
    return token.max_uses && token.uses + others < *token.max_uses;
  }
};

}  // namespace

Checked<void> check_controls(const CertReqMsg& message, const Request& request) {
  if (control(message, oid::id_regCtrl_altCertTemplate) != nullptr) {
    return reject(PKIFailureInfo::badRequest, "altCertTemplate is not supported");
  }
  TRY(check_publication(message));
  TRY(check_encryption_key(message));
  TRY(check_archive(message, request));
  return check_reg_info(message);
}

Outcome<std::vector<std::string>> check_tokens(const CertReqMsg& message,
                                               const std::string& certProfile,
                                               const Request& request, const Requester& requester,
                                               Services& services) {
  const auto* profile = request.channel->profile(certProfile);
  if (profile == nullptr) return std::vector<std::string>();
  TokenCheck check{message, request, requester, services, SecretPurpose::regToken, *profile};
  std::vector<std::string> to_use;
  ASSIGN_OR_RETURN(const auto token, check.compare(oid::id_regCtrl_regToken));
  if (token) {
    to_use.push_back(secret_key(token->purpose, token->reference));
    if (!check.take(*token, to_use.front())) {
      return reject(PKIFailureInfo::notAuthorized, "regToken has been used before");
    }
  }
  check.purpose = SecretPurpose::authenticator;
  TRY(check.compare(oid::id_regCtrl_authenticator));
  return to_use;
}

Outcome<std::optional<PrivateKey>> key_to_archive(const CertReqMsg& message,
                                                  const Possession& possession,
                                                  const Request& request,
                                                  const Requester& requester,
                                                  const Services& services) {
  const auto* found = control(message, oid::id_regCtrl_pkiArchiveOptions);
  const auto options =
      found != nullptr ? read_archive_options(found->value) : der::Parsed<ArchiveOptions>();
  if (!options || options->enveloped.empty()) return std::nullopt;
  if (request.message.header.pvno < kCmp2021) {
    return reject(PKIFailureInfo::badRequest, "EnvelopedData needs pvno 3");
  }
  const auto belongs = [&](const EncKeyWithID& sent) {
    return check_identifier(sent, message.certReq.certTemplate, possession.covers_request,
                            requester)
        .has_value();
  };
  ASSIGN_OR_RETURN(auto sent, open_private_key(options->enveloped, possession.key, belongs, request,
                                               requester, services));
  return sent;
}

bool asks_to_archive_generated(const CertReqMsg& message) {
  const auto* found = control(message, oid::id_regCtrl_pkiArchiveOptions);
  if (found == nullptr) return false;
  const auto options = read_archive_options(found->value);
  return options && options->generated;
}

}  // namespace cmpost
