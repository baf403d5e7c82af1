// What every MailSource does, on real servers and a real Maildir.
#include "mail/mail_source.h"

#include <map>

#include "mail/open_mail_source.h"
#include "tests/mail/dovecot.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kLargeEnough = 1'000'000;
const std::stop_token kNoStop;

std::string mail_number(int number) {
  return "Message-ID: <" + std::to_string(number) + "@x>\r\nSubject: mail " +
         std::to_string(number) + "\r\n\r\nHello\r\n";
}

// Lines that an IMAP or POP3 client could take for the server's.
const std::string kLinesOfProtocols =
    "Message-ID: <p@x>\r\n\r\nA003 OK Fetch completed\r\nc5 OK done\r\n* BYE\r\n)\r\n+OK\r\n.\r\n"
    "..\r\n-ERR\r\n{5}\r\n";

class MailSourceContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_ = Dovecot::instance();
    ASSERT_NE(server_, nullptr) << Dovecot::kMissing;
    static int users = 0;
    user_ = "user" + std::to_string(::getpid()) + "-" + std::to_string(++users) + "@test";
    reopen();
  }
  void reopen() {
    auto settings = server_->settings(GetParam() == "maildir" ? "imap" : GetParam(), user_);
    if (GetParam() == "maildir") settings.fetch = {"maildir", "", 0, server_->maildir(user_)};
    settings.poll = std::chrono::seconds(10);
    auto source = open_mail_source(settings);
    ASSERT_THAT(source, IsOk());
    source_ = std::move(*source);
  }
  void deliver(const std::string& mail) { server_->deliver(user_, mail); }
  std::vector<MailHandle> list(std::size_t max = 100) {
    auto mails = source_->list(max, kNoStop);
    EXPECT_THAT(mails, IsOk());
    return mails.value_or(std::vector<MailHandle>());
  }
  std::string fetch(const MailHandle& mail, std::size_t max = kLargeEnough) {
    const auto octets = source_->fetch(mail, max, kNoStop);
    EXPECT_THAT(octets, IsOk());
    return octets && *octets ? std::string(text_of(**octets)) : "(gone)";
  }
  void file(const std::vector<MailHandle>& mails, MailPlace place) {
    EXPECT_THAT(source_->file_away(mails, place, kNoStop), IsOk());
  }
  bool has_folders() const { return !GetParam().starts_with("pop3"); }
  std::string files_in(const std::string& folder) {
    return server_->shell("cat mail/" + user_ + "/" + folder + "/cur/* mail/" + user_ + "/" +
                          folder + "/new/*");
  }

  Dovecot* server_ = nullptr;
  std::string user_;
  std::unique_ptr<MailSource> source_;
};

TEST_P(MailSourceContract, ConnectsToAnEmptyMailbox) {
  deliver(mail_number(1));
  EXPECT_THAT(source_->connect(kNoStop), IsOk());
  file(list(), MailPlace::done);
  EXPECT_THAT(list(), IsEmpty());
}

TEST_P(MailSourceContract, GivesEachMailAsItIsAndTheOldestFirst) {
  for (int i = 1; i <= 3; ++i) deliver(mail_number(i));
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(3));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(fetch(mails[i - 1]), mail_number(i));
    EXPECT_EQ(mails[i - 1].size, mail_number(i).size());
  }
  EXPECT_THAT(list(2), SizeIs(2));
}

TEST_P(MailSourceContract, GivesAllMailsOfAListInOneGo) {
  for (int i = 1; i <= 5; ++i) deliver(mail_number(i));
  deliver(kLinesOfProtocols);
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(6));
  file({mails[1]}, MailPlace::done);
  std::map<std::string, std::string> found;
  const auto fetched = source_->fetch_all(
      mails, kLargeEnough,
      [&](const MailHandle& mail, Bytes octets) { found[mail.arrival] += text_of(octets); },
      kNoStop);
  EXPECT_THAT(fetched, IsOk());
  ASSERT_THAT(found, SizeIs(5));
  EXPECT_EQ(found[mails[4].arrival], mail_number(5));
  EXPECT_EQ(found[mails[5].arrival], kLinesOfProtocols);
  EXPECT_FALSE(found.contains(mails[1].arrival));
}

TEST_P(MailSourceContract, LinesOfProtocolsInAMailAreContent) {
  deliver(kLinesOfProtocols);
  deliver(mail_number(2));
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_EQ(fetch(mails[0]), kLinesOfProtocols);
  EXPECT_EQ(fetch(mails[1]), mail_number(2));
}

TEST_P(MailSourceContract, AnArrivalStaysTheSameAndIsNoOther) {
  deliver(mail_number(1));
  deliver(mail_number(1));
  const auto before = list();
  ASSERT_THAT(before, SizeIs(2));
  fetch(before[0]);
  reopen();
  const auto after = list();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_EQ(before[0].arrival, after[0].arrival);
  EXPECT_EQ(before[1].arrival, after[1].arrival);
  EXPECT_NE(after[0].arrival, after[1].arrival);
}

TEST_P(MailSourceContract, WhatIsDoneIsNotShownAgain) {
  for (int i = 1; i <= 4; ++i) deliver(mail_number(i));
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(4));
  file({mails[0], mails[1], mails[3]}, MailPlace::done);
  // The others of the same list are still good.
  EXPECT_EQ(fetch(mails[2]), mail_number(3));
  EXPECT_EQ(fetch(mails[0]), "(gone)");
  file({mails[0], mails[1]}, MailPlace::done);
  reopen();
  ASSERT_THAT(list(), SizeIs(1));
  EXPECT_EQ(fetch(list()[0]), mail_number(3));
  if (has_folders()) {
    EXPECT_EQ(files_in(".CMPost.Done"), mail_number(1) + mail_number(2) + mail_number(4));
  }
}

TEST_P(MailSourceContract, QuarantineLiesApart) {
  deliver(mail_number(1));
  file(list(), MailPlace::quarantine);
  reopen();
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_TRUE(!has_folders() || files_in(".CMPost.Quarantine") == mail_number(1));
}

TEST_P(MailSourceContract, ForeignMailsStayAndAreNotShownAgain) {
  deliver(mail_number(1));
  deliver(mail_number(2));
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(2));
  file({mails[0]}, MailPlace::foreign);
  const auto left = list();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(fetch(left[0]), mail_number(2));
  file(left, MailPlace::done);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_EQ(server_->shell("cat mail/" + user_ + "/cur/* mail/" + user_ + "/new/*"),
            mail_number(1));
  EXPECT_EQ(server_->shell("ls mail/" + user_ + "/cur | grep ',.*S$'"), "") << "marked as read";
}

TEST_P(MailSourceContract, AMailThatIsGoneIsNoError) {
  deliver(mail_number(1));
  deliver(mail_number(2));
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(2));
  server_->shell("rm mail/" + user_ + "/new/* mail/" + user_ + "/cur/*");
  file(mails, MailPlace::done);
  reopen();
  EXPECT_THAT(list(), IsEmpty());
}

TEST_P(MailSourceContract, LargeMailsAreWhole) {
  std::string mail = mail_number(1);
  while (mail.size() < 900'000) mail += "." + std::string(70, 'x') + "\r\n";
  deliver(mail);
  const auto mails = list();
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].size, mail.size());
  EXPECT_TRUE(fetch(mails[0]) == mail);
}

TEST_P(MailSourceContract, AWaitEndsWhenAStopIsRequested) {
  deliver(mail_number(1));
  file(list(), MailPlace::done);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(source_->wait(std::chrono::seconds(60), stop.get_token()), IsOk());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  stopper.join();
  EXPECT_THAT(list(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Servers, MailSourceContract,
                         ::testing::Values("imap", "imaps", "pop3", "pop3s", "maildir"),
                         [](const auto& which) { return which.param; });

}  // namespace
}  // namespace cmpost
