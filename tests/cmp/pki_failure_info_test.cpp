#include "cmp/pki_failure_info.h"

#include <gmock/gmock.h>

#include "cmp/pki_body.h"

namespace cmpost {
namespace {

TEST(PkiFailureInfo, EveryBitHasTheNameOfTheRfc) {
  EXPECT_EQ(to_string(PKIFailureInfo::badAlg), "badAlg");
  EXPECT_EQ(to_string(PKIFailureInfo::badPOP), "badPOP");
  EXPECT_EQ(static_cast<int>(PKIFailureInfo::badPOP), 9);
  EXPECT_EQ(to_string(PKIFailureInfo::duplicateCertReq), "duplicateCertReq");
  EXPECT_EQ(static_cast<int>(PKIFailureInfo::duplicateCertReq), kFailureInfoCount - 1);
  EXPECT_EQ(to_string(static_cast<PKIFailureInfo>(27)), "unknown");
}

TEST(PkiFailureInfo, ARejectionBecomesARefusalWithExactlyItsBit) {
  const auto info = status_info({PKIFailureInfo::badCertTemplate, "no key"});
  EXPECT_EQ(info.status, PKIStatus::rejection);
  EXPECT_THAT(info.statusString, ::testing::ElementsAre("no key"));
  for (int bit = 0; bit < kFailureInfoCount; ++bit) {
    EXPECT_EQ(info.has(static_cast<PKIFailureInfo>(bit)), bit == 19) << bit;
  }
  EXPECT_TRUE(status_info({PKIFailureInfo::badRequest, ""}).statusString.empty());
}

// The value, the Rejection, or the Error on its way up: none is taken for another.
TEST(Apart, KeepsTheThreeApart) {
  const auto good = apart(Outcome<int>(7));
  ASSERT_TRUE(good);
  ASSERT_TRUE(*good);
  EXPECT_EQ(**good, 7);
  const auto refused = apart(Outcome<int>(reject(PKIFailureInfo::badPOP, "no proof")));
  ASSERT_TRUE(refused);
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error().failInfo, PKIFailureInfo::badPOP);
  EXPECT_EQ(refused->error().text, "no proof");
  const auto ours = apart(Outcome<int>(retry("a full disk")));
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().what, "a full disk");
  EXPECT_TRUE(apart(Outcome<void>()).value());
  EXPECT_FALSE(apart(Outcome<void>(reject(PKIFailureInfo::badAlg, "weak"))).value());
}

TEST(PkiBody, NamesFollowTheTags) {
  EXPECT_EQ(body_name(0), "ir");
  EXPECT_EQ(body_name(19), "pkiconf");
  EXPECT_EQ(body_name(26), "pollRep");
  EXPECT_EQ(body_name(27), "unknown");
  EXPECT_EQ(body_name(PKIBody(body::certConf{})), "certConf");
  EXPECT_EQ(to_string(PKIStatus::keyUpdateWarning), "keyUpdateWarning");
}

TEST(PkiBody, RequestsAndResponsesAreFoundInTheirBodiesOnly) {
  const PKIBody kur = body::kur{};
  EXPECT_EQ(cert_requests(kur), &std::get<body::kur>(kur).requests);
  EXPECT_EQ(cert_requests(PKIBody(body::pollReq{})), nullptr);
  EXPECT_EQ(cert_response(kur), nullptr);
  const PKIBody ccp = body::ccp{};
  EXPECT_EQ(cert_response(ccp), &std::get<body::ccp>(ccp).response);
}

}  // namespace
}  // namespace cmpost
