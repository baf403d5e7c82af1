// Mails that a server names and does not hand over: those beside them come.
#include <gmock/gmock.h>

#include "mail/mail_ingress.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/mail_of_a_person.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

enum class Reluctance { refuses, breaks };

// Breaks its dialogue at some mails, or has nothing for them.
class ReluctantSource final : public MailSource {
 public:
  std::map<std::string, Bytes> mails;
  std::map<std::string, Reluctance> bad;
  std::set<std::string> filed;
  std::map<std::string, int> asked;
  bool down = false;

  Result<void> connect(const std::stop_token&) override {
    if (down) return retry("the server is down");
    return {};
  }
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override {
    TRY(connect(stop));
    std::vector<MailHandle> found;
    for (const auto& [arrival, raw] : mails) {
      if (!filed.contains(arrival) && found.size() < max) found.push_back({arrival, arrival, 10});
    }
    return found;
  }
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t,
                                     const std::stop_token& stop) override {
    TRY(connect(stop));
    ++asked[mail.arrival];
    const auto reluctance = bad.find(mail.arrival);
    if (reluctance == bad.end()) return mails.at(mail.arrival);
    if (reluctance->second == Reluctance::refuses) return std::nullopt;
    return retry("the connection broke");
  }
  Result<void> file_away(std::span<const MailHandle> handles, MailPlace,
                         const std::stop_token&) override {
    for (const auto& mail : handles) filed.insert(mail.arrival);
    return {};
  }
  Result<std::size_t> count_foreign(const std::stop_token&) override { return std::size_t{0}; }
  Result<void> wait(Duration, const std::stop_token&) override { return {}; }
};

class ReluctantServer : public ::testing::Test {
 protected:
  ReluctantServer() : queue_(clock_) {
    settings_.name = "depots";
    settings_.kind = ChannelKind::mail;
    settings_.mail.from = "pki@example.com";
    settings_.state = directory_ / "state";
    auto source = std::make_unique<ReluctantSource>();
    source_ = source.get();
    ingress_ = std::make_unique<MailIngress>(
        settings_, std::move(source), queue_, clock_,
        [](const DeliveryReport&, const Bytes&) { return Result<void>(); });
    for (const auto* arrival : {"1", "2", "3", "4"}) receive(arrival);
  }
  void receive(const std::string& arrival) {
    OutgoingMail mail;
    mail.from = read_mailbox("dev@site.example").value();
    mail.to = read_mailbox("pki@example.com").value();
    mail.subject = "request";
    mail.message_id = "<" + arrival + "@site.example>";
    mail.text = "a request";
    mail.file_name = "dev.pki";
    mail.message = Bytes{0x30, 0x03, 0x02, 0x01, static_cast<std::uint8_t>(arrival.front())};
    source_->mails[arrival] = to_bytes(mail_of_a_person(mail));
  }
  Intake poll() {
    const auto intake = ingress_->poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }
  std::vector<JobStatus> held() {
    return queue_.list({.state = JobState::held, .channel = {}}).value();
  }

  TemporaryDirectory directory_;
  ChannelSettings settings_;
  FakeClock clock_;
  FakeJobQueue queue_;
  ReluctantSource* source_ = nullptr;
  std::unique_ptr<MailIngress> ingress_;
};

class ReluctantMail : public ReluctantServer, public ::testing::WithParamInterface<Reluctance> {};

TEST_P(ReluctantMail, OthersComeAndItIsLeftOutWithItsName) {
  source_->bad = {{"2", GetParam()}};
  EXPECT_EQ(poll().deposited, 3U);
  EXPECT_TRUE(source_->filed.contains("1") && source_->filed.contains("4"));
  EXPECT_THAT(held(), ::testing::IsEmpty()) << "it is tried again first";
  poll();
  EXPECT_EQ(poll().stuck, 1U);
  const auto jobs = held();
  ASSERT_THAT(jobs, ::testing::SizeIs(1));
  EXPECT_EQ(jobs[0].envelope.source, "mail 2");
  EXPECT_EQ(jobs[0].size, 0U);
  const auto asked = source_->asked["2"];
  for (int i = 0; i < 10; ++i) EXPECT_EQ(poll().stuck, 1U);
  EXPECT_EQ(source_->asked["2"], asked) << "it rests";
  receive("5");
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_P(ReluctantMail, WhatComesAfterAllIsTaken) {
  source_->bad = {{"2", GetParam()}};
  for (int i = 0; i < 3; ++i) poll();
  source_->bad.clear();
  clock_.advance(std::chrono::minutes(10));
  const auto intake = poll();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.stuck, 0U);
  EXPECT_THAT(held(), ::testing::IsEmpty());
}

TEST_P(ReluctantMail, SomeMayBeBad) {
  source_->bad = {{"1", GetParam()}, {"3", GetParam()}};
  EXPECT_EQ(poll().deposited, 2U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReluctantMail,
                         ::testing::Values(Reluctance::refuses, Reluctance::breaks));

TEST_F(ReluctantServer, NoMailIsToBlameForAServerThatIsDown) {
  source_->down = true;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(ingress_->poll({}));
  source_->down = false;
  EXPECT_EQ(poll().deposited, 4U);
}

TEST_F(ReluctantServer, NorForOneThatHandsOverNothing) {
  for (const auto* arrival : {"1", "2", "3", "4"}) source_->bad[arrival] = Reluctance::breaks;
  EXPECT_FALSE(ingress_->poll({})) << "the channel fails";
  source_->bad.clear();
  EXPECT_EQ(poll().deposited, 4U);
}

}  // namespace
}  // namespace cmpost
