// S/MIME as far as it is MIME: what is signed octet by octet, what is taken for a wrapper.
#include <gmock/gmock.h>

#include "mime/read_mail.h"
#include "mime/write_mail.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string clear_signed(const std::string& content, const std::string& end = "\n",
                         const std::string& type = "application/pkcs7-signature") {
  const std::vector<std::string> lines = {
      "From: a@b",
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=x",
      "",
      "a preamble",
      "--x",
      content,
      "--x",
      "Content-Type: " + type,
      "Content-Transfer-Encoding: base64",
      "",
      "MAA=",
      "--x--",
      ""};
  std::string mail;
  for (const auto& line : lines) mail += line + end;
  return mail;
}

Result<WrappedContent> wrapped_in(const std::string& mail) {
  return read_wrapped(view_of(mail), {});
}

TEST(ReadWrapped, GivesTheSignedPartWithHeaderAndCanonicalLineEnds) {
  const auto lf = wrapped_in(clear_signed("Content-Type: text/plain\nX: y \n\n  a \n\nb\n"));
  ASSERT_THAT(lf, IsOk());
  EXPECT_EQ(lf->cms, (Bytes{0x30, 0x00}));
  const std::string canonical = "Content-Type: text/plain\r\nX: y \r\n\r\n  a \r\n\r\nb\r\n";
  EXPECT_EQ(text_of(lf->entity.value()), canonical);
  const auto crlf = wrapped_in(clear_signed(canonical, "\r\n"));
  ASSERT_THAT(crlf, IsOk());
  EXPECT_EQ(text_of(crlf->entity.value()), canonical);
}

TEST(ReadWrapped, OneContentAndOneSignatureAndNothingElse) {
  EXPECT_THAT(wrapped_in(clear_signed("Content-Type: text/plain\n\na\n--x\n\nb")),
              Fails(HasSubstr("one content and one signature")));
  EXPECT_THAT(wrapped_in(clear_signed("\na", "\n", "application/octet-stream")),
              Fails(HasSubstr("one content and one signature")));
  EXPECT_THAT(wrapped_in("From: a@b\n\nhello\n"), Fails(HasSubstr("not S/MIME")));
}

TEST(ReadWrapped, AMultipartThatIsSignedIsOneContent) {
  const std::string inner =
      "Content-Type: multipart/mixed; boundary=y\n\n--y\n\na\n--y\n\nb\n--y--";
  const auto wrapped = wrapped_in(clear_signed(inner));
  ASSERT_THAT(wrapped, IsOk());
  EXPECT_TRUE(text_of(*wrapped->entity).ends_with("\r\n--y--"));
}

TEST(ReadWrapped, AnEnvelopeIsTheDecodedBody) {
  const std::string head =
      "From: a@b\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n"
      "Content-Transfer-Encoding: base64\n\n";
  const auto wrapped = wrapped_in(head + "MAA=\n");
  ASSERT_THAT(wrapped, IsOk());
  EXPECT_EQ(wrapped->cms, (Bytes{0x30, 0x00}));
  EXPECT_FALSE(wrapped->entity);
  EXPECT_THAT(wrapped_in(head + "MA\n"), Fails(HasSubstr("damaged")));
  EXPECT_THAT(wrapped_in(head + "\n"), Fails(HasSubstr("damaged")));
}

TEST(WriteSignedMail, WhatIsSignedIsWhatIsRead) {
  OutgoingMail mail;
  mail.from = mail.to = {"pki", "example.com"};
  mail.message_id = "<1@example.com>";
  mail.text = "the answer\n";
  mail.file_name = "dev1.ip.pki";
  mail.message = {0x30, 0x00};
  Bytes signed_octets;
  const auto sign = [&](ByteView entity) -> Result<Bytes> {
    signed_octets = to_bytes(entity);
    return Bytes{0x30, 0x00};
  };
  const auto raw = write_signed_mail(mail, sign);
  ASSERT_THAT(raw, IsOk());
  EXPECT_EQ(read_wrapped(*raw, {}).value().entity, signed_octets);
  const auto read = read_mail(*raw, {}, {});
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->wrapped, IncomingMail::Wrapped::clear_signed);
  EXPECT_THAT(read->messages, SizeIs(1));
  EXPECT_EQ(write_signed_mail(mail, sign).value_or(Bytes()), *raw);
  const auto refuse = [](ByteView) -> Result<Bytes> { return hold("no key"); };
  EXPECT_THAT(write_signed_mail(mail, refuse), Fails(HasSubstr("no key")));
}

}  // namespace
}  // namespace cmpost
