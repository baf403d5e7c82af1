// The ingress is killed at its n-th durable step, for every n, and started again: a real Maildir
// and a real spool.
#include "base/log.h"
#include "mail/mail_ingress.h"
#include "mail/maildir_source.h"
#include "queue/spool.h"
#include "tests/mail/dovecot.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/mail_of_a_person.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRequests = 3;

// One look, as a process does that was just started.
void look_at_mails_once(const std::string& directory) {
  log::configure({.level = log::Level::error});
  const SystemClock wall;
  const SteadyClock steady;
  const auto spool = open_spool({"sqlite:spool.db", directory}, wall).value();
  ChannelSettings settings;
  settings.name = "depots";
  settings.transport = MailSettings{};
  settings.mail()->from = "pki@example.com";
  settings.mail()->fetch = {"maildir", "", 0, directory + "/mail"};
  MailIngress ingress(settings, std::make_unique<MaildirSource>(*settings.mail(), wall),
                      spool->requests(), steady,
                      [](const DeliveryReport&, const Bytes&) { return Result<void>(); });
  ASSERT_THAT(ingress.poll({}), IsOk());
}

TEST(MailIngressCrash, DISABLED_Looks) { look_at_mails_once(crash_directory()); }

std::string mail_with_request(int number) {
  OutgoingMail mail;
  mail.from = {"dev", "site.example"};
  mail.to = {"pki", "example.com"};
  mail.message_id = "<" + std::to_string(number) + "@site.example>";
  mail.file_name = "dev" + std::to_string(number) + ".pki";
  mail.message = {0x30, 0x03, 0x02, 0x01, static_cast<std::uint8_t>(number)};
  return mail_of_a_person(mail);
}

void fill_mailbox(const std::string& directory) {
  auto deliver = [&, number = 0](const std::string& mail) mutable {
    Dovecot::deliver_into(directory + "/mail", mail, ++number, ::getuid(), ::getgid());
  };
  for (int i = 1; i <= kRequests; ++i) deliver(mail_with_request(i));
  deliver("From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nno end\r\n");
  deliver("From: boss@example.com\r\nSubject: lunch\r\n\r\nat noon?\r\n");
}

std::set<std::string> mails_in(const std::string& folder) {
  auto names = names_in(folder + "/new");
  names.merge(names_in(folder + "/cur"));
  return names;
}

// Every request is one job, the bad mail is one held job, and each mail lies where it belongs.
void expect_all_mails_taken_once(const std::string& directory) {
  const SystemClock clock;
  const auto spool = open_spool({"sqlite:spool.db", directory}, clock).value();
  const auto jobs = spool->requests().list({.state = {}, .channel = {}}).value();
  ASSERT_THAT(jobs, SizeIs(kRequests + 1));
  int held = 0;
  for (const auto& job : jobs) held += job.state == JobState::held ? 1 : 0;
  EXPECT_EQ(held, 1);
  EXPECT_THAT(mails_in(directory + "/mail"), SizeIs(1)) << "the foreign one";
  EXPECT_THAT(mails_in(directory + "/mail/.CMPost.Done"), SizeIs(kRequests));
  EXPECT_THAT(mails_in(directory + "/mail/.CMPost.Quarantine"), SizeIs(1));
}

TEST(MailIngressCrash, WhereverItDiesEachMailIsTakenOnce) {
  int steps = 0;
  for (bool crashed = true; crashed && !::testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps + 1));
    const TemporaryDirectory directory;
    fill_mailbox(directory.path());
    crashed = crashes_at("MailIngressCrash.DISABLED_Looks", directory.path(), steps + 1);
    look_at_mails_once(directory.path());
    expect_all_mails_taken_once(directory.path());
  }
  EXPECT_GT(steps, 6);
}

TEST(MailIngressCrash, ItDiesBetweenTheQueueAndTheFolders) {
  for (const std::string step : {"mail.deposited:1", "mail.filed_away:1", "mail.filed_away:2"}) {
    SCOPED_TRACE(step);
    const TemporaryDirectory directory;
    fill_mailbox(directory.path());
    EXPECT_TRUE(crashes_at("MailIngressCrash.DISABLED_Looks", directory.path(), step));
    look_at_mails_once(directory.path());
    expect_all_mails_taken_once(directory.path());
  }
}

}  // namespace
}  // namespace cmpost
