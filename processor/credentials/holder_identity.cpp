#include "processor/credentials/holder_identity.h"

#include "crypto/keys/algorithm.h"

namespace cmpost {

HolderIdentity holder_of_kind(HolderKind kind, ByteView value) {
  HolderIdentity holder{{static_cast<std::uint8_t>(kind)}};
  append(holder.value, value);
  return holder;
}

HolderIdentity holder_named(const Name& subject) {
  const auto key = subject.comparison_key();
  return holder_of_kind(HolderKind::name, ByteView(sha256(view_of(key))));
}

HolderIdentity holder_by_default(const Name& subject, ByteView serial) {
  return subject.is_null_dn() ? holder_of_kind(HolderKind::serial, serial) : holder_named(subject);
}

HolderIdentity holder_of(const CertificateRecord& record, const Name& subject) {
  if (!record.holder.empty()) return {record.holder};
  return holder_by_default(subject, record.serial);
}

bool may_revoke(const HolderIdentity& holder, const CertificateRecord& record,
                const Name& subject) {
  if (holder == holder_of(record, subject)) return true;
  return !subject.is_null_dn() && holder == holder_named(subject);
}

}  // namespace cmpost
