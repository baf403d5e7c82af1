#include "mail/mail_egress.h"

#include <gmock/gmock.h>

#include "mail/answer_mail.h"
#include "mail/answer_text.h"
#include "mail/bounce_address.h"
#include "mime/read_mail.h"
#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const Bytes kEgressKey(32, 7);

MailSettings egress_settings(int port) {
  MailSettings settings;
  settings.send = {"smtp", "127.0.0.1", port, "client.test"};
  settings.tls.required = false;
  settings.time_limit = std::chrono::seconds(20);
  settings.from = "pki@ca.test";
  settings.from_name = "Grid CA";
  settings.domain = "ca.test";
  return settings;
}

Lease answer_lease(std::uint8_t number, Time arrived) {
  Lease lease;
  lease.job.id.octets.fill(number);
  lease.job.envelope.reply = {"site", "ops@site.test", "dev1", "<req1@site.test>",
                              "<a@site.test> <b@site.test>"};
  lease.job.envelope.body = "ip";
  lease.job.envelope.tid = "0102030405060708";
  lease.job.payload = {0x30, 0x03, 0x02, 0x01, number};
  lease.arrived = arrived;
  return lease;
}

class MailEgressTest : public ::testing::Test {
 protected:
  void answers_with(SmtpScript script) {
    server_ = std::make_unique<ScriptedSmtpServer>(std::move(script));
    egress_ = std::make_unique<MailEgress>("site", egress_settings(server_->port()), direction_,
                                           "grid", kEgressKey, clock_);
  }
  Delivery deliver(const Lease& lease) {
    const auto deliveries = egress_->send({&lease, 1}, {});
    EXPECT_THAT(deliveries.each, SizeIs(1));
    trouble_ = deliveries.trouble;
    return deliveries.each.at(0);
  }
  Lease lease(std::uint8_t number = 0x11) const { return answer_lease(number, clock_.now()); }

  FakeClock clock_;
  Direction direction_ = Direction::downstream;
  std::unique_ptr<ScriptedSmtpServer> server_;
  std::unique_ptr<MailEgress> egress_;
  std::optional<Error> trouble_;
};

TEST_F(MailEgressTest, AnAnswerArrivesAsAMailThatOneCanReadBack) {
  answers_with({});
  EXPECT_EQ(egress_->channel(), "site");
  const auto delivery = deliver(lease());
  EXPECT_EQ(delivery.what, Delivery::What::sent);
  EXPECT_FALSE(trouble_);
  EXPECT_THAT(delivery.detail,
              AllOf(StartsWith("ops@site.test <11111111111111111111111111111111.grid@ca.test>"),
                    HasSubstr("250 2.0.0 Ok: queued as 4711")));
  ASSERT_THAT(server_->mails(), SizeIs(1));
  const auto raw = server_->mails()[0];
  const auto mail = read_mail(view_of(raw), {}, {});
  ASSERT_THAT(mail, IsOk());
  EXPECT_EQ(mail->message_id, "<11111111111111111111111111111111.grid@ca.test>");
  EXPECT_EQ(mail->from->text(), "pki@ca.test");
  EXPECT_THAT(mail->references, ElementsAre("<a@site.test>", "<b@site.test>", "<req1@site.test>"));
  EXPECT_TRUE(mail->automatic);
  ASSERT_THAT(mail->messages, SizeIs(1));
  EXPECT_EQ(mail->messages[0].content, lease().job.payload);
  EXPECT_EQ(mail->messages[0].name, "dev1.ip.pki");
  EXPECT_THAT(raw, HasSubstr("In-Reply-To: <req1@site.test>"));
  EXPECT_THAT(raw, HasSubstr("-rspin dev1.ip.pki"));
}

TEST_F(MailEgressTest, AQuestionToACaAboveIsBegunByAProgramAndSaysWhereAnswersGo) {
  direction_ = Direction::upstream;
  answers_with({});
  auto question = lease();
  question.job.envelope.reply = {"site", "ca@vault.test", "", "", ""};
  question.job.envelope.body = "ir";
  EXPECT_EQ(deliver(question).what, Delivery::What::sent);
  const auto raw = server_->mails().at(0);
  EXPECT_THAT(raw, HasSubstr("To: ca@vault.test\r\nReply-To: pki@ca.test\r\n"));
  EXPECT_THAT(raw, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(raw, HasSubstr("Subject: CMP ir of grid, transaction 0102030405060708\r\n"));
  EXPECT_THAT(raw, Not(HasSubstr("In-Reply-To")));
  const auto mail = read_mail(view_of(raw), {}, {});
  ASSERT_THAT(mail, IsOk());
  EXPECT_FALSE(mail->unanswerable);
  EXPECT_EQ(mail->messages.at(0).content, question.job.payload);
}

TEST_F(MailEgressTest, TheReturnPathNamesTheJob) {
  answers_with({});
  deliver(lease());
  const auto path = bounce_address({"pki", "ca.test"}, lease().job.id, kEgressKey).value();
  EXPECT_THAT(server_->commands(), Contains(StartsWith("MAIL FROM:<" + path.text() + "> ")));
  EXPECT_THAT(server_->commands(), Contains(HasSubstr("ENVID=" + lease().job.id.text())));
  EXPECT_THAT(server_->commands(), Contains(StartsWith("RCPT TO:<ops@site.test>")));
}

TEST_F(MailEgressTest, EachTrySendsTheSameOctets) {
  answers_with({{"mail", {kHangUp, "250 2.0.0 Ok\r\n"}}});
  auto again = lease();
  const auto first = deliver(again);
  EXPECT_EQ(first.what, Delivery::What::deferred);
  EXPECT_THAT(first.detail, HasSubstr("possible duplicate"));
  EXPECT_FALSE(trouble_);
  clock_.advance(std::chrono::hours(1));
  again.attempts = 2;
  EXPECT_EQ(deliver(again).what, Delivery::What::sent);
  ASSERT_THAT(server_->mails(), SizeIs(2));
  EXPECT_EQ(server_->mails()[0], server_->mails()[1]);
}

TEST_F(MailEgressTest, WhatTheServerSaysDecides) {
  answers_with({{"RCPT", {"451 4.3.0 grey\r\n", "550 5.1.1 who\r\n", "250 Ok\r\n"}}});
  const std::vector<Lease> leases = {lease(1), lease(2), lease(3)};
  const auto deliveries = egress_->send(leases, {});
  ASSERT_THAT(deliveries.each, SizeIs(3));
  EXPECT_EQ(deliveries.each[0].what, Delivery::What::deferred);
  EXPECT_THAT(deliveries.each[0].detail, HasSubstr("451 4.3.0 grey"));
  EXPECT_EQ(deliveries.each[1].what, Delivery::What::held);
  EXPECT_THAT(deliveries.each[1].detail, HasSubstr("550 5.1.1 who"));
  EXPECT_EQ(deliveries.each[2].what, Delivery::What::sent);
  EXPECT_FALSE(deliveries.trouble);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(MailEgressTest, AfterItsLifetimeAnAnswerIsTriedOnceAndHeld) {
  answers_with({{"RCPT", {"451 4.3.0 grey\r\n", "451 4.3.0 grey\r\n", "250 Ok\r\n"}}});
  const auto old = lease();
  clock_.advance(std::chrono::hours(24 * 5));
  EXPECT_EQ(deliver(old).what, Delivery::What::deferred);
  clock_.advance(std::chrono::seconds(1));
  const auto delivery = deliver(old);
  EXPECT_EQ(delivery.what, Delivery::What::held);
  EXPECT_THAT(delivery.detail, AllOf(HasSubstr("120 hours"), HasSubstr("451 4.3.0 grey")));
  EXPECT_EQ(deliver(old).what, Delivery::What::sent);
}

TEST_F(MailEgressTest, ADeadServerIsTroubleOfTheChannelAndHoldsNothing) {
  answers_with({{"greeting", {"554 5.3.2 closed\r\n"}}});
  const std::vector<Lease> leases = {lease(1), lease(2), lease(3)};
  clock_.advance(std::chrono::hours(24 * 50));
  const auto deliveries = egress_->send(leases, {});
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("554"));
  ASSERT_THAT(deliveries.each, SizeIs(3));
  for (const auto& delivery : deliveries.each) EXPECT_EQ(delivery.what, Delivery::What::deferred);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(MailEgressTest, OneMailThatBreaksTheConnectionStopsNoOther) {
  answers_with({{"RCPT", {kHangUp, "250 Ok\r\n", kHangUp, "250 Ok\r\n"}}});
  const std::vector<Lease> leases = {lease(1), lease(2), lease(3), lease(4)};
  const auto deliveries = egress_->send(leases, {});
  EXPECT_FALSE(deliveries.trouble);
  ASSERT_THAT(deliveries.each, SizeIs(4));
  EXPECT_EQ(deliveries.each[0].what, Delivery::What::deferred);
  EXPECT_EQ(deliveries.each[1].what, Delivery::What::sent);
  EXPECT_EQ(deliveries.each[2].what, Delivery::What::deferred);
  EXPECT_EQ(deliveries.each[3].what, Delivery::What::sent);
}

TEST_F(MailEgressTest, TwoMailsRunningThatBreakItAreTroubleOfTheChannel) {
  answers_with({{"mail", {"250 Ok\r\n", kHangUp}}});
  const std::vector<Lease> leases = {lease(1), lease(2), lease(3), lease(4), lease(5)};
  const auto deliveries = egress_->send(leases, {});
  EXPECT_TRUE(deliveries.trouble);
  ASSERT_THAT(deliveries.each, SizeIs(5));
  EXPECT_EQ(deliveries.each[0].what, Delivery::What::sent);
  for (int i = 1; i < 5; ++i) EXPECT_EQ(deliveries.each[i].what, Delivery::What::deferred) << i;
  EXPECT_THAT(server_->mails(), SizeIs(3));
}

TEST_F(MailEgressTest, AStuckServerHoldsUpNoShutdown) {
  for (const std::string step : {"greeting", "RCPT", "mail"}) {
    answers_with({{step, {kSilence}}});
    std::stop_source stop;
    std::chrono::steady_clock::time_point requested;
    std::jthread stopper([&] {
      const auto reached = [&] {
        const auto commands = server_->commands();
        const bool asked = std::any_of(commands.begin(), commands.end(), [&](const auto& command) {
          return command.starts_with(step == "mail" ? "DATA" : "RCPT");
        });
        return step == "greeting" ? server_->connections() > 0 : asked;
      };
      while (!reached()) std::this_thread::yield();
      requested = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    const std::vector<Lease> leases = {lease(1), lease(2)};
    const auto deliveries = egress_->send(leases, stop.get_token());
    stopper.join();
    EXPECT_LT(std::chrono::steady_clock::now() - requested, std::chrono::seconds(1)) << step;
    EXPECT_FALSE(deliveries.trouble) << step;
    ASSERT_THAT(deliveries.each, SizeIs(2));
    for (const auto& each : deliveries.each) EXPECT_EQ(each.what, Delivery::What::deferred);
  }
}

TEST_F(MailEgressTest, AnAnswerWithoutAnAddressIsHeld) {
  answers_with({});
  for (const auto* address : {"", "nobody", "a@b, c@d", "a@b>\r\nRCPT TO:<c@d", "a@b\r\nBcc: c@d",
                              "\xc3\xa4@site.test"}) {
    auto lost = lease();
    lost.job.envelope.reply.address = address;
    EXPECT_EQ(deliver(lost).what, Delivery::What::held) << address;
    EXPECT_FALSE(trouble_);
  }
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(MailEgressTest, TheFolderThatReceivesTellsTheBouncesOfOthersApart) {
  answers_with({});
  deliver(lease(1));
  deliver(lease(2));
  std::vector<std::string> paths;
  for (const auto& command : server_->commands()) {
    if (command.starts_with("MAIL")) paths.push_back(command.substr(0, command.find('>')));
  }
  ASSERT_THAT(paths, SizeIs(2));
  EXPECT_NE(paths[0], paths[1]);
}

TEST(AnswerMail, TakesNothingHarmfulFromTheRequest) {
  auto lease = answer_lease(1, {});
  auto& route = lease.job.envelope.reply;
  route.name = "../d\xc3\xa4v\r\nBcc: x";
  route.in_reply_to = "<a@b>\r\nBcc: x@y";
  route.references = "<a@b> no <c@d>\r\nBcc: <e@f";
  lease.job.envelope.tid = "01\nX";
  const auto mail = answer_mail(egress_settings(1), "gr id\r\n", lease).value();
  EXPECT_EQ(mail.in_reply_to, "");
  EXPECT_THAT(mail.references, Each(Not(HasSubstr("Bcc"))));
  EXPECT_THAT(mail.file_name, Not(HasSubstr("/")));
  EXPECT_THAT(mail.file_name, testing::EndsWith(".ip.pki"));
  for (const auto& text : {mail.file_name, mail.subject, mail.message_id}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_THAT(text, Not(HasSubstr("\xc3")));
  }
  EXPECT_EQ(mail.message_id, "<01010101010101010101010101010101.gr_id__@ca.test>");
  EXPECT_THAT(write_mail(mail), IsOk());
}

TEST(AnswerMail, NamesNothingThatTheRequestDidNot) {
  auto lease = answer_lease(1, {});
  lease.job.envelope.reply = {"site", "ops@site.test", "", "", ""};
  lease.job.envelope.body = "";
  lease.job.envelope.tid = "";
  const auto mail = answer_mail(egress_settings(1), "grid", lease).value();
  EXPECT_EQ(mail.file_name, "01010101010101010101010101010101.answer.pki");
  EXPECT_THAT(mail.references, IsEmpty());
  EXPECT_THAT(mail.text, Not(HasSubstr("Transaction")));
  EXPECT_THAT(mail.text, Not(HasSubstr("Sent in mail")));
}

TEST(AnswerText, SaysWhatToDoForEachBody) {
  const auto text_of_body = [](const std::string& body) {
    return answer_text({"grid", body, "dev1", "<1@x>", "0102", "dev1." + body + ".pki"});
  };
  EXPECT_THAT(text_of_body("ip"), AllOf(HasSubstr("ip (initialization response)"),
                                        HasSubstr("the reason why there is none"),
                                        HasSubstr("openssl cmp ... -rspin dev1.ip.pki")));
  EXPECT_THAT(text_of_body("error"), HasSubstr("not granted"));
  EXPECT_THAT(text_of_body("pollRep"), HasSubstr("ask again later"));
  EXPECT_THAT(text_of_body("new"), HasSubstr("new (CMP message)"));
  for (const auto* body : {"ip", "cp", "kup", "rp", "genp", "pkiconf", "pollRep", "error", "x"}) {
    auto text = text_of_body(body);
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      EXPECT_LE(end, 76U) << text.substr(0, end);
    }
    EXPECT_EQ(text, "");
  }
}

}  // namespace
}  // namespace cmpost
