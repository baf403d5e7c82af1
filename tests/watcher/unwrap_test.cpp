#include "watcher/unwrap.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using What = Unwrapped::What;

const Bytes kMessage = {0x30, 0x03, 0x02, 0x01, 0x05};

Bytes operator+(Bytes a, const Bytes& b) {
  append(a, b);
  return a;
}

void expect_message(const Bytes& contents) {
  const auto unwrapped = unwrap(contents);
  EXPECT_EQ(unwrapped.what, What::message) << unwrapped.reason;
  EXPECT_EQ(unwrapped.message, kMessage);
}
void expect(What what, const Bytes& contents, const std::string& reason) {
  const auto unwrapped = unwrap(contents);
  EXPECT_EQ(unwrapped.what, what) << unwrapped.reason;
  EXPECT_THAT(unwrapped.reason, HasSubstr(reason));
  EXPECT_TRUE(unwrapped.message.empty());
}

TEST(Unwrap, DerIsTakenAsItIs) { expect_message(kMessage); }

TEST(Unwrap, LongFormsOfTheLengthAreUnderstood) {
  for (const std::size_t size : {0x80U, 0x100U, 0x10000U}) {
    Bytes contents = size < 0x100     ? Bytes{0x30, 0x81, 0x80}
                     : size < 0x10000 ? Bytes{0x30, 0x82, 0x01, 0x00}
                                      : Bytes{0x30, 0x83, 0x01, 0x00, 0x00};
    contents.resize(contents.size() + size);
    EXPECT_EQ(unwrap(contents).what, What::message);
    contents.pop_back();
    EXPECT_EQ(unwrap(contents).what, What::incomplete);
    contents.resize(contents.size() + 2);
    EXPECT_EQ(unwrap(contents).what, What::refused);
  }
}

TEST(Unwrap, APieceOfAMessageMayGrow) {
  for (std::size_t size = 1; size < kMessage.size(); ++size) {
    expect(What::incomplete, Bytes(kMessage.begin(), kMessage.begin() + static_cast<long>(size)),
           "cut off");
  }
  expect(What::incomplete, {}, "empty");
  expect(What::incomplete, {0x30, 0x82, 0x01}, "cut off");
  expect(What::incomplete, {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, "cut off");
}

TEST(Unwrap, WhatIsNoDerIsRefused) {
  expect(What::refused, kMessage + Bytes{0x00}, "1 octets follow");
  expect(What::refused, kMessage + kMessage, "5 octets follow");
  expect(What::refused, {0x30, 0x80, 0x00, 0x00}, "indefinite");
  expect(What::refused, {0x30, 0x85, 0, 0, 0, 0, 1, 0}, "does not start like DER");
  expect(What::refused, to_bytes("hello world"), "neither DER nor PEM");
  expect(What::refused, Bytes(1000, 0x00), "follows the TCP-message frame");
}

TEST(Unwrap, PemOfAnyLabelIsTaken) {
  for (const std::string label : {"CMP", "PKIMESSAGE", "CERTIFICATE REQUEST"}) {
    const auto pem = "-----BEGIN " + label + "-----\r\n" + to_base64(kMessage) + "\r\n-----END " +
                     label + "-----\r\n";
    expect_message(to_bytes(pem));
    expect_message(to_bytes("\xef\xbb\xbf\n" + pem + " \n"));
  }
}

TEST(Unwrap, PemThatIsCutOffMayGrow) {
  const auto pem = "-----BEGIN CMP-----\n" + to_base64(kMessage) + "\n-----END CMP-----";
  for (std::size_t size = 1; size < pem.size(); ++size) {
    EXPECT_EQ(unwrap(to_bytes(pem.substr(0, size))).what, What::incomplete) << size;
  }
}

TEST(Unwrap, PemThatCannotBeAMessageIsRefused) {
  const auto body = to_base64(kMessage);
  const auto block = "-----BEGIN CMP-----\n" + body + "\n-----END CMP-----\n";
  expect(What::refused, to_bytes(block + block), "follows the PEM block");
  expect(What::refused, to_bytes("-----BEGIN CMP-----\n!!!!\n-----END CMP-----\n"), "not base64");
  expect(What::refused, to_bytes("-----BEGIN CMP-----\n-----END CMP-----\n"),
         "nothing in the PEM block");
  expect(What::refused, to_bytes("-----BEGIN CMP-----\nAAAA\n-----END CMP-----\n"),
         "does not start like DER");
  expect(What::refused, to_bytes("-----BEGIN CMP-----\nMAMC\n-----END CMP-----\n"), "cut off");
  expect(What::refused, to_bytes("-----BEGIN C\nMP-----\n" + body + "\n-----END CMP-----"),
         "damaged");
}

TEST(Unwrap, APrivateKeyIsNeverTaken) {
  for (const std::string label : {"PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"}) {
    expect(What::refused,
           to_bytes("-----BEGIN " + label + "-----\n" + to_base64(kMessage) + "\n-----END " +
                    label + "-----\n"),
           "private key");
  }
}

TEST(Unwrap, FramesOfBothKindsAreTakenOff) {
  expect_message(Bytes{0, 0, 0, 6, 0x00} + kMessage);              // RFC 2510: pkiMsg
  expect_message(Bytes{0, 0, 0, 6, 0x05} + kMessage);              // finalMsgRep
  expect_message(Bytes{0, 0, 0, 8, 0x0a, 0x00, 0x00} + kMessage);  // version 10: pkiReq
  expect_message(Bytes{0, 0, 0, 8, 0x0a, 0x01, 0x05} + kMessage);  // pkiRep, closing
}

TEST(Unwrap, FramesWithoutAMessageAreRefused) {
  expect(What::refused, {0, 0, 0, 5, 0x02, 0, 0, 0, 1}, "no PKIMessage (type 2)");
  expect(What::refused, {0, 0, 0, 7, 0x0a, 0, 0x02, 0, 0, 0, 1}, "no PKIMessage (type 2)");
  expect(What::refused, Bytes{0, 0, 0, 6, 0x00} + kMessage + Bytes{0}, "follows");
  expect(What::refused, {0, 0, 0, 1, 0x00}, "nothing in the TCP-message frame");
  expect(What::refused, {0, 0, 0, 3, 0x00, 0x30, 0x03}, "cut off");
}

TEST(Unwrap, FramesThatAreCutOffMayGrow) {
  const auto frame = Bytes{0, 0, 0, 8, 0x0a, 0x00, 0x00} + kMessage;
  for (std::size_t size = 1; size < frame.size(); ++size) {
    expect(What::incomplete, Bytes(frame.begin(), frame.begin() + static_cast<long>(size)),
           "cut off");
  }
}

}  // namespace
}  // namespace cmpost
