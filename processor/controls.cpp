#include "processor/controls.h"

#include <algorithm>

#include "crypto/envelope.h"
#include "crypto/key_package.h"
#include "processor/secret_store.h"

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
  Bytes enveloped;  // encryptedPrivKey as EnvelopedData, with the tag of a SEQUENCE
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
    options.enveloped[0] = der::kSequence;
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

// The secret that a token is compared with; nullopt: the request has no such control.
Outcome<std::optional<Secret>> check_token(const CertReqMsg& message, const Oid& type,
                                           std::string_view kind, Services& services) {
  const auto* found = control(message, type);
  if (found == nullptr) return std::nullopt;
  der::Reader reader(found->value);
  const auto token = reader.utf8_string();
  if (!token || !reader.finish()) {
    return reject(PKIFailureInfo::badDataFormat, std::string(kind) + " is not a UTF8String");
  }
  const auto& subject = message.certReq.certTemplate.subject;
  const auto name = subject ? subject->first(oid::id_at_commonName) : std::nullopt;
  SecretStore secrets(services.ledger.connection(), services.sealing_key);
  ASSIGN_OR_RETURN(auto secret,
                   secrets.find(std::string(kind) + "/" + (name ? std::string(*name) : "")));
  if (!secret || !same_mac(secret->value, view_of(*token))) {
    return reject(PKIFailureInfo::notAuthorized, std::string(kind) + " is wrong");
  }
  return secret;
}

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

Outcome<std::vector<TokenUse>> check_tokens(const CertReqMsg& message, Services& services) {
  std::vector<TokenUse> to_use;
  ASSIGN_OR_RETURN(const auto token,
                   check_token(message, oid::id_regCtrl_regToken, "regToken", services));
  if (token) {
    if (!token->max_uses || token->uses >= *token->max_uses) {
      return reject(PKIFailureInfo::notAuthorized, "regToken has been used before");
    }
    to_use.push_back({token->reference, *token->max_uses - token->uses});
  }
  TRY(check_token(message, oid::id_regCtrl_authenticator, "authenticator", services));
  return to_use;
}

Checked<void> check_tokens_left(const std::vector<TokenUse>& tokens,
                                const std::vector<std::string>& used) {
  for (const auto& token : tokens) {
    if (std::ranges::count(used, token.reference) < token.left) continue;
    return reject(PKIFailureInfo::notAuthorized, "regToken has been used before");
  }
  return {};
}

Checked<std::optional<PrivateKey>> key_to_archive(const CertReqMsg& message,
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
  auto opened = open_for_us(options->enveloped, services.authority);
  if (!opened) return reject(PKIFailureInfo::badPOP, opened.error().what);
  auto sent = read_enc_key_with_id(opened->content);
  wipe(opened->content);
  if (opened->content_type != oid::id_ct_encKeyWithID || !sent ||
      !equal(sent->key.public_key().spki(), possession.key.spki())) {
    return reject(PKIFailureInfo::badPOP, "the key for the archive is not that of the template");
  }
  TRY(check_identifier(*sent, message.certReq.certTemplate, possession.covers_request, requester));
  return std::move(sent->key);
}

bool asks_to_archive_generated(const CertReqMsg& message) {
  const auto* found = control(message, oid::id_regCtrl_pkiArchiveOptions);
  if (found == nullptr) return false;
  const auto options = read_archive_options(found->value);
  return options && options->generated;
}

}  // namespace cmpost
