#include "mail/wire/imap_response.h"

#include "mail/wire/imap_name.h"
#include "tests/mail/text_stream.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<ImapResponse> imap_response(const std::string& text, const ImapLimits& limits = {}) {
  TextStream stream(text);
  auto response = read_imap_response(stream, limits);
  EXPECT_TRUE(!response || stream.rest().empty()) << text;
  return response;
}

Result<ImapFetch> imap_fetch(const std::string& text) {
  ASSIGN_OR_RETURN(const auto response, imap_response(text));
  return read_imap_fetch(response);
}

std::string body_text(const ImapFetch& fetch) {
  return fetch.body ? std::string(text_of(*fetch.body)) : "(none)";
}

TEST(ImapResponse, ReadsATaggedCondition) {
  const auto response = imap_response("c7 no [TRYCREATE] No such folder {5}\r\n").value();
  EXPECT_EQ(response.kind, ImapResponse::Kind::tagged);
  EXPECT_EQ(response.tag, "c7");
  EXPECT_EQ(response.name, "NO");
  EXPECT_EQ(response.code, "TRYCREATE");
  EXPECT_EQ(response.text, "No such folder {5}");
}

TEST(ImapResponse, ReadsTheValueOfACode) {
  const auto response = imap_response("* OK [UIDVALIDITY 3857529045] UIDs valid\r\n").value();
  EXPECT_EQ(response.code_value("UIDVALIDITY"), "3857529045");
  EXPECT_EQ(response.code_value("UIDNEXT"), std::nullopt);
}

TEST(ImapResponse, ReadsAContinuation) {
  EXPECT_EQ(imap_response("+ idling\r\n")->kind, ImapResponse::Kind::continuation);
  EXPECT_EQ(imap_response("+\r\n")->kind, ImapResponse::Kind::continuation);
}

TEST(ImapResponse, ReadsNumbersBeforeNames) {
  const auto response = imap_response("* 23 exists\r\n").value();
  EXPECT_EQ(response.number, 23U);
  EXPECT_EQ(response.name, "EXISTS");
}

TEST(ImapResponse, RefusesWhatIsNoResponse) {
  for (const auto* const text : {"\r\n", "*\r\n", "* 5\r\n", "hello\r\n", "c1 MAYBE so\r\n"}) {
    EXPECT_THAT(imap_response(text), Fails(HasSubstr("the IMAP server sent"))) << text;
  }
}

TEST(ImapResponse, LinesOfTheProtocolWithinALiteralAreContent) {
  const std::string mail = "Subject: x\r\n\r\nc3 OK Fetch completed\r\n* BYE\r\n)\r\n";
  const auto fetch = imap_fetch("* 1 FETCH (UID 7 BODY[]<0> {" + std::to_string(mail.size()) +
                                "}\r\n" + mail + " FLAGS (\\Seen))\r\n");
  ASSERT_THAT(fetch, IsOk());
  EXPECT_EQ(body_text(*fetch), mail);
  EXPECT_EQ(fetch->uid, 7U);
}

TEST(ImapResponse, ReadsItemsInAnyOrderAndSkipsOthers) {
  const auto fetch = imap_fetch(
      "* 1 FETCH (FLAGS (\\Seen $X (a \"b)\" {1}\r\n))) X-GM \"q\\\"(\" BODY[HEADER.FIELDS (DATE)] "
      "NIL RFC822.SIZE 44 BODY[] \"a\\\\b\" uid 4294967295)\r\n");
  ASSERT_THAT(fetch, IsOk());
  EXPECT_EQ(fetch->size, 44U);
  EXPECT_EQ(fetch->uid, 4294967295U);
  EXPECT_EQ(body_text(*fetch), "a\\b");
}

TEST(ImapResponse, AnAbsentBodyIsNone) {
  EXPECT_EQ(body_text(imap_fetch("* 1 FETCH (UID 7 BODY[] NIL)\r\n").value()), "(none)");
  EXPECT_EQ(body_text(imap_fetch("* 1 FETCH (FLAGS ())\r\n").value()), "(none)");
}

TEST(ImapResponse, RefusesBrokenItems) {
  for (const auto* const text :
       {"* 1 FETCH\r\n", "* 1 FETCH (\r\n", "* 1 FETCH (UID\r\n", "* 1 FETCH (UID x)\r\n",
        "* 1 FETCH (UID 4294967296)\r\n", "* 1 FETCH (BODY[] \"a\r\n", "* 1 FETCH (X (((\r\n",
        "* 1 FETCH (BODY[X {1}\r\na NIL)\r\n", "* 1 FETCH (UID -1)\r\n", "* 1 FETCH (X \"\\\r\n"}) {
    EXPECT_THAT(imap_fetch(text), Fails(HasSubstr("the IMAP server sent"))) << text;
  }
}

TEST(ImapResponse, NestingCostsNoStack) {
  const std::string deep(1'000'000, '(');
  EXPECT_FALSE(imap_fetch("* 1 FETCH (X " + deep + "\r\n"));
}

TEST(ImapResponse, ALiteralThatIsTooLargeIsRefusedBeforeItIsRead) {
  EXPECT_THAT(imap_response("* 1 FETCH (BODY[] {4294967295}\r\n", {.literal = 1000}),
              Fails(HasSubstr("more than was asked for")));
  EXPECT_THAT(imap_response("* 1 FETCH (A {600}\r\n" + std::string(600, 'x') + " B {600}\r\n",
                            {.literal = 1000}),
              Fails(HasSubstr("more than was asked for")));
}

TEST(ImapResponse, ManyLiteralsAreRefused) {
  std::string text = "* 1 FETCH (";
  for (int i = 0; i < 200; ++i) text += "{0}\r\n ";
  EXPECT_THAT(imap_response(text + ")\r\n"), Fails(HasSubstr("more than was asked for")));
}

TEST(ImapResponse, LinesAreBoundedTogether) {
  std::string text = "* 1 FETCH (";
  for (int i = 0; i < 50; ++i) text += std::string(100, 'x') + " {0}\r\n ";
  EXPECT_FALSE(imap_response(text + ")\r\n", {.line = 1000}));
}

TEST(ImapResponse, ALiteralWhoseCountIsTooSmallDoesNotHideTheRest) {
  // What follows is then read as items, and is none.
  EXPECT_THAT(imap_fetch("* 1 FETCH (BODY[] {2}\r\nhello)\r\n"), Fails(HasSubstr("was expected")));
}

TEST(ImapResponse, ReadsTheNumbersOfASearch) {
  EXPECT_THAT(read_imap_numbers("2 84 882").value(), ElementsAre(2, 84, 882));
  EXPECT_THAT(read_imap_numbers("2  5 (MODSEQ 917162500)").value(), ElementsAre(2, 5));
  EXPECT_THAT(read_imap_numbers("").value(), ElementsAre());
  EXPECT_THAT(read_imap_numbers("2 x"), Fails(HasSubstr("no number")));
}

TEST(ImapResponse, WritesSetsAsRanges) {
  EXPECT_EQ(imap_sequence_set({7}), "7");
  EXPECT_EQ(imap_sequence_set({1, 2, 3, 7, 9, 10}), "1:3,7,9:10");
}

TEST(ImapResponse, ReadsWhereFoldersLie) {
  const auto found =
      read_imap_namespace(imap_response("* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n").value());
  EXPECT_EQ(found->prefix, "INBOX.");
  EXPECT_EQ(found->separator, ".");
  EXPECT_EQ(read_imap_namespace(imap_response("* NAMESPACE NIL NIL NIL\r\n").value())->prefix, "");
  EXPECT_EQ(
      read_imap_list_separator(imap_response("* LIST (\\Noselect) \"/\" \"\"\r\n").value()).value(),
      "/");
}

TEST(ImapName, QuotesAndEncodesNames) {
  EXPECT_EQ(imap_mailbox("CMPost/Done").value(), "\"CMPost/Done\"");
  EXPECT_EQ(imap_mailbox("a\"b\\c & d").value(), "\"a\\\"b\\\\c &- d\"");
  // The example of RFC 3501, 5.1.3.
  EXPECT_EQ(imap_mailbox("~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e").value(),
            "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"");
  EXPECT_EQ(imap_mailbox("\U0001f4ee").value(), "\"&2D3c7g-\"");
}

TEST(ImapName, RefusesNamesThatCouldEndACommand) {
  for (const std::string name : {"", "a\r\nc9 LOGOUT", "a\x7f", "\xff", "\xc3", "\xed\xa0\x80"}) {
    EXPECT_THAT(imap_mailbox(name), Fails(HasSubstr("no name of a mailbox")));
  }
}

}  // namespace
}  // namespace cmpost
