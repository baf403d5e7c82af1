#include "processor/requester.h"

namespace cmpost {

bool Requester::is_ra() const {
  const auto* holder = certificate();
  return holder != nullptr && holder->role == CertificateHolder::Role::ra;
}

std::string Requester::credential() const {
  if (const auto* holder = secret()) return "mac:" + holder->secret.reference;
  return "cert:" + to_hex(certificate()->certificate.fingerprint());
}

std::string Requester::text() const {
  if (const auto* holder = secret()) return "mac:" + printable(holder->secret.reference);
  return (is_ra() ? "ra:" : "cert:") + certificate()->certificate.subject().text();
}

}  // namespace cmpost
