#include "cmp/pki_message.h"

#include <gmock/gmock.h>

#include "openssl_opinion.h"
#include "samples.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(PkiMessage, EveryRecordedMessageIsWrittenBackUnchanged) {
  const auto messages = golden_messages();
  ASSERT_GE(messages.size(), 200U);
  for (const auto& [name, der] : messages) {
    const auto message = decode(der);
    ASSERT_TRUE(message.has_value()) << name << ": " << message.error().text();
    EXPECT_EQ(encode(*message), der) << name;
    EXPECT_EQ(encode_again(*message), der) << name;
    EXPECT_TRUE(openssl_keeps(der)) << name;
    EXPECT_THAT(name, HasSubstr("-" + std::string(body_name(message->body))));
  }
}

TEST(PkiMessage, EachBodyIsReadAndWrittenAndReadByOpenSslToo) {
  const auto bodies = sample_bodies();
  ASSERT_THAT(bodies, SizeIs(27));
  for (std::size_t tag = 0; tag < bodies.size(); ++tag) {
    ASSERT_EQ(bodies[tag].index(), tag);
    const Bytes der = encode(sample_message(bodies[tag]));
    const auto message = decode(der);
    ASSERT_TRUE(message.has_value()) << body_name(tag) << ": " << message.error().text();
    EXPECT_EQ(message->body.index(), tag);
    EXPECT_EQ(encode_again(*message), der) << body_name(tag);
    EXPECT_TRUE(openssl_keeps(der)) << body_name(tag);
  }
}

TEST(PkiMessage, FormsOfPvno3AreReadAndWritten) {
  for (const auto& body : sample_v3_bodies()) {
    const Bytes der = encode(sample_message(body));
    const auto message = decode(der);
    ASSERT_TRUE(message.has_value()) << body_name(body) << ": " << message.error().text();
    EXPECT_EQ(encode_again(*message), der) << body_name(body);
    const bool known = openssl_is_newer() && std::holds_alternative<body::certConf>(body);
    EXPECT_EQ(openssl_accepts(der), known) << body_name(body);
  }
}

TEST(PkiMessage, TheOctetsOfHeaderAndBodyAreKeptForProtection) {
  const Bytes der = golden_file("sig-p256.1-ir.der");
  const auto message = decode(der).value();
  const auto parts = split(der).value();
  Bytes both = to_bytes(parts.header);
  append(both, parts.body);
  der::Writer part;
  part.primitive(der::kSequence, both);
  EXPECT_EQ(message.protected_part, part.bytes());
  EXPECT_EQ(encode_protected_part(message.header, message.body), part.bytes());
}

TEST(PkiMessage, ProtectionKeepsItsTrailingZeroOctets) {
  const auto message = sample_message(body::pkiconf{});
  const auto again = decode(encode(message)).value();
  EXPECT_EQ(again.protection->bits, hex("aabbcc00"));
  EXPECT_EQ(encode(again), encode(message));
}

TEST(PkiMessage, WithoutProtectionAndCertificatesThereAreNoEmptyElements) {
  auto message = sample_message(body::pkiconf{});
  message.protection.reset();
  message.extraCerts.clear();
  const auto parts = split(encode(message)).value();
  EXPECT_TRUE(parts.protection.empty());
  EXPECT_TRUE(parts.extra_certs.empty());
}

TEST(PkiMessage, AnOctetBehindTheMessageIsRefusedButTheHeaderIsKnown) {
  Bytes der = golden_file("pbm-sha256-hmac-sha1.1-ir.der");
  der.push_back(0);
  const auto fault = decode(der);
  ASSERT_FALSE(fault.has_value());
  EXPECT_EQ(fault.error().offset, der.size() - 1);
  ASSERT_TRUE(fault.error().header.has_value());
  EXPECT_THAT(*fault.error().header->transactionID, SizeIs(16));
}

TEST(PkiMessage, EveryTruncationIsRefusedAndALateOneStillGivesTheHeader) {
  const Bytes der = golden_file("sig-p256.1-ir.der");
  for (std::size_t size = 0; size < der.size(); ++size) {
    ASSERT_FALSE(decode(ByteView(der).first(size)).has_value()) << size;
    ASSERT_FALSE(split(ByteView(der).first(size)).has_value()) << size;
  }
  EXPECT_TRUE(decode(ByteView(der).first(der.size() - 1)).error().header.has_value());
  EXPECT_FALSE(decode(ByteView(der).first(40)).error().header.has_value());
}

TEST(PkiMessage, TheFaultNamesTheFieldAndTheOffset) {
  auto message = sample_message(body::certConf{{{hex("01"), 0, std::nullopt, std::nullopt}}});
  message.header.transactionID = Bytes(5000, 1);
  const auto fault = decode(encode(message));
  ASSERT_FALSE(fault.has_value());
  EXPECT_EQ(fault.error().what, "header: transactionID: more than 4096 octets");
  EXPECT_THAT(fault.error().text(), HasSubstr("offset "));
}

TEST(PkiMessage, BerLengthsAreRefused) {
  const Bytes der = encode(sample_message(body::pkiconf{}));
  ASSERT_EQ(der[1], 0x82);
  Bytes longer = {der[0], 0x83, 0x00};
  append(longer, ByteView(der).subspan(2));
  EXPECT_FALSE(decode(longer).has_value());
  Bytes indefinite = {der[0], 0x80};
  append(indefinite, ByteView(der).subspan(4));
  append(indefinite, Bytes{0, 0});
  EXPECT_FALSE(decode(indefinite).has_value());
  EXPECT_FALSE(split(indefinite).has_value());
}

// Limits.

template <typename Change>
bool limited(const PKIMessage& message, Change change) {
  const Bytes der = encode(message);
  MessageLimits limits;
  if (!decode(der, limits)) return false;
  change(limits);
  return !decode(der, limits).has_value();
}

TEST(MessageLimits, EachIsHeld) {
  const auto ir = sample_message(body::ir{sample_requests()});
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_message = 100; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_extra_certs = 1; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_cert_requests = 9; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_general_info = 1; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_free_text = 1; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_string = 15; }));
  EXPECT_TRUE(limited(ir, [](auto& limits) { limits.max_extensions = 1; }));
  const auto nested = sample_message(body::nested{{sample_inner(), sample_inner()}});
  EXPECT_TRUE(limited(nested, [](auto& limits) { limits.max_nested = 1; }));
}

TEST(MessageLimits, ListsOfEveryBodyAreCounted) {
  MessageLimits limits;
  limits.max_cert_requests = 1;
  limits.max_nested = 1;
  limits.max_general_info = 1;
  limits.max_extra_certs = 1;
  for (const auto& body : sample_bodies()) {
    const bool list = body.index() == 5 || body.index() == 6 || body.index() == 11 ||
                      body.index() == 18 || body.index() == 20 || body.index() >= 24 ||
                      cert_requests(body) || cert_response(body) || body.index() == 21 ||
                      body.index() == 22;
    if (!list) continue;
    auto message = sample_message(body);
    message.extraCerts.clear();
    message.header.generalInfo.clear();
    EXPECT_FALSE(decode(encode(message), limits).has_value()) << body_name(body);
  }
}

TEST(MessageLimits, DeepNestingCostsNoStack) {
  Bytes inner = encode(sample_message(body::pkiconf{}));
  MessageLimits limits;
  limits.max_message = 64U << 20;
  for (int depth = 0; depth < 2000; ++depth) {
    PKIMessage outer;
    outer.body = body::nested{{inner}};
    inner = encode(outer);
  }
  const auto message = decode(inner, limits);
  ASSERT_TRUE(message.has_value()) << message.error().text();
  EXPECT_THAT(std::get<body::nested>(message->body).messages, SizeIs(1));
  EXPECT_EQ(encode_again(*message), inner);
}

// Empty lists where the ASN.1 has SIZE (1..MAX): OpenSSL takes them, so do we, and keep them.

TEST(PkiMessage, EmptyListsOfAPeerAreKept) {
  auto message = sample_message(body::error{sample_status(), std::nullopt, {}});
  message.header.freeText = {};
  message.header.freeText.sent_empty = true;
  message.header.generalInfo = {};
  message.header.generalInfo.sent_empty = true;
  message.extraCerts = {};
  message.extraCerts.sent_empty = true;
  auto& content = std::get<body::error>(message.body).content;
  content.pKIStatusInfo.statusString = {};
  content.pKIStatusInfo.statusString.sent_empty = true;
  content.errorDetails.sent_empty = true;
  const Bytes der = encode(message);
  EXPECT_TRUE(openssl_keeps(der));
  const auto again = decode(der);
  ASSERT_TRUE(again.has_value()) << again.error().text();
  EXPECT_EQ(encode(*again), der);
  EXPECT_EQ(encode_again(*again), der);
}

TEST(PkiMessage, ATimeWithAFractionIsKept) {
  auto message = sample_message(body::pkiconf{});
  message.header.messageTime = sample_time() + std::chrono::microseconds(120'300);
  const Bytes der = encode(message);
  EXPECT_THAT(std::string(text_of(der)), HasSubstr("20260304050607.1203Z"));
  const auto again = decode(der).value();
  EXPECT_EQ(again.header.messageTime, message.header.messageTime);
  EXPECT_EQ(encode_again(again), der);
  EXPECT_TRUE(openssl_keeps(der));
}

TEST(PkiMessage, SplitKnowsTheBodyWithoutReadingIt) {
  const auto bodies = sample_bodies();
  for (std::size_t tag = 0; tag < bodies.size(); ++tag) {
    const Bytes der = encode(sample_message(bodies[tag]));
    const auto parts = split(der).value();
    EXPECT_EQ(parts.body_tag, tag);
    EXPECT_FALSE(parts.protection.empty());
    EXPECT_FALSE(parts.extra_certs.empty());
  }
}

}  // namespace
}  // namespace cmpost
