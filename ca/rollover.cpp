#include "ca/rollover.h"

#include <algorithm>

#include "ca/issuer.h"
#include "ca/serial_number.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/trust.h"

namespace cmpost {
namespace {

struct LinkSpan {
  Time notBefore{};
  Time notAfter{};
};

Bytes key_identifier_of(const Certificate& certificate) {
  if (auto own = certificate.subject_key_identifier()) return *own;
  const auto key = certificate.public_key();
  return key ? key->key_identifier() : Bytes();
}

// What the self-signed certificate says, now said by the other key.
Extensions linked_extensions(const Certificate& subject, ByteView issuer_key_identifier) {
  Extensions extensions = subject.extensions();
  std::erase_if(extensions, [](const Extension& extension) {
    return extension.extnID == oid::id_ce_authorityKeyIdentifier;
  });
  extensions.push_back(authority_key_identifier_extension(issuer_key_identifier));
  return extensions;
}

Result<Certificate> link(const Certificate& subject, const Certificate& issuer,
                         const PrivateKey& issuer_key, LinkSpan span, Random& random) {
  const TBSCertificate tbs{make_serial_number(span.notBefore, random),
                           issuer.subject(),
                           span.notBefore,
                           span.notAfter,
                           subject.subject(),
                           to_bytes(subject.spki()),
                           linked_extensions(subject, key_identifier_of(issuer))};
  ASSIGN_OR_RETURN(const Signer signer, Signer::create(issuer_key));
  return sign_own(tbs, signer);
}

Result<void> check_can_change(const Certificate& old, const NewCaKey& next) {
  if (!old.is_self_issued()) {
    return hold("the certificate of " + old.subject().text() + " is issued by another CA",
                "ask that CA for a certificate of the new key; links are for root CAs");
  }
  // RFC 9810 4.4.1 of newWithNew: "must have a validity period with a notBefore time that is before
  // the notAfter time of the 'old with old' certificate".
  if (next.notBefore >= old.not_after()) {
    return hold("the CA certificate is over since " + to_iso8601(old.not_after()),
                "nobody trusts a link from it; make a new CA and hand out its certificate");
  }
  if (next.notAfter <= old.not_after()) {
    return hold("the new CA certificate would end " + to_iso8601(next.notAfter) +
                    ", before the old one, which ends " + to_iso8601(old.not_after()),
                "give it more years");
  }
  if (equal(old.spki(), next.key.public_key().spki())) return hold("the new CA key is the old one");
  return {};
}

bool same_key(const Certificate& a, const Certificate& b) { return equal(a.spki(), b.spki()); }

Result<bool> is_self_signed(const Certificate& certificate) {
  if (!certificate.is_self_issued()) return false;
  return issued_by(certificate, certificate);
}

Result<void> check_link(const Certificate& link, const Certificate& issuer, const char* name) {
  ASSIGN_OR_RETURN(const bool good, issued_by(link, issuer));
  if (good) return {};
  return hold(std::string(name) + " is not signed by the CA key that it should be signed by");
}

constexpr auto kFour = "a roll-over has oldWithOld, newWithNew, newWithOld and oldWithNew";

}  // namespace

Result<CaRollover> make_rollover(const Certificate& old, const PrivateKey& old_key,
                                 const NewCaKey& next, Random& random) {
  TRY(check_can_change(old, next));
  ASSIGN_OR_RETURN(const Certificate fresh,
                   make_root(next.key, old.subject(), next.notBefore, next.notAfter, random));
  // "The 'new with old' certificate must have a validity period with the same notBefore time as the
  // 'new with new' certificate and a notAfter time by which all end entities of this CA will
  // securely possess the new CA public key (at the latest, at the notAfter time of the 'old with
  // old' certificate)."
  ASSIGN_OR_RETURN(const Certificate new_with_old,
                   link(fresh, old, old_key, {fresh.not_before(), old.not_after()}, random));
  // "The 'old with new' certificate must have a validity period with the same notBefore and
  // notAfter time as the 'old with old' certificate."
  ASSIGN_OR_RETURN(const Certificate old_with_new,
                   link(old, fresh, next.key, {old.not_before(), old.not_after()}, random));
  return CaRollover{old, fresh, new_with_old, old_with_new};
}

Result<CaRollover> recognise_rollover(const std::vector<Certificate>& certificates) {
  if (certificates.size() != 4) {
    return hold("there are " + std::to_string(certificates.size()) + " certificates", kFour);
  }
  std::vector<Certificate> roots, links;
  for (const auto& certificate : certificates) {
    ASSIGN_OR_RETURN(const bool root, is_self_signed(certificate));
    (root ? roots : links).push_back(certificate);
  }
  if (roots.size() != 2 || same_key(roots[0], roots[1])) {
    return hold("there are not two self-signed certificates of different keys", kFour);
  }
  if (roots[0].not_before() > roots[1].not_before()) std::swap(roots[0], roots[1]);
  if (!same_key(links[0], roots[1])) std::swap(links[0], links[1]);
  if (!same_key(links[0], roots[1]) || !same_key(links[1], roots[0])) {
    return hold("the links do not carry the keys of the two roots", kFour);
  }
  TRY(check_link(links[0], roots[0], "newWithOld"));
  TRY(check_link(links[1], roots[1], "oldWithNew"));
  return CaRollover{roots[0], roots[1], links[0], links[1]};
}

std::string to_pem(const CaRollover& rollover) {
  return rollover.oldWithOld.to_pem() + rollover.newWithNew.to_pem() +
         rollover.newWithOld.to_pem() + rollover.oldWithNew.to_pem();
}

}  // namespace cmpost
