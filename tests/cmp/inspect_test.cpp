#include "cmp/inspect.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "samples.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Inspect, ARecordedRequestReadsLikeASentence) {
  const auto message = decode(golden_file("pbm-sha256-hmac-sha1.1-ir.der")).value();
  EXPECT_THAT(inspect_text(message),
              AllOf(HasSubstr("pvno: 2"), HasSubstr("type: ir"), HasSubstr("iterationCount: 500"),
                    HasSubstr("subject: CN=dev1"), HasSubstr("senderKID: 64657631"),
                    HasSubstr("recipient: dirName:CN=Vector CA")));
}

TEST(Inspect, JsonHasTheSameFactsAndAllOctets) {
  const auto message = decode(golden_file("sig-rsa2048.1-ir.der")).value();
  const auto json = nlohmann::json::parse(inspect_json(message));
  EXPECT_EQ(json["header"]["pvno"], 2);
  EXPECT_EQ(json["body"]["type"], "ir");
  EXPECT_EQ(json["body"]["requests"][0]["certTemplate"]["subject"], "CN=dev1");
  EXPECT_EQ(json["protection"], to_hex(message.protection->bits));
  EXPECT_EQ(json["extraCerts"][0]["subject"], "CN=signer rsa2048");
}

TEST(Inspect, LongOctetsAreCutInTextOnly) {
  const auto message = decode(golden_file("sig-rsa2048.1-ir.der")).value();
  const auto hex = to_hex(message.protection->bits);
  EXPECT_THAT(inspect_text(message), AllOf(HasSubstr("protection: " + hex.substr(0, 64) + "..."),
                                           Not(HasSubstr(hex.substr(0, 65)))));
}

TEST(Inspect, EveryBodyHasWords) {
  auto bodies = sample_bodies();
  const auto newer = sample_v3_bodies();
  bodies.insert(bodies.end(), newer.begin(), newer.end());
  for (const auto& body : bodies) {
    const auto message = sample_message(body);
    EXPECT_THAT(inspect_text(message), HasSubstr("type: " + std::string(body_name(body))));
    const auto json = nlohmann::json::parse(inspect_json(message));
    EXPECT_EQ(json["body"]["type"], body_name(body));
  }
}

TEST(Inspect, StatusAndFailuresAreNamed) {
  const auto message = sample_message(body::error{{sample_status(), 7, {"because"}}});
  const auto json = nlohmann::json::parse(inspect_json(message));
  const auto& status = json["body"]["pKIStatusInfo"];
  EXPECT_EQ(status["status"], "rejection");
  EXPECT_EQ(status["failInfo"], nlohmann::json({"badRequest", "duplicateCertReq"}));
  EXPECT_EQ(json["body"]["errorDetails"][0], "because");
}

TEST(Inspect, WhatAStrangerWroteIsMadePrintable) {
  auto message = sample_message(body::pkiconf{});
  message.header.freeText = {"\x1b[31mred\n  sender: dirName:CN=boss"};
  const auto text = inspect_text(message);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n  sender: dirName:CN=boss"))));
  EXPECT_THAT(inspect_json(message), Not(HasSubstr("\x1b")));
}

TEST(Inspect, InnerMessagesAreNamedOneLevelDeep) {
  Bytes inner = sample_inner();
  const auto message = sample_message(body::nested{{inner, hex("3000")}});
  const auto json = nlohmann::json::parse(inspect_json(message));
  EXPECT_EQ(json["body"]["messages"][0]["body"], "rr");
  EXPECT_EQ(json["body"]["messages"][0]["header"]["pvno"], 2);
  EXPECT_TRUE(json["body"]["messages"][1].contains("unreadable"));
}

}  // namespace
}  // namespace cmpost
