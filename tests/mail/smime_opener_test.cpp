// Mails as `openssl cms` and `openssl smime` make them, opened by a channel; and hostile ones.
#include "mail/smime_opener.h"

#include <gmock/gmock.h>

#include "mail/answer_signer.h"
#include "mail/judge_mail.h"
#include "mime/write_mail.h"
#include "tests/support/mail_people.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

struct SmimePeople {
  MailPerson ca = make_person({.name = "mail CA", .ca = true});
  MailPerson site = make_person({.name = "site", .address = "dev@site.example"}, &ca);
  MailPerson other = make_person({.name = "other", .address = "other@site.example"}, &ca);
  MailPerson stranger = make_person({.name = "stranger", .address = "dev@site.example"});
  MailPerson expired = make_person(
      {.name = "expired", .address = "dev@site.example", .valid_from_now = -std::chrono::hours(1)},
      &ca);
  MailPerson server = make_person(
      {.name = "server", .address = "dev@site.example", .purposes = {oid::id_kp_serverAuth}}, &ca);
  MailPerson channel =
      make_person({.name = "pki", .address = "pki@ca.example", .algorithm = "rsa:2048"}, &ca);
};

class Smime : public ::testing::Test {
 protected:
  using Require = SmimeSettings::Require;

  void SetUp() override {
    const auto& all = people();
    for (const auto& [name, person] : {std::pair<std::string, const MailPerson&>{"ca", all.ca},
                                       {"site", all.site},
                                       {"other", all.other},
                                       {"stranger", all.stranger},
                                       {"expired", all.expired},
                                       {"server", all.server},
                                       {"channel", all.channel}}) {
      desk_.put(name, person);
    }
    desk_.write("request", request_part());
    settings_.name = "depots";
    settings_.transport = MailSettings{};
    settings_.mail()->from = "pki@ca.example";
    auto& smime = settings_.mail()->smime;
    smime.enabled = true;
    smime.certificate = desk_.path("channel.pem");
    smime.key = desk_.path("channel.key");
    smime.trust = {desk_.path("ca.pem")};
  }
  static const SmimePeople& people() {
    static const SmimePeople kPeople;
    return kPeople;
  }
  static Bytes request() { return {0x30, 0x03, 0x02, 0x01, 0x05}; }
  // The MIME entity that is wrapped.
  static std::string request_part() {
    return "Content-Type: application/pkixcmp; name=dev1.pki\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" +
           to_base64(request()) + "\r\n";
  }
  void require(Require what) { settings_.mail()->smime.require = what; }

  // `openssl ARGUMENTS`, with the file `in`, as the body of a mail in the file `out`.
  void wrap(const std::string& arguments, const std::string& in, const std::string& out) {
    EXPECT_TRUE(desk_.openssl(arguments + " -in " + in + " -out " + out))
        << text_of(desk_.read("stderr"));
  }
  void sign(const std::string& who, const std::string& in, const std::string& out,
            const std::string& more = "") {
    wrap("cms -sign -signer " + who + ".pem -inkey " + who + ".key -md sha256 " + more, in, out);
  }
  void encrypt(const std::string& in, const std::string& out, const std::string& how = "-aes256",
               const std::string& whom = "channel.pem") {
    // OpenSSL takes the recipients as the last words.
    EXPECT_TRUE(desk_.openssl("cms -encrypt " + how + " -in " + in + " -out " + out + " " + whom))
        << text_of(desk_.read("stderr"));
  }
  Bytes mail(const std::string& file, const std::string& from = "dev@site.example") const {
    auto text = "From: " + from + "\nTo: pki@ca.example\nMessage-ID: <1@site.example>\n";
    return to_bytes(text + std::string(text_of(desk_.read(file))));
  }
  MailJudgement judge(const Bytes& raw, bool trusted = false) const {
    const auto smime = SmimeOpener::load(settings_.mail()->smime, clock_, settings_.crls).value();
    return judge_mail(raw, "1", settings_, smime.get(), trusted);
  }
  void expect_taken(const Bytes& raw) const {
    const auto judgement = judge(raw);
    EXPECT_EQ(judgement.place, MailPlace::done) << judgement.reason;
    ASSERT_THAT(judgement.requests, SizeIs(1));
    EXPECT_EQ(judgement.requests[0].payload, request());
    EXPECT_EQ(judgement.requests[0].envelope.reply.address, "dev@site.example");
    EXPECT_EQ(judgement.requests[0].envelope.reply.in_reply_to, "<1@site.example>");
    EXPECT_EQ(judgement.requests[0].envelope.reply.name, "dev1");
  }
  void expect_refused(const Bytes& raw, const std::string& reason) const {
    const auto judgement = judge(raw);
    EXPECT_EQ(judgement.place, MailPlace::quarantine);
    EXPECT_THAT(judgement.requests, SizeIs(0));
    EXPECT_THAT(judgement.reason, HasSubstr(reason));
  }

  const SystemClock clock_;
  MailDesk desk_;
  ChannelSettings settings_;
};

TEST_F(Smime, WhatOpenSslWrapsIsOpened) {
  sign("site", "request", "clear");
  expect_taken(mail("clear"));
  sign("site", "request", "opaque", "-nodetach");
  expect_taken(mail("opaque"));
  encrypt("request", "enveloped");
  expect_taken(mail("enveloped"));
  encrypt("request", "authenticated", "-aes-256-gcm");
  expect_taken(mail("authenticated"));
}

TEST_F(Smime, RevokedSignerCountsAsNone) {
  sign("site", "request", "clear");
  require(Require::signature);
  expect_taken(mail("clear"));
  const auto& all = people();
  TBSCertList list;
  list.issuer = all.ca.certificate.subject();
  list.thisUpdate = clock_.now();
  list.revokedCertificates.push_back(
      {to_bytes(all.site.certificate.serial_number()), clock_.now(), {}, {}});
  const auto crl = sign_crl(list, Signer::create(all.ca.key).value()).value();
  desk_.write("ca.crl", std::string(text_of(crl)));
  settings_.crls = {desk_.path("ca.crl")};
  expect_refused(mail("clear"), "is revoked");
}

TEST_F(Smime, TheOlderCommandIsUnderstoodToo) {
  wrap("smime -sign -signer site.pem -inkey site.key", "request", "clear");
  expect_taken(mail("clear"));
  wrap("smime -sign -nodetach -signer site.pem -inkey site.key", "request", "opaque");
  expect_taken(mail("opaque"));
  EXPECT_TRUE(desk_.openssl("smime -encrypt -aes256 -in opaque -out both channel.pem"));
  require(Require::both);
  expect_taken(mail("both"));
}

TEST_F(Smime, SignedInsideEncryptedInsideSignedSatisfiesBoth) {
  require(Require::both);
  sign("site", "request", "one");
  encrypt("one", "two");
  sign("site", "two", "three");
  expect_taken(mail("two"));
  expect_taken(mail("three"));
  encrypt("three", "four");
  expect_refused(mail("four"), "more than 3 layers");
}

TEST_F(Smime, TheSignatureIsOverTheOctetsWhateverTheLineEnds) {
  require(Require::signature);
  sign("site", "request", "clear", "-crlfeol");
  const auto raw = mail("clear");
  expect_taken(raw);
  std::string lines;
  for (const char c : text_of(raw)) {
    if (c == '\r') continue;
    lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  expect_taken(to_bytes(lines));
}

TEST_F(Smime, WithoutTheTableNothingIsOpened) {
  settings_.mail()->smime = {};
  encrypt("request", "enveloped");
  expect_refused(mail("enveloped"), "does not open");
  sign("site", "request", "clear");
  expect_taken(mail("clear"));
}

TEST_F(Smime, AnAlteredContentIsRefusedEvenWhereNoSignatureIsRequired) {
  sign("site", "request", "clear");
  auto text = std::string(text_of(mail("clear")));
  const auto base64 = to_base64(request());
  text.replace(text.find(base64), base64.size(), to_base64(Bytes{0x30, 0x03, 0x02, 0x01, 0x06}));
  expect_refused(to_bytes(text), "does not fit");
  EXPECT_THAT(judge(to_bytes(text), true).requests, SizeIs(1)) << "an operator may release it";
}

TEST_F(Smime, OnlyASignatureOfTheSenderCounts) {
  require(Require::signature);
  expect_refused(mail("request"), "not signed");
  for (const auto& [who, reason] :
       {std::pair<std::string, std::string>{"stranger", "is not trusted"},
        {"expired", "is not trusted"},
        {"server", "not one for signing mails"},
        {"other", "not one of the sender dev@site.example"}}) {
    sign(who, "request", who);
    expect_refused(mail(who), reason);
    EXPECT_THAT(judge(mail(who), true).requests, SizeIs(1));
  }
  sign("site", "request", "clear");
  expect_refused(mail("clear", "boss@site.example"), "not one of the sender boss@site.example");
  expect_refused(mail("clear", "dev@site.example, boss@site.example"), "From is not");
  EXPECT_EQ(judge(mail("clear", "Dev@SITE.example")).place, MailPlace::done);
}

TEST_F(Smime, AStrangersSignatureIsAsGoodAsNoneWhereNoneIsRequired) {
  sign("stranger", "request", "clear");
  expect_taken(mail("clear"));
}

TEST_F(Smime, TheSignatureAroundAStrangersOneCounts) {
  require(Require::signature);
  sign("stranger", "request", "inner", "-nodetach");
  sign("site", "inner", "outer");
  expect_taken(mail("outer"));
}

TEST_F(Smime, TwoSignersAreRefused) {
  wrap("cms -sign -signer site.pem -inkey site.key -signer other.pem -inkey other.key", "request",
       "clear");
  expect_refused(mail("clear"), "2 signers");
}

TEST_F(Smime, EncryptionIsDemandedWhereItIsRequired) {
  require(Require::encryption);
  expect_refused(mail("request"), "not encrypted");
  sign("site", "request", "clear");
  expect_refused(mail("clear"), "not encrypted");
  encrypt("request", "enveloped");
  expect_taken(mail("enveloped"));
}

TEST_F(Smime, WhatIsEncryptedForOthersSaysSo) {
  encrypt("request", "enveloped", "-aes256", "other.pem");
  expect_refused(mail("enveloped"), "for other certificates");
  settings_.mail()->smime.certificate = settings_.mail()->smime.key = "";
  expect_refused(mail("enveloped"), "no key");
}

TEST_F(Smime, ADamagedWrapperIsRefused) {
  encrypt("request", "enveloped");
  auto text = std::string(text_of(mail("enveloped")));
  text.resize(text.size() - 200);
  expect_refused(to_bytes(text), "");
  sign("site", "request", "clear");
  text = text_of(mail("clear"));
  text.replace(text.rfind("pkcs7-signature"), 15, "something-other");
  expect_refused(to_bytes(text), "one content and one signature");
}

TEST_F(Smime, WhatIsInsideIsReadAsStrictlyAsAMail) {
  desk_.write("bad", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nno end\r\n");
  encrypt("bad", "enveloped");
  expect_refused(mail("enveloped"), "inside S/MIME");
}

TEST_F(Smime, SignedLettersOfPeopleAreLeftAlone) {
  require(Require::both);
  desk_.write("letter", "Content-Type: text/plain\r\n\r\nlunch?\r\n");
  sign("stranger", "letter", "clear");
  EXPECT_EQ(judge(mail("clear")).place, MailPlace::foreign);
  encrypt("clear", "enveloped");
  EXPECT_EQ(judge(mail("enveloped")).place, MailPlace::foreign);
}

TEST_F(Smime, FilesThatDoNotFitAreFoundWhenTheyAreRead) {
  auto smime = settings_.mail()->smime;
  smime.key = desk_.path("site.key");
  EXPECT_THAT(to_string(SmimeOpener::load(smime, clock_).error()), HasSubstr("is not the key of"));
  smime = settings_.mail()->smime;
  smime.trust = {desk_.path("request")};
  EXPECT_THAT(to_string(SmimeOpener::load(smime, clock_).error()), HasSubstr("request"));
}

// Answers.

OutgoingMail some_answer() {
  OutgoingMail mail;
  mail.from = {"pki", "ca.example"};
  mail.to = {"dev", "site.example"};
  mail.message_id = "<a@ca.example>";
  mail.date = SystemClock().now();
  mail.text = "the answer, a line with blanks at its end: \xc3\xa4   \nend\n";
  mail.subject = "CMP ip";
  mail.file_name = "dev1.ip.pki";
  mail.message = {0x30, 0x03, 0x02, 0x01, 0x07};
  return mail;
}

TEST_F(Smime, OpenSslVerifiesASignedAnswerAndEachTryIsTheSame) {
  settings_.mail()->smime.sign_answers = true;
  const auto signer = AnswerSigner::load(settings_.mail()->smime);
  ASSERT_THAT(signer, IsOk());
  const auto answer = some_answer();
  const auto raw = (*signer)->write(answer);
  ASSERT_THAT(raw, IsOk());
  EXPECT_EQ((*signer)->write(answer).value_or(Bytes()), *raw);
  const auto another = AnswerSigner::load(settings_.mail()->smime).value();
  EXPECT_EQ(another->write(answer).value_or(Bytes()), *raw);
  desk_.write("answer", *raw);
  for (const std::string program : {"cms", "smime"}) {
    EXPECT_TRUE(desk_.openssl(program + " -verify -in answer -CAfile ca.pem -out verified"))
        << text_of(desk_.read("stderr"));
    EXPECT_THAT(std::string(text_of(desk_.read("verified"))), HasSubstr("dev1.ip.pki"));
  }
  const auto read = read_mail(*raw, {}, {});
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->wrapped, IncomingMail::Wrapped::clear_signed);
  ASSERT_THAT(read->messages, SizeIs(1));
  EXPECT_EQ(read->messages[0].content, answer.message);
}

TEST_F(Smime, AKeyThatCannotSignTheSameTwiceIsRefusedAtOnce) {
  settings_.mail()->smime.certificate = desk_.path("site.pem");
  settings_.mail()->smime.key = desk_.path("site.key");
  settings_.mail()->smime.sign_answers = true;
  EXPECT_THAT(to_string(AnswerSigner::load(settings_.mail()->smime).error()), HasSubstr("RSA"));
  settings_.mail()->smime.sign_answers = false;
  EXPECT_EQ(AnswerSigner::load(settings_.mail()->smime).value(), nullptr);
}

}  // namespace
}  // namespace cmpost
