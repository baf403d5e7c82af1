// reuse_key = "deny" at an RA: by what has passed it, and what it has asked a CA for.
#include "tests/processor/ra_fixture.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RaReusedKey : public Ra {
 protected:
  void start_denying(const std::string& ra_settings = "") {
    start(ra_settings);
    auto& profiles = ra().channels.at("drop").profiles;
    auto settings = profiles.front().settings();
    settings.reuse_key = false;
    profiles.front() = must(Profile::create(settings));
  }
  Bytes request(std::string_view subject = "CN=dev1") { return with_mac(ra(), ir(key_, subject)); }
};

TEST_F(RaReusedKey, WhatHasACertificateGetsNoSecondOne) {
  start_denying();
  certificate_in(ra().through(request()));
  EXPECT_THAT(RaOffice::only(ra().ask_all(request())),
              Refuses("ip", PKIFailureInfo::duplicateCertReq));
  EXPECT_THAT(RaOffice::only(ra().ask_all(request("CN=dev2"))),
              Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_THAT(ra().up, IsEmpty());
}

TEST_F(RaReusedKey, NorDoesWhatIsAskedForAlready) {
  start_denying("upstream_within = \"1d\"\n");
  EXPECT_THAT(ra().ask_all(request()), IsEmpty());
  EXPECT_THAT(RaOffice::only(ra().ask_all(request())),
              Refuses("ip", PKIFailureInfo::duplicateCertReq));
  EXPECT_THAT(ra().up, SizeIs(1));
  // Nobody answers, and it is free again.
  EXPECT_THAT(ra().tick(), IsEmpty());
  ra().clock.advance(25h);
  EXPECT_THAT(ra().tick(), SizeIs(1));
  EXPECT_THAT(ra().ask_all(request()), IsEmpty());
  EXPECT_THAT(ra().up, SizeIs(2));
}

// Both are judged before either is stored.
TEST_F(RaReusedKey, NorDoesTheSecondOfTwoThatComeAtOnce) {
  start_denying();
  ra().put(request());
  ra().put(request());
  EXPECT_THAT(RaOffice::only(ra().settle()), Refuses("ip", PKIFailureInfo::duplicateCertReq));
  EXPECT_THAT(ra().up, SizeIs(1));
}

TEST_F(RaReusedKey, NorDoTwoPartsOfOneRequest) {
  start_denying();
  const auto two =
      body::ir{{cert_request(key_, "CN=dev1"), cert_request(key_, "CN=dev1", {.certReqId = 1})}};
  EXPECT_THAT(RaOffice::only(ra().ask_all(with_mac(ra(), two))),
              Refuses("ip", PKIFailureInfo::duplicateCertReq));
}

TEST_F(RaReusedKey, OfAPkcs10Too) {
  start_denying();
  const auto p10cr = [&] {
    return with_mac(ra(), body::p10cr{certification_request(key_, "CN=dev1")});
  };
  certificate_in(ra().through(p10cr()));
  EXPECT_THAT(RaOffice::only(ra().ask_all(p10cr())),
              Refuses("cp", PKIFailureInfo::duplicateCertReq));
}

}  // namespace
}  // namespace cmpost
