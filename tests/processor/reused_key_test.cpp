// One certificate for a key, wherever two requests for it may meet.
#include "tests/processor/office.h"

namespace cmpost::reused_key {
namespace {

using ::testing::SizeIs;

MessageOptions for_profile(const char* profile) {
  return {.implicit_confirm = true, .edit = [profile](PKIHeader& header) {
            der::Writer value;
            value.constructed(der::kSequence, [&] { value.utf8_string(profile); });
            header.generalInfo.push_back({oid::id_it_certProfile, value.bytes()});
          }};
}

std::vector<PKIStatus> statuses_in(const PKIMessage& answer) {
  std::vector<PKIStatus> all;
  const auto* response = cert_response(answer.body);
  EXPECT_NE(response, nullptr) << body_name(answer.body);
  if (response == nullptr) return all;
  for (const auto& part : response->response) all.push_back(part.status.status);
  return all;
}

TEST(ReusedKey, SecondRequestInOneMessageIsRefused) {
  CaUnderTest ca;
  const Credential device;
  const auto message = [&](std::string_view second) {
    body::ir ir;
    ir.requests.push_back(cert_request(device, "CN=dev1"));
    ir.requests.push_back(cert_request(device, second, {.certReqId = 1}));
    ir.requests.push_back(cert_request(Credential(), "CN=dev3", {.certReqId = 2}));
    return ir;
  };
  using enum PKIStatus;
  for (const auto* second : {"CN=dev1", "CN=dev2"}) {
    CaUnderTest other;
    EXPECT_EQ(statuses_in(other.ask(with_mac(other, message(second), for_profile("fresh")))),
              (std::vector{accepted, rejection, accepted}));
    EXPECT_EQ(other.certificates(), 2);
  }
  EXPECT_EQ(statuses_in(ca.ask(with_mac(ca, message("CN=dev2"), for_profile("device")))),
            (std::vector{accepted, accepted, accepted}))
      << "where the profile does not mind";
}

TEST(ReusedKey, WhatAnotherRequestGotMeanwhileConflictsInTheCommit) {
  CaUnderTest ca;
  const Credential device;
  const auto first = ca.decide(with_mac(ca, ir(device), for_profile("fresh")));
  const auto second = ca.decide(with_mac(ca, ir(device, "CN=dev2"), for_profile("fresh")));
  const auto third = ca.decide(with_mac(ca, ir(device, "CN=dev3"), for_profile("device")));
  EXPECT_TRUE(ca.commit(first));
  EXPECT_FALSE(ca.commit(second)) << "to be judged again";
  EXPECT_TRUE(ca.commit(third));
  EXPECT_EQ(ca.certificates(), 2);
}

TEST(ReusedKey, RequestsOfOneGroupAreJudgedOneAfterTheOther) {
  for (const std::size_t workers : {1U, 4U}) {
    Office ca;
    ca.workers = workers;
    const Credential device;
    for (const auto* subject : {"CN=dev1", "CN=dev2", "CN=dev3"}) {
      ca.put(with_mac(ca, ir(device, subject), for_profile("fresh")), subject);
    }
    ca.work();
    EXPECT_THAT(ca.sent(), SizeIs(3));
    EXPECT_EQ(ca.certificates(), 1);
  }
}

TEST(ReusedKey, KeysOfTheCaAreNobodyElses) {
  CaUnderTest ca;
  Credential ra;
  ra.certificate.reset();
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  const auto request_for = [&](ByteView spki, const char* profile) {
    der::Reader reader(spki);
    const auto key = read_spki(reader).value();
    const RequestOptions verified{
        .edit = [&](CertTemplate& wanted) { wanted.publicKey = key; },
        .edit_signed = [](CertReqMsg& message) { message.popo = RaVerified{}; }};
    return ca.ask(signed_by(ca, ra, ir(ra, "CN=dev1", verified), for_profile(profile)));
  };
  const auto issuing = to_bytes(ca.authority->issuer.certificate().spki());
  EXPECT_THAT(request_for(issuing, "device"), Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_THAT(request_for(issuing, "fresh"), Refuses("ip", PKIFailureInfo::badCertTemplate));
  const auto working = to_bytes(ca.authority->identity.certificate.spki());
  EXPECT_THAT(request_for(working, "fresh"), Refuses("ip", PKIFailureInfo::badCertTemplate));
}

}  // namespace
}  // namespace cmpost::reused_key
