// Who is an RA and who speaks for another CA (RFC 9483 3.5), and that revoked means refused in
// every role.
#include "processor/admission/roles.h"

#include "tests/processor/keys.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

void put(CaUnderTest& ca, const std::string& name, const std::vector<Certificate>& certificates) {
  std::string pem;
  for (const auto& one : certificates) pem += one.to_pem();
  must(write_file(ca.directory / name, view_of(pem), 0644, IfExists::replace));
}

// roles.ra is what `ra.pem` says; `certificates` replace it.
void name_ras(CaUnderTest& ca, const std::vector<Certificate>& certificates,
              const std::string& more = "") {
  put(ca, "ra.pem", certificates);
  ca.configure(more);
}

Extension purposes(const std::vector<Oid>& all) { return extended_key_usage_extension(all); }

// Below `issuer`, with these extensions beside the key identifier.
Certificate certify(CaUnderTest& ca, const Certificate& issuer, const Credential& by,
                    const PublicKey& key, std::string_view subject, const Extensions& extensions,
                    bool with_key_identifier = true) {
  TBSCertificate tbs;
  tbs.serialNumber = ca.random.bytes(12);
  tbs.serialNumber[0] = 1;
  tbs.issuer = issuer.subject();
  tbs.subject = name(subject);
  tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
  tbs.notAfter = ca.clock.now() + std::chrono::hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(key.spki());
  tbs.extensions = extensions;
  if (with_key_identifier) {
    tbs.extensions.push_back(subject_key_identifier_extension(key.key_identifier()));
  }
  return must(Certificate::from_der(must(sign_certificate(tbs, by.signer))));
}

Credential below(CaUnderTest& ca, const OtherRoot& root, const Extensions& extensions,
                 std::string_view subject = "CN=RA") {
  Credential holder;
  holder.certificate =
      certify(ca, root.certificate, root.credential, holder.key.public_key(), subject, extensions);
  return holder;
}

// Not a CA, signed by itself.
Credential self_signed(CaUnderTest& ca, const Extensions& extensions = {},
                       bool with_key_identifier = true) {
  Credential holder;
  TBSCertificate tbs;
  tbs.serialNumber = {5};
  tbs.issuer = tbs.subject = name("CN=RA");
  tbs.notBefore = ca.clock.now() - std::chrono::hours(1);
  tbs.notAfter = ca.clock.now() + std::chrono::hours(24 * 365);
  tbs.subjectPublicKeyInfo = to_bytes(holder.key.public_key().spki());
  tbs.extensions = extensions;
  if (with_key_identifier) {
    tbs.extensions.push_back(
        subject_key_identifier_extension(holder.key.public_key().key_identifier()));
  }
  holder.certificate = must(Certificate::from_der(must(sign_certificate(tbs, holder.signer))));
  return holder;
}

// What only an RA gets: a certificate for somebody whose key it vouches for.
PKIBody vouched() {
  return ir(Credential(), "CN=anybody",
            {.edit_signed = [](CertReqMsg& message) { message.popo = RaVerified{}; }});
}

PKIMessage vouch(CaUnderTest& ca, const Credential& ra) {
  return ca.ask(signed_by(ca, ra, vouched()));
}

MATCHER(IsGranted, "is granted") {
  const auto status = status_in(arg);
  *result_listener << body_name(arg.body) << " " << ::testing::PrintToString(status.statusString);
  return body_name(arg.body) != "error" && status.status == PKIStatus::accepted;
}

// Without extraCerts, as OpenSSL's client sends what is signed with a self-signed certificate.
Bytes without_certificates(CaUnderTest& ca, const Credential& signer, const PKIBody& body,
                           std::optional<Bytes> senderKID) {
  auto header = first_header(ca, signer.certificate->subject(), {}, {});
  header.senderKID = std::move(senderKID);
  return must(protect_with_signature(std::move(header), body, signer.signer, {}));
}

TEST(RaRole, IsGivenBelowAnAuthorityByPurposeOnly) {
  CaUnderTest ca;
  EXPECT_THAT(vouch(ca, below(ca, ca.ra_root, {purposes({oid::id_kp_cmcRA})})), IsGranted());
  const std::vector<std::pair<const char*, Extensions>> others = {
      {"no purpose", {}},
      {"serverAuth", {purposes({oid::id_kp_serverAuth})}},
      {"any purpose", {purposes({oid::anyExtendedKeyUsage})}},
      {"another CMP role", {purposes({oid::id_kp_cmcCA, oid::id_kp_cmKGA})}},
      {"malformed purposes", {{oid::id_ce_extKeyUsage, false, {0x30, 0x05, 0x06}}}},
      {"a CA", {purposes({oid::id_kp_cmcRA}), basic_constraints_extension(true, std::nullopt)}},
  };
  for (const auto& [what, extensions] : others) {
    EXPECT_THAT(vouch(ca, below(ca, ca.ra_root, extensions)),
                Refuses("error", PKIFailureInfo::signerNotTrusted))
        << what;
  }
}

TEST(RaRole, RefusalSaysWhatIsMissing) {
  CaUnderTest ca;
  const auto answer = vouch(ca, below(ca, ca.ra_root, {}));
  ASSERT_FALSE(status_in(answer).statusString.empty());
  EXPECT_THAT(status_in(answer).statusString.front(), HasSubstr("id-kp-cmcRA"));
}

TEST(RaRole, IsGivenToTheCertificatesThatTheSettingsName) {
  CaUnderTest ca;
  const auto named = below(ca, ca.vendor, {}, "CN=RA by name"),
             other = below(ca, ca.vendor, {}, "CN=RA by name");
  name_ras(ca, {*named.certificate});
  EXPECT_THAT(vouch(ca, named), IsGranted());
  EXPECT_THAT(vouch(ca, other), Refuses("ip", PKIFailureInfo::notAuthorized))
      << "the same subject is another certificate";
}

TEST(RaRole, NamedEndEntityIsNoAuthority) {
  CaUnderTest ca;
  for (const bool self : {true, false}) {
    const auto named = self ? self_signed(ca) : below(ca, ca.ra_root, {});
    name_ras(ca, {*named.certificate});
    Credential friend_of_it;
    friend_of_it.certificate = certify(ca, *named.certificate, named, friend_of_it.key.public_key(),
                                       "CN=friend", {purposes({oid::id_kp_cmcRA})});
    auto header =
        first_header(ca, name("CN=friend"), friend_of_it.key.public_key().key_identifier(), {});
    EXPECT_THAT(
        ca.ask(must(protect_with_signature(
            std::move(header), vouched(), friend_of_it.signer,
            {{to_bytes(friend_of_it.certificate->der())}, {to_bytes(named.certificate->der())}}))),
        Refuses("error", PKIFailureInfo::signerNotTrusted));
  }
}

TEST(RaRole, IntermediateCaPassesOnItsOwnPurposesOnly) {
  CaUnderTest ca;
  const auto ask_below = [&](const Extensions& of_intermediate) {
    Credential between, ra;
    Extensions extensions = {basic_constraints_extension(true, std::nullopt),
                             key_usage_extension({KeyUsageBit::keyCertSign})};
    extensions.insert(extensions.end(), of_intermediate.begin(), of_intermediate.end());
    between.certificate = certify(ca, ca.ra_root.certificate, ca.ra_root.credential,
                                  between.key.public_key(), "CN=between", extensions);
    ra.certificate = certify(ca, *between.certificate, between, ra.key.public_key(), "CN=RA",
                             {purposes({oid::id_kp_cmcRA})});
    auto header = first_header(ca, name("CN=RA"), ra.key.public_key().key_identifier(), {});
    return ca.ask(must(protect_with_signature(
        std::move(header), vouched(), ra.signer,
        {{to_bytes(ra.certificate->der())}, {to_bytes(between.certificate->der())}})));
  };
  EXPECT_THAT(ask_below({}), IsGranted());
  EXPECT_THAT(ask_below({purposes({oid::anyExtendedKeyUsage})}), IsGranted());
  EXPECT_THAT(ask_below({purposes({oid::id_kp_serverAuth})}),
              Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST(RaRole, AuthorityWithoutPurposesIsSaidExplicitly) {
  CaUnderTest ca;
  ca.configure("");
  ca.channels.at("drop").settings.ra_without_purpose = true;
  EXPECT_THAT(vouch(ca, below(ca, ca.ra_root, {})), IsGranted());
  EXPECT_THAT(vouch(ca, below(ca, ca.ra_root, {purposes({oid::id_kp_serverAuth})})),
              Refuses("error", PKIFailureInfo::signerNotTrusted))
      << "it has a purpose, and that is another";
}

TEST(RaRole, OurOwnCaMakesNoRasOfItsDevices) {
  for (const bool without_purpose : {false, true}) {
    CaUnderTest ca;
    const auto device = enrolled(ca);
    name_ras(ca, {ca.authority->issuer.certificate()});
    ca.channels.at("drop").settings.ra_without_purpose = without_purpose;
    EXPECT_THAT(vouch(ca, device), Refuses("ip", PKIFailureInfo::notAuthorized));
  }
}

TEST(RaRole, SelfSignedCertificateIsFoundBySenderKid) {
  CaUnderTest ca;
  const auto ra = self_signed(ca);
  name_ras(ca, {*ra.certificate});
  const auto kid = *ra.certificate->subject_key_identifier();
  EXPECT_THAT(ca.ask(without_certificates(ca, ra, vouched(), kid)), IsGranted());
  EXPECT_THAT(ca.ask(without_certificates(ca, ra, vouched(), std::nullopt)), IsGranted())
      << "by its name";
  EXPECT_THAT(ca.ask(without_certificates(ca, Credential(ra), vouched(), Bytes(20, 7))),
              Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(RaRole, CertificateWithoutKeyIdentifierIsFoundByThatOfItsKey) {
  CaUnderTest ca;
  const auto ra = self_signed(ca, {}, false);
  name_ras(ca, {*ra.certificate});
  const auto kid = ra.key.public_key().key_identifier();
  EXPECT_THAT(ca.ask(without_certificates(ca, ra, vouched(), kid)), IsGranted());
  auto header = first_header(ca, name("CN=RA"), kid, {});
  EXPECT_THAT(ca.ask(must(protect_with_signature(std::move(header), vouched(), ra.signer,
                                                 {{to_bytes(ra.certificate->der())}}))),
              IsGranted());
}

// What is known does not replace the proof.
TEST(RaRole, NamedCertificateStillNeedsItsKey) {
  CaUnderTest ca;
  const auto ra = self_signed(ca);
  name_ras(ca, {*ra.certificate});
  Credential thief;
  thief.certificate = ra.certificate;
  EXPECT_THAT(
      ca.ask(without_certificates(ca, thief, vouched(), *ra.certificate->subject_key_identifier())),
      Refuses("error", PKIFailureInfo::badMessageCheck));
}

// CAs.

struct CaRole : ::testing::Test {
  bool is_kept(const Credential& signer, const PKIBody& body) {
    const auto decision =
        ca.decide(signed_by(ca, signer, body, pvno3({.implicit_confirm = false})));
    EXPECT_TRUE(std::holds_alternative<Decision::Silence>(decision.what)) << decision.outcome;
    return decision.effects.announcement.has_value();
  }
  PKIBody certificate_of_theirs() {
    Credential anybody;
    ca.other_ca.certify(anybody, "CN=somebody", ca.clock.now(), ca.random);
    return body::cann{{to_bytes(anybody.certificate->der())}};
  }
  static Bytes crl_by(CaUnderTest& ca, const OtherRoot& root) {
    TBSCertList tbs;
    tbs.issuer = root.certificate.subject();
    tbs.crlNumber = 5;
    tbs.thisUpdate = ca.clock.now();
    tbs.nextUpdate = ca.clock.now() + std::chrono::hours(24);
    return must(sign_crl(tbs, root.credential.signer));
  }
  CaUnderTest ca;
};

TEST_F(CaRole, SpeaksItselfOrByACertificateForThat) {
  auto itself = ca.other_ca.credential;
  itself.certificate = ca.other_ca.certificate;
  EXPECT_TRUE(is_kept(itself, certificate_of_theirs()));
  EXPECT_TRUE(
      is_kept(below(ca, ca.other_ca, {purposes({oid::id_kp_cmcCA})}), certificate_of_theirs()));
  const std::vector<std::pair<const char*, Extensions>> others = {
      {"no purpose", {}},
      {"serverAuth", {purposes({oid::id_kp_serverAuth})}},
      {"any purpose", {purposes({oid::anyExtendedKeyUsage})}},
      {"an RA", {purposes({oid::id_kp_cmcRA})}},
      {"a CA below it", {basic_constraints_extension(true, std::nullopt)}},
  };
  for (const auto& [what, extensions] : others) {
    EXPECT_FALSE(is_kept(below(ca, ca.other_ca, extensions), certificate_of_theirs())) << what;
  }
}

TEST_F(CaRole, NamedEndEntityIsNoCa) {
  const auto impostor = self_signed(ca);
  put(ca, "ca.pem", {*impostor.certificate});
  ca.configure("");
  EXPECT_FALSE(is_kept(impostor, body::cann{{to_bytes(impostor.certificate->der())}}));
}

TEST_F(CaRole, SpeaksOfItselfOnly) {
  OtherRoot third("CN=Third CA", ca.clock.now(), ca.random);
  put(ca, "ca.pem", {ca.other_ca.certificate, third.certificate});
  ca.configure("");
  const auto other = below(ca, ca.other_ca, {purposes({oid::id_kp_cmcCA})});
  Credential theirs;
  third.certify(theirs, "CN=theirs", ca.clock.now(), ca.random);
  EXPECT_FALSE(is_kept(other, body::cann{{to_bytes(theirs.certificate->der())}}));
  EXPECT_FALSE(is_kept(other, body::crlann{{crl_by(ca, third)}}));
  EXPECT_FALSE(
      is_kept(other, revocation_announcement(*theirs.certificate, ca.clock.now(), ca.clock.now(),
                                             std::nullopt, CRLReason::superseded)
                         .body));
  Credential next;
  const auto update = must(make_rollover(
      third.certificate, third.credential.key,
      {next.key, ca.clock.now(), third.certificate.not_after() + std::chrono::hours(1)},
      ca.random));
  EXPECT_FALSE(is_kept(other, ca_key_announcement(update).body));
  EXPECT_TRUE(is_kept(other, body::crlann{{crl_by(ca, ca.other_ca)}}));
}

// A certificate that it issued to somebody says nothing about a new root of its own.
TEST_F(CaRole, NewRootIsARootOfTheSameName) {
  const auto signer = below(ca, ca.other_ca, {purposes({oid::id_kp_cmcCA})});
  const OtherRoot stranger("CN=Stranger", ca.clock.now(), ca.random);
  const auto link = certify(ca, ca.other_ca.certificate, ca.other_ca.credential,
                            stranger.credential.key.public_key(), "CN=Stranger", {});
  RootCaKeyUpdateContent content;
  content.newWithNew = {to_bytes(stranger.certificate.der())};
  content.newWithOld = CMPCertificate{to_bytes(link.der())};
  EXPECT_FALSE(is_kept(signer, body::ckuann{content}));
}

TEST_F(CaRole, RevokedSignerAnnouncesNothing) {
  const auto signer = below(ca, ca.other_ca, {purposes({oid::id_kp_cmcCA})});
  EXPECT_TRUE(is_kept(signer, certificate_of_theirs()));
  TBSCertList list;
  list.issuer = ca.other_ca.certificate.subject();
  list.thisUpdate = ca.clock.now();
  list.revokedCertificates.push_back(
      {to_bytes(signer.certificate->serial_number()), ca.clock.now(), {}, {}});
  must(write_file(ca.directory / "other.crl", must(sign_crl(list, ca.other_ca.credential.signer)),
                  0644, IfExists::fail));
  ca.configure("crls = [\"other.crl\"]\n");
  EXPECT_FALSE(is_kept(signer, certificate_of_theirs()));
}

// Revoked means refused.

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
  ca.authority->protocol_keys.push_back(own.protocol_key());
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
