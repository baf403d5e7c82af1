// What profiles change about requests, as the requester and the auditor see it.
#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void use_settings(CaUnderTest& ca, const std::function<void(ProfileSettings&)>& edit) {
  auto settings = ca.channels.at("drop").profiles.front().settings();
  edit(settings);
  ca.channels.at("drop").profiles = {must(Profile::create(settings))};
}

std::string last_detail(CaUnderTest& ca, const std::string& event) {
  std::string detail;
  for (const auto& entry : must(ca.reader->audit(0, 100))) {
    if (entry.event == event) detail = entry.detail;
  }
  return detail;
}

TEST(ProfileChange, IsGrantedWithModsAndToldToRequesterAndAudit) {
  CaUnderTest ca;
  use_settings(ca, [](ProfileSettings& settings) {
    settings.subject.fields = {{"2.5.4.10", "O", {FieldRule::Kind::set, "Grid"}}};
  });
  const auto answer = ca.ask(with_mac(ca, ir(Credential())));
  const auto status = status_in(answer);
  EXPECT_EQ(status.status, PKIStatus::grantedWithMods);
  EXPECT_FALSE(status.failInfo);
  EXPECT_THAT(status.statusString, ElementsAre("subject: O = \"Grid\" added"));
  EXPECT_EQ(certificate_in(answer).subject().first(oid::id_at_organizationName), "Grid");
  EXPECT_THAT(last_detail(ca, "certificate.issued"), HasSubstr("O = \\\"Grid\\\" added"));
}

TEST(ProfileChange, CertificateThatWouldBreakTheRfcIsRefusedBeforeTheKeySigns) {
  CaUnderTest ca;
  // A commonName of 65 characters, which RFC 5280 A.1 does not have.
  const auto long_name = "CN=dev" + std::string(62, 'x');
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential(), long_name))),
              Refuses("ip", PKIFailureInfo::badCertTemplate));
  EXPECT_EQ(ca.certificates(), 0);
  use_settings(ca, [](ProfileSettings& settings) { settings.lint_allow = {"subject-length"}; });
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential(), long_name)))).status,
            PKIStatus::accepted);
}

}  // namespace
}  // namespace cmpost
