// Revoked means refused, in every role.
#include "tests/processor/admission/role_holders.h"

namespace cmpost {
namespace {

struct RevokedInEveryRole : ::testing::Test {
  // A certificate of this CA, issued as the ledger knows it.
  Credential issued(const Extensions& extensions, CertificateState state,
                    std::string_view subject = "CN=dev1") {
    Credential holder;
    const auto& issuer = ca.authority->issuer;
    CertificatePlan plan;
    plan.subject = name(subject);
    plan.subjectPublicKeyInfo = to_bytes(holder.key.public_key().spki());
    plan.notBefore = ca.clock.now() - std::chrono::hours(1);
    plan.notAfter = ca.clock.now() + std::chrono::hours(24 * 30);
    plan.extensions = extensions;
    plan.extensions.push_back(
        subject_key_identifier_extension(holder.key.public_key().key_identifier()));
    holder.certificate = must(issuer.issue(plan));
    CertificateRecord record;
    record.serial = to_bytes(holder.certificate->serial_number());
    record.der = to_bytes(holder.certificate->der());
    record.subject = std::string(subject);
    record.profile = "device";
    record.channel = "drop";
    record.issued = ca.clock.now();
    record.not_after = holder.certificate->not_after();
    record.state = state;
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(record));
      return {};
    }));
    return holder;
  }
  void revoke(const Credential& holder) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(const bool done,
                       writer.revoke(to_bytes(holder.certificate->serial_number()),
                                     CRLReason::keyCompromise, ca.clock.now(), std::nullopt));
      EXPECT_TRUE(done);
      return {};
    }));
  }
  void list_in_crl(const OtherRoot& root, const Certificate& certificate) {
    TBSCertList list;
    list.issuer = root.certificate.subject();
    list.thisUpdate = ca.clock.now();
    list.nextUpdate = ca.clock.now() + std::chrono::hours(24);
    list.revokedCertificates.push_back(
        {to_bytes(certificate.serial_number()), ca.clock.now(), {}, {}});
    must(write_file(ca.directory / "list.crl", must(sign_crl(list, root.credential.signer)), 0644,
                    IfExists::replace));
  }
  CaUnderTest ca;
};

TEST_F(RevokedInEveryRole, RaOfThisCaWhoseCertificateIsPinned) {
  const auto ra = issued({}, CertificateState::valid, "CN=RA");
  name_ras(ca, {*ra.certificate});
  EXPECT_THAT(vouch(ca, ra), IsGranted());
  revoke(ra);
  EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
  ca.open();  // as after a restart
  EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(RevokedInEveryRole, RaOfThisCaByPurpose) {
  const auto ra = issued({purposes({oid::id_kp_cmcRA})}, CertificateState::valid, "CN=RA");
  name_ras(ca, {ca.authority->issuer.certificate()});
  EXPECT_THAT(vouch(ca, ra), IsGranted());
  revoke(ra);
  EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(RevokedInEveryRole, NeitherHeldNorUnconfirmedActsInARole) {
  const auto held = issued({}, CertificateState::held, "CN=RA"),
             unconfirmed = issued({}, CertificateState::unconfirmed, "CN=RA 2");
  name_ras(ca, {*held.certificate, *unconfirmed.certificate});
  EXPECT_THAT(vouch(ca, held), Refuses("error", PKIFailureInfo::certRevoked));
  EXPECT_THAT(vouch(ca, unconfirmed), Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST_F(RevokedInEveryRole, VendorBelowACaThatIsRevokedHere) {
  auto sub = issued({basic_constraints_extension(true, std::nullopt),
                     key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})},
                    CertificateState::valid, "CN=Sub CA");
  Credential device;
  device.certificate =
      certify(ca, *sub.certificate, sub, device.key.public_key(), "CN=serial 1", {});
  put(ca, "vendor.pem", {*sub.certificate, ca.authority->issuer.certificate()});
  ca.configure("");
  const auto ask = [&] { return ca.ask(signed_by(ca, device, ir(Credential(), "CN=serial 1"))); };
  EXPECT_THAT(ask(), IsGranted());
  revoke(sub);
  EXPECT_THAT(ask(), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(RevokedInEveryRole, PinnedCertificateOnAListOfItsIssuer) {
  for (const bool issuer_is_known : {true, false}) {
    SCOPED_TRACE(issuer_is_known);
    const OtherRoot unknown("CN=Unknown Root", ca.clock.now(), ca.random);
    const auto& root = issuer_is_known ? ca.ra_root : unknown;
    const auto ra = below(ca, root, {});
    std::vector<Certificate> named = {*ra.certificate};
    if (issuer_is_known) named.push_back(root.certificate);
    name_ras(ca, named);
    EXPECT_THAT(vouch(ca, ra), IsGranted());
    list_in_crl(root, *ra.certificate);
    name_ras(ca, named, "crls = [\"list.crl\"]\n");
    EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
    if (!issuer_is_known) continue;
    const OtherRoot impostor("CN=RA Root", ca.clock.now(), ca.random);
    list_in_crl(impostor, *ra.certificate);
    name_ras(ca, named, "crls = [\"list.crl\"]\n");
    EXPECT_THAT(vouch(ca, ra), IsGranted()) << "a list that its issuer has not signed";
  }
}

TEST_F(RevokedInEveryRole, IntermediateOnAListOfTheAnchor) {
  Credential between, device;
  between.certificate = certify(
      ca, ca.vendor.certificate, ca.vendor.credential, between.key.public_key(), "CN=between",
      {basic_constraints_extension(true, std::nullopt),
       key_usage_extension({KeyUsageBit::keyCertSign, KeyUsageBit::cRLSign})});
  device.certificate =
      certify(ca, *between.certificate, between, device.key.public_key(), "CN=serial 1", {});
  const auto ask = [&] {
    auto header =
        first_header(ca, name("CN=serial 1"), device.key.public_key().key_identifier(), {});
    return ca.ask(must(protect_with_signature(
        std::move(header), ir(Credential(), "CN=serial 1"), device.signer,
        {{to_bytes(device.certificate->der())}, {to_bytes(between.certificate->der())}})));
  };
  EXPECT_THAT(ask(), IsGranted());
  list_in_crl(ca.vendor, *between.certificate);
  ca.configure("crls = [\"list.crl\"]\n");
  EXPECT_THAT(ask(), Refuses("error", PKIFailureInfo::certRevoked));
}

// Vendors, RAs and CAs: the signer, a CA between it and the anchor, the anchor, and a signer that
// the settings name themselves.
TEST_F(RevokedInEveryRole, OnAListInEachPlaceOfEachRole) {
  struct Place {
    const char* file;
    OtherRoot* root;
    Extensions extensions;  // of who speaks
    PKIBody body;
  };
  Credential theirs;
  ca.other_ca.certify(theirs, "CN=theirs", ca.clock.now(), ca.random);
  const std::vector<Place> roles = {
      {"vendor.pem", &ca.vendor, {}, ir(Credential(), "CN=serial 1")},
      {"ra.pem", &ca.ra_root, {purposes({oid::id_kp_cmcRA})}, vouched()},
      {"ca.pem",
       &ca.other_ca,
       {purposes({oid::id_kp_cmcCA})},
       body::cann{{to_bytes(theirs.certificate->der())}}}};
  for (const auto& role : roles) {
    const bool speaks_for_ca = role.root == &ca.other_ca;
    const auto works = [&](const Credential& signer, const std::vector<Certificate>& chain,
                           const std::string& settings) {
      ca.configure(settings);
      std::vector<CMPCertificate> extra = {{to_bytes(signer.certificate->der())}};
      for (const auto& one : chain) extra.push_back({to_bytes(one.der())});
      const auto decision = ca.decide(must(protect_with_signature(
          first_header(ca, signer.certificate->subject(), signer.key.public_key().key_identifier(),
                       pvno3({.implicit_confirm = false})),
          role.body, signer.signer, extra)));
      if (speaks_for_ca) return decision.effects.announcement.has_value();
      const auto answer = decode(std::get<Decision::Reply>(decision.what).job.payload);
      const auto status = status_in(*answer);
      EXPECT_TRUE(status.status == PKIStatus::accepted || status.has(PKIFailureInfo::certRevoked));
      return status.status == PKIStatus::accepted;
    };
    const auto refuses_once_listed = [&](const Credential& signer, const OtherRoot& by,
                                         const Certificate& listed,
                                         const std::vector<Certificate>& chain = {}) {
      EXPECT_TRUE(works(signer, chain, "")) << role.file;
      list_in_crl(by, listed);
      EXPECT_FALSE(works(signer, chain, "crls = [\"list.crl\"]\n")) << role.file;
    };
    const auto signer = below(ca, *role.root, role.extensions, "CN=serial 1");
    refuses_once_listed(signer, *role.root, *signer.certificate);
    refuses_once_listed(signer, *role.root, role.root->certificate);
    if (!speaks_for_ca) {  // who speaks for one is certified by it directly
      Credential between, device;
      between.certificate = certify(ca, role.root->certificate, role.root->credential,
                                    between.key.public_key(), "CN=between",
                                    {basic_constraints_extension(true, std::nullopt),
                                     key_usage_extension({KeyUsageBit::keyCertSign})});
      device.certificate = certify(ca, *between.certificate, between, device.key.public_key(),
                                   "CN=serial 1", role.extensions);
      refuses_once_listed(device, *role.root, *between.certificate, {*between.certificate});
      const OtherRoot unknown("CN=Unknown", ca.clock.now(), ca.random);
      const auto pinned = below(ca, unknown, role.extensions, "CN=serial 1");
      put(ca, role.file, {*pinned.certificate});
      refuses_once_listed(pinned, unknown, *pinned.certificate);
    } else {
      auto itself = ca.other_ca.credential;
      itself.certificate = ca.other_ca.certificate;
      refuses_once_listed(itself, ca.other_ca, ca.other_ca.certificate);
    }
  }
}

TEST_F(RevokedInEveryRole, AlsoWhoAsksForAKemCiphertextOrAgreesOnAKey) {
  const AgreedParty kem("rsa:2048", ca.vendor, "CN=serial 1", KeyUsageBit::keyEncipherment, ca);
  list_in_crl(ca.vendor, kem.certificate);
  ca.configure("crls = [\"list.crl\"]\n");
  auto header =
      first_header(ca, name("CN=serial 1"), *kem.certificate.subject_key_identifier(), {});
  header.generalInfo.clear();
  EXPECT_THAT(
      ca.ask(leave_unprotected(std::move(header), body::genm{{{oid::id_it_KemCiphertextInfo, {}}}},
                               {{to_bytes(kem.certificate.der())}})),
      Refuses("error", PKIFailureInfo::certRevoked));
  const AgreedParty own("x25519", ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca),
      peer("x25519", ca.vendor, "CN=serial 2", KeyUsageBit::keyAgreement, ca);
  ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  list_in_crl(ca.vendor, peer.certificate);
  ca.configure("crls = [\"list.crl\"]\n");
  EXPECT_THAT(
      ca.ask(must(protect_with_mac(
          first_header(ca, name("CN=serial 2"), *peer.certificate.subject_key_identifier(), {}),
          ir(Credential(), "CN=serial 2"), make_dhbm_parameter(),
          must(agree(peer.key, own.key.public_key())), {{to_bytes(peer.certificate.der())}}))),
      Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(RevokedInEveryRole, ListByANewerKeyOfTheIssuerCounts) {
  const OtherRoot newer("CN=RA Root", ca.clock.now(), ca.random);
  const auto ra = below(ca, ca.ra_root, {purposes({oid::id_kp_cmcRA})});
  list_in_crl(newer, *ra.certificate);
  name_ras(ca, {ca.ra_root.certificate, newer.certificate}, "crls = [\"list.crl\"]\n");
  EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
}

TEST_F(RevokedInEveryRole, AnchorIsLookedUpToo) {
  const auto ra = below(ca, ca.ra_root, {purposes({oid::id_kp_cmcRA})});
  // It revokes itself, which is what a root does that ends.
  list_in_crl(ca.ra_root, ca.ra_root.certificate);
  ca.configure("crls = [\"list.crl\"]\n");
  EXPECT_THAT(vouch(ca, ra), Refuses("error", PKIFailureInfo::certRevoked));
}

}  // namespace
}  // namespace cmpost
