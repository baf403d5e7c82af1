// Who is an RA and who speaks for another CA (RFC 9483 3.5).
#include "processor/admission/roles.h"

#include "tests/processor/admission/role_holders.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace cmpost
