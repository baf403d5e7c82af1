// Consent to a message as a whole (rr, genm, what a header brings): it is asked for what would
// happen.
#include "processor/admission/revocation_passphrase.h"
#include "tests/processor/admission/consent_shown.h"

namespace cmpost {
namespace {

using ::testing::Contains;

RevDetails revocation_of(const Certificate& certificate) {
  RevDetails details;
  details.certDetails.issuer = certificate.issuer();
  details.certDetails.serialNumber = to_bytes(certificate.serial_number());
  return details;
}

RevDetails revocation_of_nothing(const Certificate& certificate) {
  auto details = revocation_of(certificate);
  details.certDetails.serialNumber = Bytes{1, 2, 3};
  return details;
}

struct RevocationConsent : ::testing::Test {
  Office ca{std::string(kToldByError) + "approve_for = [\"rr\"]\n"};
  Credential device = enrolled(ca);
  CertificateState state() { return ca.record(*device.certificate)->state; }
  PKIMessage ask(const std::vector<RevDetails>& details) {
    return ca.talk(signed_by(ca, device, body::rr{details}));
  }
};

TEST_F(RevocationConsent, OneRightAndOneWrongEntryWaitLikeTheRightOneAlone) {
  const auto right = revocation_of(*device.certificate);
  const auto wrong = revocation_of_nothing(*device.certificate);
  for (const auto& details : {std::vector{right, wrong}, std::vector{wrong, right}}) {
    const auto told = ask(details);
    ASSERT_EQ(body_name(told.body), "error");
    EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
    EXPECT_EQ(state(), CertificateState::valid);
  }
}

TEST_F(RevocationConsent, OnceItIsGivenTheRightEntryIsDoneAndTheWrongOneRefused) {
  const auto told =
      ask({revocation_of(*device.certificate), revocation_of_nothing(*device.certificate)});
  EXPECT_EQ(ca.say(tid_of(told), true), Decided::done);
  ca.work();
  EXPECT_EQ(state(), CertificateState::revoked);
}

TEST_F(RevocationConsent, IsNotAskedForWhereNothingCouldBeGranted) {
  EXPECT_THAT(ask({revocation_of_nothing(*device.certificate)}),
              Refuses("rp", PKIFailureInfo::badCertId));
}

struct PassphraseConsent : ::testing::Test {
  explicit PassphraseConsent(const std::string& body = "\"kur\"")
      : ca("revocation_passphrase = true\n" + std::string(kToldByError) + "approve_for = [" + body +
           "]\n"),
        device(enrolled(ca)) {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
  }
  InfoTypeAndValue sealed() {
    auto value = must(envelop(view_of("seven wise men of Gotham"), oid::id_data,
                              must(recipient_of(own.certificate)), ca.random));
    value[0] = der::context_constructed(0);
    return {oid::id_it_revPassphrase, value};
  }
  MessageOptions with_passphrase() {
    return pvno3({.edit = [this](PKIHeader& header) { header.generalInfo.push_back(sealed()); }});
  }
  PKIMessage renew() {
    return ca.talk(signed_by(ca, device, body::kur{{cert_request(Credential(), "CN=dev1")}},
                             with_passphrase()));
  }
  bool is_kept() { return rows_of(ca, "holder_passphrase") > 0; }
  Office ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  Credential device;
};

TEST_F(PassphraseConsent, WhatTheHeaderLeavesWaitsWithTheMessage) {
  const auto told = renew();
  ASSERT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_EQ(find(told.header.generalInfo, oid::id_it_revPassphrase), nullptr);
  EXPECT_FALSE(is_kept());
  ca.say(tid_of(told), true);
  ca.work();
  EXPECT_TRUE(is_kept());
}

TEST_F(PassphraseConsent, WhatTheHeaderLeavesIsNotTakenWhenTheMessageIsRejected) {
  const auto told = renew();
  ca.say(tid_of(told), false);
  ca.work();
  EXPECT_FALSE(is_kept());
}

struct GenmConsent : PassphraseConsent {
  GenmConsent() : PassphraseConsent("\"genm\"") {}
};

TEST_F(GenmConsent, PassphraseWaits) {
  const auto told = ca.talk(signed_by(ca, device, body::genm{{sealed()}}, pvno3()));
  EXPECT_EQ(status_in(told).status, PKIStatus::waiting);
  EXPECT_FALSE(is_kept());
  ca.say(tid_of(told), true);
  ca.work();
  EXPECT_TRUE(is_kept());
}

TEST_F(GenmConsent, HeaderIsNoWayRoundIt) {
  EXPECT_THAT(renew(), Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_FALSE(is_kept());
}

TEST_F(RevocationConsent, SaysWhoseCertificatesAndWhy) {
  auto details = revocation_of(*device.certificate);
  details.crlEntryDetails = Extensions{{oid::id_ce_cRLReasons, false, Bytes{0x0a, 1, 1}}};
  const auto told = ask({details, revocation_of_nothing(*device.certificate)});
  const auto items = shown(ca.waiting_parts(tid_of(told)).at(0));
  EXPECT_THAT(items, Contains(Says("revokes", "CN=dev1")));
  EXPECT_THAT(items, Contains(Says("revokes", "mac:dev1")));
  EXPECT_THAT(items, Contains(Says("revokes", "keyCompromise")));
}

TEST_F(RevocationConsent, IsHeldAgainstWhatHasBecomeOfTheCertificate) {
  const auto told = ask({revocation_of(*device.certificate)});
  must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
    EXPECT_TRUE(must(writer.revoke(device.certificate->serial_number(), CRLReason::certificateHold,
                                   ca.clock.now(), {})));
    return {};
  }));
  ca.say(tid_of(told), true);
  ca.work();
  // Who asked with a certificate that is on hold by now has no right to anything.
  EXPECT_EQ(state(), CertificateState::held);
}

}  // namespace
}  // namespace cmpost
