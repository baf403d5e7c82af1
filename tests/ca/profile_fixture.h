// A profile and a request that a test changes.
#pragma once

#include <gmock/gmock.h>

#include "ca/profile/profile.h"
#include "tests/ca/ca_fixture.h"

namespace cmpost {

class ProfileTest : public ::testing::Test {
 protected:
  Allowed<CertificatePlan> plan() const {
    return Profile::create(settings).value().plan(wish, now, latest);
  }

  void set_field(const std::string& field, const std::string& oid, FieldRule::Kind kind,
                 const std::string& value = {}) {
    settings.subject.fields.push_back({oid, field, {kind, value}});
  }

  ProfileSettings settings = device_profile();
  Time now = from_iso8601("2026-06-01T12:00:00Z").value();
  Time latest = now + 24h * 3650;
  CertificateWish wish{name("CN=dev1,O=Grid"), device_key().public_key(), {}, {}, {}};
};

MATCHER_P2(Refuses, reason, text, "") {
  if (arg) {
    *result_listener << "is granted";
    return false;
  }
  *result_listener << "\"" << arg.error().text << "\"";
  return arg.error().reason == reason &&
         ::testing::ExplainMatchResult(text, arg.error().text, result_listener);
}

inline Extension alt_names(const std::vector<std::string>& names, bool critical = false) {
  std::vector<GeneralName> list;
  for (const auto& text : names) list.push_back(GeneralName::from_text(text).value());
  return subject_alt_name_extension(list, critical);
}

}  // namespace cmpost
