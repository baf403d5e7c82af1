#include "processor/rights/holder_to_be.h"

#include "asn1/der.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

// What asked and the subject, such that no two pairs are one.
HolderIdentity by_credential(HolderKind kind, ByteView credential, const Name& subject) {
  der::Writer both;
  both.octet_string(credential);
  both.octet_string(view_of(subject.comparison_key()));
  return holder_of_kind(kind, ByteView(sha256(both.bytes())));
}

// Not another one that somebody else was given later under the same reference.
ByteView this_secret(const Secret& secret) {
  return secret.identity.empty() ? view_of(secret.reference) : ByteView(secret.identity);
}

bool is_of_default_kind(const HolderIdentity& holder) {
  const auto kind = HolderKind(holder.value.front());
  return kind == HolderKind::name || kind == HolderKind::serial;
}

// Who has asked says it: the subject alone does.
bool is_vouched_for(const Requester& requester, const Name& subject) {
  if (requester.is_ra()) return true;
  if (requester.secret() == nullptr) return false;
  const auto only = requester.only_subject();
  return subject.is_null_dn() || (only && only->same(subject));
}

// Where nothing but the credential says whose it is.
HolderIdentity by_what_asked(const Requester& requester, const Name& subject) {
  if (const auto* holder = requester.secret()) {
    return by_credential(HolderKind::secret, this_secret(holder->secret), subject);
  }
  const auto& holder = *requester.certificate();
  if (holder.record) return holder_of(*holder.record, holder.certificate.subject());
  return by_credential(HolderKind::foreign_certificate, ByteView(holder.certificate.fingerprint()),
                       subject);
}

}  // namespace

HolderIdentity holder_to_be(const Requester& requester, const Name& subject, ByteView serial) {
  if (is_vouched_for(requester, subject)) return holder_by_default(subject, serial);
  return by_what_asked(requester, subject);
}

Bytes holder_to_note(const Requester& requester, const Certificate& certificate) {
  const auto& subject = certificate.subject();
  if (is_vouched_for(requester, subject)) return {};
  auto holder = by_what_asked(requester, subject);
  // The default has two kinds only, and making it is not free.
  if (is_of_default_kind(holder) &&
      holder == holder_by_default(subject, certificate.serial_number())) {
    return {};
  }
  return std::move(holder.value);
}

}  // namespace cmpost
