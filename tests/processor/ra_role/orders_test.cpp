// An RA whose CA speaks no CMP.
#include "processor/records/order_listing.h"
#include "queue/order_job.h"
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kOrders =
    "[[channel]]\nname = \"portal\"\nkind = \"orders\"\nin = \"p-in\"\nout = \"p-out\"\n"
    "direction = \"upstream\"\ntrust = [\"vendor.pem\"]\nprofiles = [\"device\"]\n";

class Orders : public Ra {
 protected:
  Orders() { start("", kOrders); }

  Bytes p10cr(const MessageOptions& options = {}) {
    return with_mac(ra(), body::p10cr{certification_request(key_, "CN=dev1")}, options);
  }
  // What leaves, as the egress gets it.
  std::vector<Job> ask(const Bytes& request) {
    ra().put(request);
    ra().work();
    return ra().sent();
  }
  Certificate issue(Credential& key, std::string_view subject = "CN=dev1",
                    Duration ago = Duration::zero()) {
    ra().vendor.certify(key, subject, ra().clock.now() - ago, ra().random);
    return *key.certificate;
  }
  std::vector<Bytes> hear(OrderNews news, const Bytes& payload, const std::string& tid = {}) {
    const auto job = order_job("portal", news, tid, "file " + std::to_string(++files_), payload);
    must(ra().spool->requests().put({&job, 1}));
    return ra().settle();
  }
  std::vector<Bytes> hear(const Certificate& certificate) {
    return hear(OrderNews::certificates, to_bytes(certificate.der()));
  }
  Bytes tid_of(const Bytes& der) { return *read(der).header.transactionID; }

  int files_ = 0;
};

TEST_F(Orders, APkcs10GoesUpAndItsCertificateComesDownUnderOurProtection) {
  const auto request = p10cr();
  const auto jobs = ask(request);
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0].envelope.reply.channel, "portal");
  EXPECT_EQ(jobs[0].envelope.body, "p10cr");
  EXPECT_EQ(jobs[0].envelope.tid, to_hex(tid_of(request)));
  const auto csr = must(certification_request_from_pem_or_der(jobs[0].payload));
  EXPECT_EQ(csr.subject, name("CN=dev1"));
  const auto certificate = issue(key_);
  const auto answer = RaOffice::only(hear(certificate));
  EXPECT_EQ(body_name(answer.body), "cp");
  EXPECT_THAT(verify_mac_protection(answer, view_of(CaUnderTest::kSecret), {}), IsOk());
  EXPECT_EQ(certificate_in(answer), certificate);
  EXPECT_EQ(ra().record(certificate)->state, CertificateState::valid);
}

TEST_F(Orders, EverythingElseIsRefusedAtOnce) {
  const auto answer = RaOffice::only(ra().ask_all(with_mac(ra(), ir(key_))));
  EXPECT_EQ(body_name(answer.body), "ip");
  const auto& status = std::get<body::ip>(answer.body).response.response.at(0).status;
  EXPECT_TRUE(status.has(PKIFailureInfo::badRequest));
  EXPECT_THAT(status.statusString.at(0), HasSubstr("use p10cr"));
}

TEST_F(Orders, ACertificateIsKnownByItsKeyAndHeldAgainstItsOrder) {
  ask(p10cr());
  Credential other;
  EXPECT_THAT(hear(issue(other)), IsEmpty());
  EXPECT_THAT(hear(issue(key_, "CN=dev2")), IsEmpty());
  EXPECT_THAT(hear(issue(key_, "CN=dev1", 24h * 400)), IsEmpty());
  EXPECT_THAT(ra().held(),
              ElementsAre(HasSubstr("never ordered here"), HasSubstr("changed more than allowed"),
                          HasSubstr("ended at")));
  EXPECT_THAT(hear(issue(key_)), SizeIs(1)) << "the right one counts all the same";
  EXPECT_THAT(hear(issue(key_)), IsEmpty());
  EXPECT_THAT(ra().held().back(), HasSubstr("second one"));
}

TEST_F(Orders, TheSameFileAgainIsTheSameAnswerAgain) {
  ask(p10cr());
  const auto certificate = issue(key_);
  ASSERT_THAT(hear(certificate), SizeIs(1));
  hear(certificate);
  EXPECT_THAT(ra().held(), IsEmpty());
}

TEST_F(Orders, ARefusalIsTypedAndHasItsReason) {
  const auto request = p10cr();
  ask(request);
  const auto tid = to_hex(tid_of(request));
  EXPECT_THAT(hear(OrderNews::refused, to_bytes("x"), "ffffffffffff"), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("no order is called")));
  const auto answer =
      RaOffice::only(hear(OrderNews::refused, to_bytes("too dear"), order_name(tid)));
  const auto& status = std::get<body::cp>(answer.body).response.response.at(0).status;
  EXPECT_THAT(status.statusString.at(0), HasSubstr("too dear"));
}

TEST_F(Orders, WhatItsRequesterDoesNotAcceptIsToBeRevokedByHand) {
  const auto request = p10cr(explicitly());
  ask(request);
  const auto certificate = issue(key_);
  const auto answer = RaOffice::only(hear(certificate));
  auto refusal = cert_conf(certificate, kWholeMessage);
  PKIStatusInfo no;
  no.status = PKIStatus::rejection;
  std::get<body::certConf>(refusal).statuses.at(0).statusInfo = no;
  std::set<std::string> left;
  for (const auto& job : ask(with_mac(ra(), refusal, following(answer)))) {
    left.insert(job.envelope.reply.channel + ":" + job.envelope.body);
  }
  EXPECT_THAT(left, ElementsAre("drop:pkiconf", "portal:rr"));
  const auto orders = must(list_orders(*ra().reader, false));
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_TRUE(orders[0].revocation);
  EXPECT_EQ(orders[0].subject, "CN=dev1");
  ra().tick();
  ra().clock.advance(24h * 1000);
  ra().tick();
  EXPECT_THAT(must(list_orders(*ra().reader, false)), SizeIs(1)) << "it does not go by itself";
  hear(OrderNews::revoked, to_bytes("alice"), orders[0].id);
  EXPECT_THAT(must(list_orders(*ra().reader, false)), IsEmpty());
}

TEST_F(Orders, WhoeverWaitsTooLongHearsSoOnceAndALateCertificateIsShown) {
  ask(p10cr());
  ra().tick();
  ra().clock.advance(24h * 31);
  EXPECT_THAT(ra().tick(), SizeIs(1));
  EXPECT_THAT(hear(issue(key_)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("which is over (unanswered)")));
}

}  // namespace
}  // namespace cmpost
