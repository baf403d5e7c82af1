// An ingress at a mailbox in memory, one look at a time.
#pragma once

#include <gmock/gmock.h>

#include "mail/mail_ingress.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/mail_of_a_person.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

enum class Reluctance { refuses, breaks };

// Mails in memory.
class FakeSource final : public MailSource {
 public:
  std::map<std::string, Bytes> mails;  // by arrival
  std::map<std::string, MailPlace> filed;
  std::map<std::string, Reluctance> bad;  // it has nothing for them, or breaks its dialogue
  bool down = false;
  std::optional<Error> trouble_filing;
  std::size_t fetched = 0;
  std::size_t counted = 0;  // how often

  Result<void> connect(const std::stop_token&) override {
    if (down) return retry("the server is down");
    return {};
  }
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override {
    TRY(connect(stop));
    std::vector<MailHandle> found;
    for (const auto& [arrival, raw] : mails) {
      if (!filed.contains(arrival) && found.size() < max) {
        found.push_back({arrival, arrival, raw.size()});
      }
    }
    return found;
  }
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token& stop) override {
    TRY(connect(stop));
    ++fetched;
    if (const auto reluctance = bad.find(mail.arrival); reluctance != bad.end()) {
      if (reluctance->second == Reluctance::refuses) return std::nullopt;
      return retry("the connection broke");
    }
    const auto& raw = mails.at(mail.key);
    return Bytes(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(std::min(max, raw.size())));
  }
  Result<void> file_away(std::span<const MailHandle> handles, MailPlace place,
                         const std::stop_token&) override {
    if (trouble_filing) return failure(*trouble_filing);
    for (const auto& mail : handles) filed[mail.arrival] = place;
    return {};
  }
  Result<std::size_t> count_foreign(const std::stop_token&) override {
    ++counted;
    return static_cast<std::size_t>(std::ranges::count_if(
        filed, [](const auto& one) { return one.second == MailPlace::foreign; }));
  }
  Result<void> wait(Duration, const std::stop_token&) override { return {}; }
};

class MailIngressTest : public ::testing::Test {
 protected:
  MailIngressTest() : queue_(clock_) {
    settings_.name = "depots";
    settings_.transport = MailSettings{};
    settings_.mail()->from = "pki@example.com";
    settings_.state = directory_ / "state";
    start();
  }

  // As after a restart.
  void start() {
    auto source = std::make_unique<FakeSource>();
    if (source_ != nullptr) *source = *source_;
    source_ = source.get();
    ingress_ = std::make_unique<MailIngress>(settings_, std::move(source), queue_, clock_,
                                             [this](const DeliveryReport& report, const Bytes&) {
                                               bounced_.push_back(report.recipient);
                                               return Result<void>();
                                             });
  }

  static Bytes request(std::uint8_t number) { return {0x30, 0x03, 0x02, 0x01, number}; }

  static OutgoingMail mail_of(const Bytes& message, const std::string& from = "dev@site.example") {
    OutgoingMail mail;
    mail.from = read_mailbox(from).value();
    mail.to = read_mailbox("pki@example.com").value();
    mail.subject = "request";
    mail.message_id = "<1@site.example>";
    mail.text = "a request";
    mail.file_name = "dev1.pki";
    mail.message = message;
    return mail;
  }

  void receive(const std::string& arrival, const OutgoingMail& mail) {
    receive(arrival, mail_of_a_person(mail));
  }
  void receive(const std::string& arrival, const std::string& raw) {
    source_->mails[arrival] = to_bytes(raw);
  }

  Intake poll() {
    const auto intake = ingress_->poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }

  std::vector<Lease> requests() { return queue_.take(1000).value(); }
  std::vector<JobStatus> held() {
    return queue_.list({.state = JobState::held, .channel = {}}).value();
  }

  TemporaryDirectory directory_;
  ChannelSettings settings_;
  FakeClock clock_;
  FakeJobQueue queue_;
  FakeSource* source_ = nullptr;
  std::unique_ptr<MailIngress> ingress_;
  std::vector<std::string> bounced_;
};

}  // namespace cmpost
