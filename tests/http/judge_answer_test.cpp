#include "http/judge_answer.h"

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using What = HttpVerdict::What;

const Bytes kMessage = {0x30, 0x03, 0x02, 0x01, 0x05};

HttpVerdict judge(HttpAnswer answer) {
  return judge_answer({HttpOutcome::What::answered, std::move(answer), {}}, 1000);
}
HttpVerdict judge(int status, const std::string& type = "", Bytes body = {}) {
  return judge({status, type, std::move(body), {}, {}});
}

TEST(JudgeAnswer, AMessageCountsWhateverTheStatusSays) {
  for (const int status : {200, 201, 202, 400, 403, 404, 418, 500, 503, 599}) {
    const auto verdict = judge(status, "application/pkixcmp", kMessage);
    EXPECT_EQ(verdict.what, What::message) << status;
    EXPECT_EQ(verdict.message, kMessage);
  }
}

TEST(JudgeAnswer, KnowsTheTypesThatAMessageMayHave) {
  for (const auto* type : {"application/pkixcmp", "Application/PKIXCMP", "application/pkixcmp-poll",
                           "application/x-pkixcmp", "application/pkixcmp; charset=x",
                           "application/pkixcmp \t;q=\";\""}) {
    EXPECT_TRUE(is_cmp_type(type)) << type;
  }
  for (const auto* type : {"", "application/pkixcmpx", "application/pkix", "text/html",
                           "application/octet-stream", " application/pkixcmp", ";"}) {
    EXPECT_FALSE(is_cmp_type(type)) << type;
  }
}

struct StatusRow {
  int status;
  What what;
  const char* hint;
};
class JudgeStatus : public ::testing::TestWithParam<StatusRow> {};

TEST_P(JudgeStatus, WithoutAMessageTheStatusDecides) {
  const auto& row = GetParam();
  for (const auto& [type, body] : {std::pair<std::string, Bytes>{"", {}},
                                   {"text/html", to_bytes("<html>")},
                                   {"application/pkixcmp", {}},
                                   {"application/pkixcmp", to_bytes("<html>")}}) {
    const auto verdict = judge(row.status, type, body);
    EXPECT_EQ(verdict.what, row.what) << row.status << type;
    EXPECT_THAT(verdict.why.what, HasSubstr(std::to_string(row.status)));
    EXPECT_THAT(verdict.why.hint, HasSubstr(row.hint));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, JudgeStatus,
    ::testing::Values(StatusRow{200, What::unknown, ".well-known"},
                      StatusRow{202, What::unknown, ""}, StatusRow{204, What::unknown, ""},
                      StatusRow{301, What::channel, "redirects"},
                      StatusRow{307, What::channel, "redirects"}, StatusRow{400, What::refused, ""},
                      StatusRow{401, What::channel, "tls"}, StatusRow{403, What::channel, "tls"},
                      StatusRow{404, What::channel, ".well-known"},
                      StatusRow{405, What::channel, ""}, StatusRow{408, What::channel, ""},
                      StatusRow{413, What::refused, ""}, StatusRow{415, What::channel, ""},
                      StatusRow{422, What::refused, ""}, StatusRow{429, What::later, ""},
                      StatusRow{500, What::unknown, ""}, StatusRow{501, What::channel, ""},
                      StatusRow{502, What::unknown, ""}, StatusRow{503, What::later, ""},
                      StatusRow{504, What::unknown, ""}, StatusRow{101, What::unknown, ""},
                      StatusRow{600, What::unknown, ""}, StatusRow{0, What::unknown, ""}),
    [](const auto& row) { return "Status" + std::to_string(row.param.status); });

TEST(JudgeAnswer, AMessageMustBeWhole) {
  const auto verdict = judge(200, "application/pkixcmp", {0x30, 0x05, 0x02, 0x01});
  EXPECT_EQ(verdict.what, What::unknown);
  EXPECT_THAT(verdict.why.what, HasSubstr("cut off"));
}

TEST(JudgeAnswer, HowLongToWaitIsKeptAndSaid) {
  const auto verdict = judge({503, "", {}, 120s, ""});
  EXPECT_EQ(verdict.after, 120s);
  EXPECT_THAT(verdict.why.what, HasSubstr("120 s"));
}

TEST(JudgeAnswer, ARedirectIsShownAndPrintable) {
  const auto verdict = judge({302, "", {}, {}, "http://elsewhere/\x1b[2J"});
  EXPECT_THAT(verdict.why.what, HasSubstr("http://elsewhere/\\x1b"));
}

TEST(JudgeAnswer, WhatIsTooLargeIsForAPerson) {
  const auto verdict =
      judge_answer({HttpOutcome::What::too_large, {200, "", {}, {}, ""}, {}}, 1000);
  EXPECT_EQ(verdict.what, What::refused);
  EXPECT_THAT(verdict.why.hint, HasSubstr("max_message"));
}

}  // namespace
}  // namespace cmpost
