// What people have to agree to before it happens, and that it is this and nothing else.
#include "crypto/envelope_attributes.h"
#include "processor/revocation_passphrase.h"
#include "tests/processor/keys.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTold = "approve = \"one\"\nwaiting = \"always\"\nwaiting_by_error = true\n";

Bytes tid_of(const PKIMessage& answer) { return *answer.header.transactionID; }

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
  Office ca{std::string(kTold) + "approve_for = [\"rr\"]\n"};
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
      : ca("revocation_passphrase = true\n" + std::string(kTold) + "approve_for = [" + body +
           "]\n"),
        device(enrolled(ca)) {
    ca.authority->protocol_keys.push_back(own.protocol_key());
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
  bool is_kept() {
    auto* const rows =
        must(ca.reader->connection().statement("SELECT count(*) FROM holder_passphrase"));
    EXPECT_TRUE(must(rows->step()));
    const auto count = rows->integer(0);
    rows->reset();
    return count > 0;
  }
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

}  // namespace
}  // namespace cmpost
