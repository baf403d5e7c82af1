#include "processor/authority/authority.h"

#include <algorithm>

#include "asn1/name_form.h"
#include "processor/admission/credential_files.h"

namespace cmpost {
namespace {

// They stand in CRLs, which are not looked at again before they are signed.
Result<void> check_crl_urls(const CrlSettings& crl) {
  for (const auto& url : {crl.url, crl.delta_url}) {
    if (url.empty() || is_uri(url)) continue;
    return hold("[ca] crl: others cannot read the URL " + printable(url, 80),
                "write it as RFC 3986 has it, other characters as %41");
  }
  return {};
}

Result<std::vector<CaRollover>> read_rollovers(const std::vector<std::string>& paths) {
  std::vector<CaRollover> rollovers;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto certificates, read_certificates(path));
    auto rollover = recognise_rollover(certificates);
    if (!rollover) return failure(std::move(rollover).error().within(path));
    rollovers.push_back(std::move(*rollover));
  }
  std::ranges::sort(rollovers, {}, [](const auto& one) { return one.newWithNew.not_before(); });
  return rollovers;
}

// Who trusts one root only gets to the other by these.
std::vector<CMPCertificate> links_of(const std::vector<CaRollover>& rollovers) {
  std::vector<CMPCertificate> links;
  for (const auto& rollover : rollovers) {
    links.push_back({to_bytes(rollover.newWithOld.der())});
    links.push_back({to_bytes(rollover.oldWithNew.der())});
  }
  return links;
}

Result<KeyGenerator> load_key_generator(const CaSettings& settings,
                                        const std::vector<Certificate>& ca_certificates) {
  ASSIGN_OR_RETURN(const auto key, read_key(*settings.kga_key, settings.kga_key_password_file));
  ASSIGN_OR_RETURN(auto chain, read_certificates(*settings.kga_certificate));
  TRY(check_fits(key, chain.front(), *settings.kga_key, *settings.kga_certificate));
  if (!chain.front().has_extended_key_usage(oid::id_kp_cmKGA)) {
    return hold("the certificate lacks id-kp-cmKGA: " + *settings.kga_certificate,
                "issue it from a profile with extended_key_usage = [\"cmKGA\"]");
  }
  ASSIGN_OR_RETURN(auto signer, Signer::create(key));
  // RFC 9483 4.1.6: "Self-signed certificates should not be included".
  const auto issuers = without_roots(ca_certificates);
  chain.insert(chain.end(), issuers.begin(), issuers.end());
  return KeyGenerator{std::move(signer), std::move(chain)};
}

}  // namespace

std::vector<Certificate> Authority::own_roots() const {
  std::vector<Certificate> roots = {issuer.certificate()};
  for (const auto& rollover : rollovers) {
    for (const auto& root : {rollover.oldWithOld, rollover.newWithNew}) {
      if (std::ranges::find(roots, root) == roots.end()) roots.push_back(root);
    }
  }
  return roots;
}

namespace {

bool any_root(const Authority& authority, const auto& is) {
  return is(authority.issuer.certificate()) ||
         std::ranges::any_of(authority.rollovers, [&](const CaRollover& one) {
           return is(one.oldWithOld) || is(one.newWithNew);
         });
}

bool any_worker(const Authority& authority, const auto& is) {
  return is(authority.identity.certificate) ||
         std::ranges::any_of(authority.identity.protocol_keys, is, &ProtocolKey::certificate) ||
         (authority.key_generator && is(authority.key_generator->chain.front()));
}

}  // namespace

Authority::KeyOwner Authority::owner_of(ByteView spki) const {
  const auto has = [&](const Certificate& certificate) { return equal(certificate.spki(), spki); };
  if (any_root(*this, has)) return KeyOwner::issuing;
  return any_worker(*this, has) ? KeyOwner::working : KeyOwner::others;
}

bool Authority::is_called(const Name& name) const {
  const auto key = name.comparison_key();
  const auto has = [&](const Certificate& certificate) { return certificate.subject_key() == key; };
  return any_root(*this, has) || any_worker(*this, has);
}

Result<PrivateKey> load_ca_key(const CaSettings& settings) {
  return read_key(settings.key, settings.key_password_file);
}

Result<Issuer> load_issuer(const CaSettings& settings, Random& random, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto key, load_ca_key(settings));
  ASSIGN_OR_RETURN(const auto certificates, read_certificates(settings.certificate));
  TRY(check_fits(key, certificates.front(), settings.key, settings.certificate));
  auto issuer = Issuer::create(certificates.front(), key, random, clock);
  if (!issuer) return failure(std::move(issuer).error().within(settings.certificate));
  return issuer;
}

Result<Authority> load_authority(const CaSettings& settings, Random& random, const Clock& clock) {
  TRY(check_crl_urls(settings.crl));
  ASSIGN_OR_RETURN(auto issuer, load_issuer(settings, random, clock));
  ASSIGN_OR_RETURN(const auto ca_certificates, read_certificates(settings.certificate));
  ASSIGN_OR_RETURN(auto rollovers, read_rollovers(settings.rollovers));
  ASSIGN_OR_RETURN(
      auto identity,
      load_identity({settings.cmp_certificate, settings.cmp_key, settings.cmp_key_password_file,
                     settings.protocol_keys, settings.send_root, links_of(rollovers),
                     issuers_to_send(ca_certificates, settings.send_root)},
                    clock));
  if (equal(identity.certificate.spki(), issuer.certificate().spki())) {
    return hold("the CMP key is the CA key: " + settings.cmp_key,
                "give [ca] cmp_key and cmp_certificate a key of their own (R-046); `cmpost init` "
                "shows how");
  }
  std::optional<KeyGenerator> key_generator;
  if (settings.kga_key && settings.kga_certificate) {
    ASSIGN_OR_RETURN(key_generator, load_key_generator(settings, ca_certificates));
  }
  return Authority{
      .identity = std::move(identity),
      .issuer = std::move(issuer),
      .ca_chain = to_cmp(ca_certificates),
      .rollovers = std::move(rollovers),
      .key_generator = std::move(key_generator),
  };
}

}  // namespace cmpost
