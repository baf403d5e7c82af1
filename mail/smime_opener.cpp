#include "mail/smime_opener.h"

#include <algorithm>

#include "crypto/envelope/cms.h"
#include "crypto/x509/mail_certificate.h"
#include "mail/address_rules.h"

namespace cmpost {
namespace {

using Wrapped = IncomingMail::Wrapped;
using Require = SmimeSettings::Require;

bool speaks_for(const Certificate& signer, const Mailbox& from) {
  const auto addresses = mail_addresses(signer);
  return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& text) {
    const auto address = read_mailbox(text);
    return address && same_address(*address, from);
  });
}

bool has_nothing_for_us(const IncomingMail& mail) {
  return mail.messages.empty() && mail.wrapped == Wrapped::no;
}

}  // namespace

SmimeOpener::SmimeOpener(const SmimeSettings& settings, std::optional<SmimeIdentity> identity,
                         std::vector<Certificate> anchors, const Clock& clock,
                         std::unique_ptr<CrlFiles> crls)
    : require_(settings.require),
      identity_(std::move(identity)),
      trust_(std::move(anchors)),
      clock_(clock),
      crls_(std::move(crls)) {}

Result<std::shared_ptr<const SmimeOpener>> SmimeOpener::load(const SmimeSettings& settings,
                                                             const Clock& clock,
                                                             std::vector<std::string> crls) {
  if (!settings.enabled) return nullptr;
  std::optional<SmimeIdentity> identity;
  if (!settings.key.empty()) {
    ASSIGN_OR_RETURN(identity, read_smime_identity(settings));
  }
  ASSIGN_OR_RETURN(auto anchors, read_smime_trust(settings));
  ASSIGN_OR_RETURN(auto lists, CrlFiles::open(std::move(crls)));
  return std::shared_ptr<const SmimeOpener>(
      new SmimeOpener(settings, std::move(identity), std::move(anchors), clock, std::move(lists)));
}

Result<OpenedMail> SmimeOpener::open(ByteView raw, IncomingMail mail, const MailLimits& limits,
                                     const MailPolicy& policy, bool trusted) const {
  OpenedMail opened;
  const auto from = mail.from;
  Bytes entity;  // what is open so far; nothing yet: the mail itself
  for (int layers = 0; mail.wrapped != Wrapped::no; ++layers) {
    if (layers == kMostLayers) {
      return hold("the mail has more than " + std::to_string(kMostLayers) +
                  " layers of S/MIME around one another");
    }
    ASSIGN_OR_RETURN(auto content, read_wrapped(layers == 0 ? raw : ByteView(entity), limits));
    if (content.entity) {
      ASSIGN_OR_RETURN(const auto inner, read_mail(*content.entity, limits, policy));
      if (has_nothing_for_us(inner)) return opened;
    }
    ASSIGN_OR_RETURN(entity, open_layer(std::move(content), mail.wrapped, trusted, from, opened));
    auto inner = read_mail(entity, limits, policy);
    if (!inner) return failure(std::move(inner).error().within("inside S/MIME"));
    mail = *std::move(inner);
  }
  opened.messages = std::move(mail.messages);
  return opened;
}

Result<Bytes> SmimeOpener::open_layer(WrappedContent content, Wrapped wrapped, bool trusted,
                                      const std::optional<Mailbox>& from,
                                      OpenedMail& opened) const {
  if (wrapped == Wrapped::enveloped) {
    if (!identity_) {
      return hold("the mail is encrypted, and the channel has no key to open it with",
                  "set `certificate` and `key` of `smime`");
    }
    opened.encrypted = true;
    return cms_decrypt(content.cms, identity_->certificate, identity_->key);
  }
  if (trusted && content.entity) return *std::move(content.entity);
  if (trusted) return cms_unverified_content(content.cms);
  return verified(std::move(content), from, opened);
}

Result<Bytes> SmimeOpener::verified(WrappedContent content, const std::optional<Mailbox>& from,
                                    OpenedMail& opened) const {
  std::optional<ByteView> detached;
  if (content.entity) detached = *content.entity;
  ASSIGN_OR_RETURN(auto is, cms_verify(content.cms, detached));
  ASSIGN_OR_RETURN(const auto doubt, doubt_about(is.signer, is.certificates, from));
  if (doubt.empty()) opened.vouched = true;
  if (!doubt.empty() && opened.doubt.empty()) opened.doubt = doubt;
  return content.entity ? *std::move(content.entity) : std::move(is.content);
}

Result<std::string> SmimeOpener::doubt_about(const Certificate& signer,
                                             const std::vector<Certificate>& helpers,
                                             const std::optional<Mailbox>& from) const {
  const auto who = "the certificate " + printable(signer.subject().text(), 100);
  ASSIGN_OR_RETURN(const auto path, trust_.check(signer, helpers, clock_.now()));
  if (path.verdict != PathVerdict::trusted) return who + " is not trusted: " + path.reason;
  if (find_revoked(path.chain, *crls_->lists(clock_.now()), trust_.anchors()) != nullptr) {
    return who + " or one above it is revoked";
  }
  if (!may_sign_mails(signer)) return who + " is not one for signing mails";
  if (!from) return "From is not a single plain address";
  if (!speaks_for(signer, *from)) {
    return who + " is not one of the sender " + printable(from->text(), 100);
  }
  return std::string();
}

std::optional<std::string> SmimeOpener::refusal(const OpenedMail& mail) const {
  const bool encryption = require_ == Require::encryption || require_ == Require::both;
  const bool signature = require_ == Require::signature || require_ == Require::both;
  if (encryption && !mail.encrypted) return "the mail is not encrypted, as `smime.require` demands";
  if (signature && !mail.vouched) {
    return mail.doubt.empty() ? "the mail is not signed, as `smime.require` demands" : mail.doubt;
  }
  return std::nullopt;
}

}  // namespace cmpost
