#include "crypto/x509/revocation_list.h"

#include <algorithm>
#include <iterator>

#include "asn1/pem.h"
#include "base/mutex.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/trust.h"

namespace cmpost {

struct RevocationList::State {
  CertificateList list;
  std::vector<Bytes> serials;  // sorted

  Mutex mutex;
  std::optional<std::pair<Sha256, bool>> asked GUARDED_BY(mutex);  // who was asked, the answer
};

namespace {

constexpr std::size_t kMaxCrl = 64 << 20;

bool signs(const Certificate& authority, const CertificateList& list) {
  const auto key = authority.public_key();
  if (!key || !authority.allows(KeyUsageBit::cRLSign)) return false;
  const auto verdict = verify(*key, list.signatureAlgorithm, list.tbs, list.signature);
  return verdict && *verdict == Verdict::good;
}

// Its entries may be about certificates of others (RFC 5280 5.2.5). Lists with a narrower scope,
// for CAs, users or some reasons only, are taken for what they name.
bool is_indirect(const CertificateList& list) {
  constexpr der::Tag kIndirectCRL = 0x84;
  if (list.issuingDistributionPoint.empty()) return false;
  der::Reader reader(list.issuingDistributionPoint);
  auto scope = reader.enter(der::kSequence);
  if (!scope) return true;
  while (!scope->at_end()) {
    const auto field = scope->any();
    if (!field || field->tag == kIndirectCRL) return true;
  }
  return false;
}

}  // namespace

Result<RevocationList> RevocationList::from_der(ByteView der) {
  if (der.size() > kMaxCrl) return hold("CRL: larger than 64 MiB");
  auto state = std::make_shared<State>();
  ASSIGN_OR_RETURN(state->list, CertificateList::from_der(der));
  if (is_indirect(state->list)) return hold("CRL: an indirect CRL, or its scope is malformed");
  // It says what has changed, releases too, and so nothing without the list that it adds to.
  if (state->list.baseCRLNumber) return hold("CRL: a delta CRL, where a complete one is needed");
  for (auto& revoked : state->list.revokedCertificates) {
    state->serials.push_back(std::move(revoked.userCertificate));
  }
  state->list.revokedCertificates.clear();
  std::ranges::sort(state->serials);
  return RevocationList(std::move(state));
}

Result<std::vector<RevocationList>> RevocationList::from_file(ByteView contents) {
  std::vector<RevocationList> lists;
  if (!contents.empty() && contents[0] == der::kSequence) {
    ASSIGN_OR_RETURN(auto one, from_der(contents));
    lists.push_back(std::move(one));
    return lists;
  }
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(text_of(contents)));
  for (const auto& block : blocks) {
    if (block.label != "X509 CRL") continue;
    ASSIGN_OR_RETURN(const auto der, decode(block));
    ASSIGN_OR_RETURN(auto one, from_der(der));
    lists.push_back(std::move(one));
  }
  if (lists.empty()) return hold("CRL: neither DER nor PEM with an X509 CRL");
  return lists;
}

const Name& RevocationList::issuer() const { return state_->list.issuer; }
Time RevocationList::this_update() const { return state_->list.thisUpdate; }
std::optional<Time> RevocationList::next_update() const { return state_->list.nextUpdate; }
std::size_t RevocationList::size() const { return state_->serials.size(); }

bool RevocationList::names(ByteView serial_number) const {
  return std::ranges::binary_search(state_->serials, to_bytes(serial_number));
}

bool RevocationList::signed_by(const Certificate& authority) const {
  const MutexLock lock(state_->mutex);
  auto& asked = state_->asked;
  if (!asked || asked->first != authority.fingerprint()) {
    asked = {authority.fingerprint(), signs(authority, state_->list)};
  }
  return asked->second;
}

namespace {

std::vector<Certificate> issuers_by_name(const Certificate& certificate,
                                         const std::vector<Certificate>& chain,
                                         const std::vector<Certificate>& authorities) {
  std::vector<Certificate> found;
  for (const auto* all : {&chain, &authorities}) {
    std::ranges::copy_if(*all, std::back_inserter(found), [&](const Certificate& one) {
      return one.subject_key() == certificate.issuer_key();
    });
  }
  return found;
}

bool has_known_issuer(const Certificate& certificate, const std::vector<Certificate>& issuers) {
  return std::ranges::any_of(issuers, [&](const Certificate& one) {
    const auto issued = issued_by(certificate, one);
    return issued && *issued;
  });
}

bool is_revoked_by(const RevocationList& list, const Certificate& certificate,
                   const std::vector<Certificate>& chain,
                   const std::vector<Certificate>& authorities) {
  if (!list.issuer().same(certificate.issuer()) || !list.names(certificate.serial_number())) {
    return false;
  }
  const auto issuers = issuers_by_name(certificate, chain, authorities);
  return std::ranges::any_of(issuers,
                             [&](const Certificate& one) { return list.signed_by(one); }) ||
         !has_known_issuer(certificate, issuers);
}

}  // namespace

const Certificate* find_revoked(const std::vector<Certificate>& chain,
                                const std::vector<RevocationList>& lists,
                                const std::vector<Certificate>& authorities) {
  for (const auto& certificate : chain) {
    for (const auto& list : lists) {
      if (is_revoked_by(list, certificate, chain, authorities)) return &certificate;
    }
  }
  return nullptr;
}

}  // namespace cmpost
