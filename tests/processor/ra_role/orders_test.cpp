// An RA whose CA speaks no CMP.
#include "ca/lint/extension_values.h"
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
  // Of the departure of the only order.
  JobStatus departure() {
    const auto orders = must(list_orders(*ra().reader, true));
    EXPECT_THAT(orders, SizeIs(1));
    auto status = must(ra().spool->replies().find(orders.at(0).message.job()));
    return status.value_or(JobStatus{});
  }
  std::string order_of(const Bytes& der) { return order_name(to_hex(tid_of(der))); }
  // What a requester does not want; what leaves then.
  std::set<std::string> refuse(const PKIMessage& answer) {
    auto refusal = cert_conf(certificate_in(answer), kWholeMessage);
    PKIStatusInfo no;
    no.status = PKIStatus::rejection;
    std::get<body::certConf>(refusal).statuses.at(0).statusInfo = no;
    std::set<std::string> left;
    for (const auto& job : ask(with_mac(ra(), refusal, following(answer)))) {
      left.insert(job.envelope.reply.channel + ":" + job.envelope.body);
    }
    return left;
  }
  std::size_t open_orders() { return must(list_orders(*ra().reader, false)).size(); }
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
  EXPECT_THAT(refuse(answer), ElementsAre("drop:pkiconf", "portal:rr"));
  const auto orders = must(list_orders(*ra().reader, false));
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_TRUE(orders[0].revocation);
  EXPECT_EQ(orders[0].subject, "CN=dev1");
  ra().tick();
  ra().clock.advance(24h * 300);
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

TEST_F(Orders, WhatIsOverBeforeItHasLeftNeverLeaves) {
  const auto request = p10cr();
  ra().put(request);
  ra().work();
  EXPECT_EQ(departure().state, JobState::waiting);
  const auto orders = must(list_orders(*ra().reader, true));
  const auto leaves = [&] {
    Job job;
    job.id = orders.at(0).message.job();
    job.envelope.tid = to_hex(tid_of(request));
    return must(standing_of(job, ra().reader->connection()));
  };
  EXPECT_EQ(leaves(), OrderStanding::open);
  const auto no = order_job("portal", OrderNews::refused, order_of(request), "x", to_bytes("no"));
  must(ra().spool->requests().put({&no, 1}));
  ra().work();
  EXPECT_EQ(leaves(), OrderStanding::over);
  ra().timers();
  EXPECT_TRUE(departure().dropped);
  const auto jobs = ra().sent();
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs.at(0).envelope.body, "cp") << "the answer alone";
  Job other;
  other.envelope.tid = "0102";
  EXPECT_EQ(must(standing_of(other, ra().reader->connection())), OrderStanding::unknown);
}

TEST_F(Orders, WhatHasLeftAllTheSameIsNotedSo) {
  ra().put(p10cr());
  ra().work();
  const auto leases = must(ra().spool->replies().take(10));
  const auto no = order_job("portal", OrderNews::refused,
                            must(list_orders(*ra().reader, true)).at(0).id, "x", to_bytes("no"));
  must(ra().spool->requests().put({&no, 1}));
  ra().work();
  ra().timers();
  EXPECT_EQ(departure().state, JobState::active);
  const auto id = leases.at(0).job.id;
  must(ra().spool->replies().finish({&id, 1}, "sent"));
  ra().timers();
  EXPECT_TRUE(must(list_orders(*ra().reader, true)).at(0).message.left);
}

// `order deliver` of what does not pass ends nothing.
TEST_F(Orders, NewsThatDoesNotCountLeavesTheDepartureWhereItIs) {
  ra().put(p10cr());
  ra().work();
  const auto lease = must(ra().spool->replies().take(10)).at(0);
  must(ra().spool->replies().hold(lease.job.id, "nobody knows"));
  const auto deliver = [&](const Certificate& one) {
    const auto job = order_job("portal", OrderNews::certificates, lease.job.envelope.tid, "row 1",
                               to_bytes(one.der()));
    must(ra().spool->requests().put({&job, 1}));
    ra().work();
    ra().timers();
    ra().work();
  };
  deliver(issue(key_, "CN=dev2"));
  EXPECT_EQ(departure().state, JobState::held);
  EXPECT_EQ(open_orders(), 1U);
  deliver(issue(key_));
  EXPECT_TRUE(departure().dropped);
  EXPECT_EQ(ra().sent().size(), 1U);
}

TEST_F(Orders, ALateRefusalDoesNotClearWhatIsToBeRevoked) {
  const auto request = p10cr(explicitly());
  ask(request);
  refuse(RaOffice::only(hear(issue(key_))));
  EXPECT_THAT(hear(OrderNews::refused, to_bytes("too late"), order_of(request)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("waits for nothing")));
  EXPECT_EQ(open_orders(), 1U);
}

TEST_F(Orders, ACertificateOfACaIsNeverTaken) {
  const Extensions no_ca = {basic_constraints_extension(false, std::nullopt)};
  ask(with_mac(ra(), body::p10cr{certification_request(key_, "CN=dev1", no_ca)}));
  ra().vendor.extensions = {basic_constraints_extension(true, std::nullopt)};
  EXPECT_THAT(hear(issue(key_)), IsEmpty());
  ra().vendor.extensions = {key_usage_extension(std::uint32_t{1} << 5U)};
  EXPECT_THAT(hear(issue(key_)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("certificate of a CA"), HasSubstr("of a CA")));
  ra().vendor.extensions = no_ca;
  EXPECT_THAT(hear(issue(key_)), SizeIs(1));
}

TEST_F(Orders, WhatAnExtensionSaysOfSomebodyHasToBeAsOrdered) {
  ask(p10cr());
  der::Writer sid;
  sid.utf8_string("S-1-5-21-500");
  ra().vendor.extensions = {
      {*Oid::from_dotted("1.3.6.1.4.1.311.25.2"), false, std::move(sid).take()}};
  EXPECT_THAT(hear(issue(key_)), IsEmpty());
  EXPECT_THAT(ra().held(), ElementsAre(HasSubstr("was not asked for")));
}

TEST_F(Orders, OfTwoOrdersForAKeyACertificateIsForThatWhichItFits) {
  Credential device;
  issue(device, "CN=other");
  ask(p10cr());
  ask(signed_by(ra(), device, body::p10cr{certification_request(key_, "CN=other")}));
  ASSERT_EQ(open_orders(), 2U);
  EXPECT_THAT(hear(issue(key_, "CN=other")), SizeIs(1));
  EXPECT_THAT(ra().held(), IsEmpty());
  EXPECT_THAT(hear(issue(key_)), SizeIs(1));
  EXPECT_EQ(open_orders(), 0U);
}

TEST_F(Orders, TheNameOfAFileTellsOrdersForAKeyApart) {
  ask(p10cr());
  const auto second = with_mac(ra(), body::p10cr{certification_request(key_, "CN=dev1", {}, {})});
  ask(second);
  const auto certificate = issue(key_, "CN=dev3");
  hear(OrderNews::certificates, to_bytes(certificate.der()), order_of(second));
  ASSERT_THAT(ra().held(), SizeIs(1));
  EXPECT_THAT(ra().held().at(0), HasSubstr("order " + order_of(second)));
}

TEST_F(Orders, OneCertificateAnswersWhatTheSameRequesterHasAskedForTwice) {
  ask(p10cr());
  ask(p10cr());
  EXPECT_THAT(hear(issue(key_)), SizeIs(2));
  EXPECT_EQ(open_orders(), 0U);
  EXPECT_THAT(ra().held(), IsEmpty());
}

TEST_F(Orders, ACertificateIsTakenThatStandsInItsFileTwice) {
  ask(p10cr());
  const auto one = issue(key_);
  EXPECT_THAT(hear(OrderNews::certificates, concatenated({one, one})), SizeIs(1));
}

// The ledger has another certificate of that serial number.
TEST_F(Orders, WhatCouldNotBeNotedIsToBeRevokedByHandToo) {
  ra().vendor.serial = to_bytes("serial 17");
  ask(p10cr(explicitly()));
  hear(issue(key_));
  Credential another;
  ask(with_mac(ra(), body::p10cr{certification_request(another, "CN=dev1")}, explicitly()));
  const auto answer = RaOffice::only(hear(issue(another)));
  EXPECT_THAT(refuse(answer), ElementsAre("drop:pkiconf", "portal:rr"));
  EXPECT_EQ(must(list_orders(*ra().reader, false)).at(0).serials, to_hex(ra().vendor.serial));
}

// A request goes up unchanged: what the profile would leave out the CA may copy.
class Unchanged : public Orders {
 protected:
  static Extension extension(const char* id, const char* text) {
    der::Writer value;
    value.utf8_string(text);
    return {*Oid::from_dotted(id), false, std::move(value).take()};
  }
  std::string refused(const Extensions& extensions, const std::optional<Oid>& attribute = {}) {
    const auto csr = certification_request(key_, "CN=dev1", extensions, attribute);
    const auto jobs = ask(with_mac(ra(), body::p10cr{csr}));
    if (jobs.at(0).envelope.reply.channel == "portal") return "";
    return status_in(read(jobs.at(0).payload)).statusString.at(0);
  }
};

TEST_F(Unchanged, WhatTheProfileDoesNotGrantIsRefused) {
  EXPECT_THAT(refused({extension("1.3.6.1.4.1.311.25.2", "S-1-5-21-500")}),
              HasSubstr("does not grant the extension 1.3.6.1.4.1.311.25.2"));
  EXPECT_THAT(refused({certificate_policies_extension({*Oid::from_dotted("1.2.3.4")})}),
              HasSubstr("does not grant the extension"));
  EXPECT_THAT(refused({extended_key_usage_extension({*Oid::from_dotted("1.3.6.1.5.5.7.3.3")})}),
              HasSubstr("extendedKeyUsage"));
  EXPECT_THAT(refused({key_usage_extension(std::uint32_t{1} << 6U)}),
              HasSubstr("keyUsage cRLSign"));
  EXPECT_THAT(refused({basic_constraints_extension(true, std::nullopt)}), HasSubstr("CA"));
  EXPECT_THAT(refused({}, Oid::from_dotted("1.3.6.1.4.1.311.2.1.14")),
              HasSubstr("nobody here knows what its attribute 1.3.6.1.4.1.311.2.1.14"));
}

TEST_F(Unchanged, WhatBindsTheHolderAloneGoesOn) {
  EXPECT_EQ(refused({key_usage_extension(std::uint32_t{1} << 2U),
                     basic_constraints_extension(false, {}), extension("1.3.6.1.5.5.7.1.24", "x")},
                    Oid::from_dotted("1.3.6.1.4.1.311.13.2.3")),
            "");
}

}  // namespace
}  // namespace cmpost
