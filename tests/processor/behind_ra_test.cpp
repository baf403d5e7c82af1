// Behind a registration authority of another maker: messages that Siemens LightweightCmpRa 4.0.3
// has sent, and messages like its.
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Bytes sent_by_it(const std::string& name) {
  return must(read_file(std::string(CMPOST_TEST_DATA) + "/cmp/behind-ra/" + name, 1U << 16));
}

MessageOptions explicitly() { return {.implicit_confirm = false}; }

class BehindAnRa : public ::testing::Test {
 protected:
  void start(const std::string& settings = "") {
    office_ = std::make_unique<Office>(settings);
    ca().ra_root.certify(ra_, "CN=RA", ca().clock.now(), ca().random);
  }
  // At the time of its messages, with no patience for what follows something unknown.
  void start_with_its_root() {
    start();
    must(write_file(ca().directory / "ra.pem", sent_by_it("ra-root.crt"), 0644, IfExists::replace));
    ca().configure("out_of_order = \"0s\"\n");
    ca().clock.set(*decode(sent_by_it("ir-of-ra-vendor-issuer.der"))->header.messageTime);
  }
  Office& ca() { return *office_; }

  // As it does it: everything of the inner header is copied, recipNonce as well.
  Bytes added(const Bytes& inner) {
    const auto header = decode(inner)->header;
    return signed_by(ca(), ra_, body::nested{{inner}},
                     {.implicit_confirm = false, .edit = [header](PKIHeader& outer) {
                        outer.transactionID = header.transactionID;
                        outer.senderNonce = header.senderNonce;
                        outer.recipNonce = header.recipNonce;
                      }});
  }
  PKIBody kur() { return body::kur{{cert_request(next_, "CN=dev1")}}; }
  CertificateState state_of(const Certificate& certificate) {
    return ca().record(certificate)->state;
  }

  std::unique_ptr<Office> office_;
  Credential ra_, next_;
};

TEST_F(BehindAnRa, WhatStandsInTheRecipNonceOfANestedMessageIsIgnored) {
  start_with_its_root();
  Secret secret;
  secret.reference = "3078";
  secret.value = to_bytes(std::string_view("SiemensIT"));
  ca().add(secret);
  const auto status = status_in(ca().talk(sent_by_it("nested-certConf.der")));
  EXPECT_THAT(status.statusString, ElementsAre(HasSubstr("no open transaction")));
}

TEST_F(BehindAnRa, CertConfAndPollReqGoInANestedMessage) {
  start("waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n");
  const auto interim = ca().talk(added(with_mac(ca(), ir(next_), explicitly())));
  EXPECT_EQ(status_in(interim).status, PKIStatus::waiting);
  const auto tid = *interim.header.transactionID;
  const auto told = ca().talk(added(with_mac(ca(), poll_req(0), following(interim))));
  EXPECT_EQ(body_name(told.body), "pollRep");
  ca().say(tid, true);
  ca().work();
  const auto answer = ca().talk(added(with_mac(ca(), poll_req(0), following(told))));
  const auto conf = with_mac(ca(), cert_conf(certificate_in(answer)), following(answer));
  EXPECT_EQ(body_name(ca().talk(added(conf)).body), "pkiconf");
}

TEST_F(BehindAnRa, ConfirmsAndPollsForWhomItHasForwardedAKur) {
  start("waiting = \"always\"\napprove = \"one\"\napprove_for = [\"kur\"]\n");
  const auto device = enrolled(ca());
  const auto interim = ca().talk(signed_by(ca(), device, kur(), explicitly()));
  const auto told = ca().talk(signed_by(ca(), ra_, poll_req(0), following(interim)));
  EXPECT_EQ(body_name(told.body), "pollRep");
  ca().say(*interim.header.transactionID, true);
  ca().work();
  const auto answer = ca().talk(signed_by(ca(), ra_, poll_req(0), following(told)));
  const auto conf = cert_conf(certificate_in(answer));
  EXPECT_EQ(body_name(ca().talk(signed_by(ca(), ra_, conf, following(answer))).body), "pkiconf");
  EXPECT_EQ(state_of(*device.certificate), CertificateState::updated);
}

// Neither who is no RA, nor an RA for what a MAC has opened, nor with anything but these two.
TEST_F(BehindAnRa, NobodyElseGoesOnWithAnothersTransaction) {
  start("out_of_order = \"0s\"\n");
  const auto device = enrolled(ca());
  const auto other = enrolled(ca(), "CN=dev2");
  const auto answer = ca().ask(signed_by(ca(), device, kur(), explicitly()));
  const auto conf = cert_conf(certificate_in(answer));
  EXPECT_THAT(ca().ask(signed_by(ca(), other, conf, following(answer))),
              Refuses("error", PKIFailureInfo::notAuthorized));
  ErrorMsgContent given_up;
  given_up.pKIStatusInfo.status = PKIStatus::rejection;
  EXPECT_TRUE(
      ca().exchange(signed_by(ca(), ra_, body::error{given_up}, following(answer))).empty());
  EXPECT_EQ(state_of(certificate_in(answer)), CertificateState::unconfirmed);

  const auto by_mac = ca().ask(with_mac(ca(), ir(Credential()), explicitly()));
  const auto mac_conf = cert_conf(certificate_in(by_mac));
  EXPECT_THAT(ca().ask(signed_by(ca(), ra_, mac_conf, following(by_mac))),
              Refuses("error", PKIFailureInfo::wrongIntegrity));
}

TEST_F(BehindAnRa, OfAStrictChannelEveryTransactionIsWhoseItWas) {
  start("strict = true\nout_of_order = \"0s\"\n");
  const auto device = enrolled(ca());
  const auto answer = ca().ask(signed_by(ca(), device, kur(), explicitly()));
  const auto conf = cert_conf(certificate_in(answer));
  EXPECT_THAT(ca().ask(signed_by(ca(), ra_, conf, following(answer))),
              Refuses("error", PKIFailureInfo::notAuthorized));
}

TEST_F(BehindAnRa, TheIssuerThatOpenSslWritesIntoTheTemplateIsNoWish) {
  start_with_its_root();
  const auto answer = ca().talk(sent_by_it("ir-of-ra-vendor-issuer.der"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted)
      << ::testing::PrintToString(status_in(answer).statusString);
}

TEST_F(BehindAnRa, AWarningOfARenewalBeforeIsInWords) {
  start();
  const auto device = enrolled(ca());
  certificate_in(ca().ask(signed_by(ca(), device, kur())));
  const auto again = status_in(ca().ask(signed_by(ca(), device, kur())));
  EXPECT_EQ(again.status, PKIStatus::accepted);
  EXPECT_THAT(again.statusString, ElementsAre(HasSubstr("renewed before")));
}

using SilenceIsAcceptance = BehindAnRa;

TEST_F(SilenceIsAcceptance, AtOnce) {
  start("unconfirmed = \"keep\"\n");
  auto device = enrolled(ca());
  const auto old = *device.certificate;
  const auto answer = ca().ask(signed_by(ca(), device, kur(), explicitly()));
  EXPECT_TRUE(answer.header.generalInfo.size() > 0) << "certConf is still asked for";
  EXPECT_EQ(state_of(certificate_in(answer)), CertificateState::valid);
  Credential renewed = next_;
  renewed.certificate = certificate_in(answer);
  EXPECT_EQ(status_in(ca().ask(signed_by(ca(), renewed, kur()))).status, PKIStatus::accepted);
  const auto again = status_in(ca().ask(signed_by(ca(), device, kur())));
  EXPECT_EQ(again.status, PKIStatus::accepted);
  EXPECT_THAT(again.statusString, ElementsAre(HasSubstr("renewed before")));
}

TEST_F(SilenceIsAcceptance, WhatIsConfirmedLaterIsConfirmed) {
  start("unconfirmed = \"keep\"\n");
  const auto device = enrolled(ca());
  const auto answer = ca().ask(signed_by(ca(), device, kur(), explicitly()));
  const auto conf = cert_conf(certificate_in(answer));
  EXPECT_EQ(body_name(ca().ask(signed_by(ca(), device, conf, following(answer))).body), "pkiconf");
  EXPECT_EQ(state_of(*device.certificate), CertificateState::updated);
}

TEST_F(SilenceIsAcceptance, WhatIsRefusedLaterIsRevoked) {
  start("unconfirmed = \"keep\"\n");
  const auto device = enrolled(ca());
  for (const bool wrong_hash : {true, false}) {
    const auto answer = ca().ask(signed_by(ca(), device, kur(), explicitly()));
    auto conf = cert_conf(certificate_in(answer));
    auto& status = std::get<body::certConf>(conf).statuses.at(0);
    if (wrong_hash) {
      status.certHash.at(0) ^= 1;
    } else {
      status.statusInfo = status_info({PKIFailureInfo::badCertTemplate, "not like this"});
    }
    ca().ask(signed_by(ca(), device, conf, following(answer)));
    EXPECT_EQ(state_of(certificate_in(answer)), CertificateState::revoked) << wrong_hash;
    EXPECT_EQ(state_of(*device.certificate), CertificateState::valid) << wrong_hash;
  }
}

TEST_F(SilenceIsAcceptance, AfterItsTimeTheOldCertificateIsDoneWith) {
  start("unconfirmed = \"keep\"\nconfirm_within = \"1h\"\n");
  const auto device = enrolled(ca());
  certificate_in(ca().talk(signed_by(ca(), device, kur(), explicitly())));
  ca().timers();
  ca().clock.advance(std::chrono::hours(2));
  ca().timers();
  EXPECT_EQ(state_of(*device.certificate), CertificateState::updated);
}

// Renewed in its turn before the time for its certConf was over, it was accepted.
TEST_F(SilenceIsAcceptance, AlsoOfWhatWasRenewedSince) {
  start("unconfirmed = \"keep\"\nconfirm_within = \"1h\"\n");
  const auto device = enrolled(ca());
  Credential renewed = next_;
  renewed.certificate = certificate_in(ca().talk(signed_by(ca(), device, kur(), explicitly())));
  next_ = Credential();
  certificate_in(ca().talk(signed_by(ca(), renewed, kur())));
  ca().timers();
  ca().clock.advance(std::chrono::hours(2));
  ca().timers();
  EXPECT_EQ(state_of(*device.certificate), CertificateState::updated);
  EXPECT_EQ(state_of(*renewed.certificate), CertificateState::updated);
}

TEST_F(BehindAnRa, AP10crThatWaitsKeepsItsNumberWhateverTheQuirksSayMeanwhile) {
  start("waiting = \"always\"\napprove = \"one\"\n");
  const PKIBody request = body::p10cr{certification_request(next_, "CN=dev1")};
  const auto interim = ca().talk(with_mac(ca(), request));
  ca().say(*interim.header.transactionID, true);
  ca().channels.at("drop").settings.quirks.p10cr_zero = true;
  ca().work();
  const auto answer = ca().talk(with_mac(ca(), poll_req(-1), following(interim)));
  EXPECT_EQ(certificate_in(answer).subject(), name("CN=dev1"));
  EXPECT_EQ(cert_response(answer.body)->response.at(0).certReqId, -1);
}

TEST_F(BehindAnRa, WhoseP10crKnowsCertReqIdZeroAloneGetsThat) {
  start("quirks = [\"p10cr_zero\"]\nout_of_order = \"0s\"\n");
  const PKIBody request = body::p10cr{certification_request(next_, "CN=dev1")};
  const auto answer = ca().ask(with_mac(ca(), request, explicitly()));
  const auto certificate = certificate_in(answer);
  EXPECT_EQ(cert_response(answer.body)->response.at(0).certReqId, 0);
  EXPECT_EQ(body_name(ca().ask(with_mac(ca(), cert_conf(certificate), following(answer))).body),
            "pkiconf");
}

TEST_F(BehindAnRa, AP10crWithThatQuirkIsPolledForByEitherNumber) {
  start("quirks = [\"p10cr_zero\"]\nwaiting = \"always\"\napprove = \"one\"\n");
  const PKIBody request = body::p10cr{certification_request(next_, "CN=dev1")};
  const auto interim = ca().talk(with_mac(ca(), request));
  EXPECT_EQ(cert_response(interim.body)->response.at(0).certReqId, 0);
  const auto told = ca().talk(with_mac(ca(), poll_req(-1), following(interim)));
  EXPECT_EQ(body_name(told.body), "pollRep");
  ca().say(*interim.header.transactionID, true);
  ca().work();
  const auto answer = ca().talk(with_mac(ca(), poll_req(0), following(told)));
  EXPECT_EQ(cert_response(answer.body)->response.at(0).certReqId, 0);
}

// Who approves.

using ApprovalByAnRa = BehindAnRa;

TEST_F(ApprovalByAnRa, IsWhatTheChannelSays) {
  struct Row {
    std::string setting;
    bool nested, reprotected;
  };
  for (const auto& row :
       {Row{"none", false, false}, Row{"nested", true, false}, Row{"any", true, true}}) {
    start("approve = \"one\"\nwaiting = \"always\"\napproval_by_ra = \"" + row.setting + "\"\n");
    const auto nested = ca().talk(added(with_mac(ca(), ir(Credential()))));
    const auto reprotected = ca().talk(signed_by(ca(), ra_, ir(Credential())));
    EXPECT_EQ(status_in(nested).status == PKIStatus::accepted, row.nested) << row.setting;
    EXPECT_EQ(status_in(reprotected).status == PKIStatus::accepted, row.reprotected) << row.setting;
  }
}

TEST_F(ApprovalByAnRa, CountsAsOneOfTwo) {
  start("approve = \"two\"\nwaiting = \"always\"\n");
  const auto waits = ca().talk(added(with_mac(ca(), ir(Credential()))));
  EXPECT_EQ(status_in(waits).status, PKIStatus::waiting);
  EXPECT_EQ(ca().say(*waits.header.transactionID, true), Decided::done);
  const auto alone = ca().talk(with_mac(ca(), ir(Credential())));
  EXPECT_EQ(ca().say(*alone.header.transactionID, true), Decided::one_more);
}

// With whatever certificate: this is another one of its own.
TEST_F(ApprovalByAnRa, IsNoneOfARevocationOfItsOwn) {
  start("approve = \"one\"\napprove_for = [\"rr\"]\napproval_by_ra = \"any\"\n");
  const auto others = enrolled(ca(), "CN=dev1");
  Credential own;
  own.certificate = certificate_in(ca().ask(signed_by(ca(), ra_, ir(own, "CN=RA"))));
  EXPECT_THAT(ca().post(signed_by(ca(), ra_, revocation(*own.certificate))), ::testing::IsEmpty());
  EXPECT_EQ(state_of(*own.certificate), CertificateState::valid);
  ca().talk(signed_by(ca(), ra_, revocation(*others.certificate)));
  EXPECT_EQ(state_of(*others.certificate), CertificateState::revoked);
}

TEST_F(ApprovalByAnRa, IsNoneOfWhatIsItsOwn) {
  start("approve = \"one\"\nwaiting = \"always\"\napproval_by_ra = \"any\"\n");
  for (const auto& body : {ir(Credential(), "CN=RA"), ir(ra_, "CN=dev1")}) {
    EXPECT_EQ(status_in(ca().talk(signed_by(ca(), ra_, body))).status, PKIStatus::waiting);
  }
}

}  // namespace
}  // namespace cmpost
