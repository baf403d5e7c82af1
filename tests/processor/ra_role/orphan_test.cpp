// Certificates that come when nobody waits for them any more.
#include "processor/upstream/orphan_table.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Orphans : public Ra {
 protected:
  // The requester hears that there is no answer, and then there is one: its
  // certificate.
  Certificate come_late(const std::string& rule, const std::string& of_vault = "") {
    start("upstream_within = \"1d\"\n" + rule, of_vault);
    EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
    EXPECT_THAT(ra().tick(), IsEmpty());
    ra().clock.advance(25h);
    EXPECT_THAT(RaOffice::only(ra().tick()), Refuses("error", PKIFailureInfo::systemUnavail));
    late_ = ra().above_answers().at(0);
    EXPECT_THAT(ra().hear(late_), IsEmpty());
    return certificate_in(read(late_));
  }
  std::vector<Orphan> orphans() { return must(OrphanTable(ra().reader->connection()).all()); }
  OrphanState state() { return orphans().at(0).state; }
  Bytes resigned(const PKIMessage& message) {
    const auto& identity = ca().authority->identity;
    return must(
        protect_with_signature(message.header, message.body, identity.signer, identity.chain));
  }

  Bytes late_;
};

TEST_F(Orphans, WaitForAPersonWhereNothingElseIsSaid) {
  const auto certificate = come_late("");
  ASSERT_THAT(orphans(), SizeIs(1));
  EXPECT_EQ(state(), OrphanState::open);
  EXPECT_EQ(orphans()[0].serial, to_bytes(certificate.serial_number()));
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("cmpost orphan")));
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  // Heard once more it is the same one.
  EXPECT_THAT(ra().hear(late_), IsEmpty());
  EXPECT_THAT(orphans(), SizeIs(1));
}

TEST_F(Orphans, AreRevokedWhereTheSettingsSaySo) {
  const auto certificate = come_late("orphans = \"revoke\"\n");
  EXPECT_EQ(state(), OrphanState::wanted);
  EXPECT_THAT(ra().held(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  ASSERT_THAT(ra().up, SizeIs(1)) << "it is asked for once";
  EXPECT_EQ(body_name(read(ra().up.front()).body), "rr");
  EXPECT_EQ(state(), OrphanState::asked);
  EXPECT_THAT(ra().carry(), IsEmpty());
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::revoked);
  EXPECT_EQ(state(), OrphanState::revoked);
}

TEST_F(Orphans, AreKeptWhereTheSettingsSaySo) {
  const auto certificate = come_late("orphans = \"keep\"\n");
  EXPECT_EQ(state(), OrphanState::kept);
  EXPECT_THAT(ra().held(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_EQ(ca().record(certificate)->state, CertificateState::valid);
}

// The CA revokes nothing twice.
TEST_F(Orphans, WhatTheCaDoesNotRevokeWaitsForAPerson) {
  come_late("orphans = \"revoke\"\n");
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  auto answer = read(ra().above_answers().at(0));
  answer.body = error_body({PKIFailureInfo::notAuthorized, "you may not"});
  EXPECT_THAT(ra().hear(resigned(answer)), IsEmpty());
  EXPECT_EQ(state(), OrphanState::open);
  EXPECT_THAT(orphans()[0].note, HasSubstr("you may not"));
}

TEST_F(Orphans, SoDoesWhatItNeverAnswersAbout) {
  come_late("orphans = \"revoke\"\n");
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(25h);
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_EQ(state(), OrphanState::open);
  EXPECT_THAT(orphans()[0].note, HasSubstr("not answered"));
}

// RFC 9483 3.2: the MAC is for certificates alone.
TEST_F(Orphans, SoDoesWhatTheCaCannotBeAskedAbout) {
  start("upstream_within = \"1d\"\norphans = \"revoke\"\n");
  EXPECT_THAT(ra().ask_all(with_mac(ra(), ir(key_))), IsEmpty());
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(25h);
  EXPECT_THAT(ra().tick(), SizeIs(1));
  EXPECT_THAT(ra().carry(), IsEmpty());
  Secret secret;
  secret.reference = "ra";
  secret.value = to_bytes(std::string_view("between the two of us"));
  ra().add(secret);
  ra().set("upstream_within = \"1d\"\norphans = \"revoke\"\n", "secret = \"ra\"\n", "");
  EXPECT_THAT(ra().tick(), IsEmpty());
  EXPECT_THAT(ra().up, IsEmpty());
  EXPECT_EQ(state(), OrphanState::open);
  EXPECT_THAT(orphans()[0].note, HasSubstr("takes no rr"));
}

// A second certificate for a request that has one.
TEST_F(Orphans, AreWhatASecondAnswerBrings) {
  start("orphans = \"revoke\"\n");
  const auto request = with_mac(ra(), ir(key_));
  EXPECT_THAT(ra().ask_all(request), IsEmpty());
  const auto first = ra().above_answers();
  EXPECT_THAT(ra().hear(first.at(0)), SizeIs(1));
  auto other = read(first.at(0));
  other.header.senderNonce = ca().random.bytes(16);
  EXPECT_THAT(ra().hear(resigned(other)), IsEmpty());
  EXPECT_THAT(orphans(), IsEmpty()) << "the requester has it";
  const auto second = ca().exchange(with_mac(ca(), ir(key_)));
  other.body = read(second).body;
  EXPECT_THAT(ra().hear(resigned(other)), IsEmpty());
  ASSERT_THAT(orphans(), SizeIs(1));
  EXPECT_EQ(orphans()[0].serial, to_bytes(certificate_in(read(second)).serial_number()));
}

TEST_F(Orphans, AreNotMadeByWhoMayNotAnswer) {
  come_late("orphans = \"revoke\"\n");
  auto forged = read(late_);
  ca().vendor.certify(key_, "CN=dev1", ca().clock.now(), ca().random);
  const_cast<CertRepMessage*>(cert_response(forged.body))
      ->response.front()
      .certifiedKeyPair->certOrEncCert.choice = CMPCertificate{to_bytes(key_.certificate->der())};
  Credential device;
  ca().vendor.certify(device, "CN=V1", ca().clock.now(), ca().random);
  EXPECT_THAT(ra().hear(must(protect_with_signature(forged.header, forged.body, device.signer,
                                                    {{to_bytes(device.certificate->der())}}))),
              IsEmpty());
  EXPECT_THAT(orphans(), SizeIs(1));
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("does not count")));
}

}  // namespace
}  // namespace cmpost
