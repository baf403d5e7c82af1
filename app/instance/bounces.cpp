#include "app/instance/bounces.h"

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/log.h"
#include "mail/bounce_address.h"

namespace cmpost {
namespace {

constexpr std::size_t kBounceKey = 32;
constexpr std::string_view kBounceMark = "+b.";
constexpr std::size_t kMostCandidates = 50;

bool is_address_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.@").find(c) != std::string_view::npos;
}

Result<Bytes> read_bounce_key(const std::string& path) {
  ASSIGN_OR_RETURN(const auto contents, read_file(path, 1024));
  std::string text(text_of(contents));
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  auto key = from_hex(text);
  if (!key || key->size() != kBounceKey) {
    return hold(path + " is not 64 hex digits",
                "remove it: a new one is made, and only mails that "
                "come back now are not recognised any more");
  }
  return std::move(*key);
}

// Whatever stands in the mail: the address that it was sent to, or the quoted header of our own.
std::optional<JobId> find_job(const Bytes& mail, ByteView key) {
  std::string lower(text_of(mail));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const std::string_view text = lower;  // some systems change the case of addresses
  std::set<std::string_view> seen;
  for (auto at = text.find(kBounceMark);
       at != std::string_view::npos && seen.size() < kMostCandidates;
       at = text.find(kBounceMark, at + 1)) {
    auto first = at, last = at;
    while (first > 0 && at - first < 64 && is_address_octet(text[first - 1])) --first;
    while (last < text.size() && last - at < 320 && is_address_octet(text[last])) ++last;
    const auto word = text.substr(first, last - first);
    if (!seen.insert(word).second) continue;
    const auto address = read_mailbox(word);
    if (!address) continue;
    if (const auto job = job_of_bounce_address(*address, key)) return job;
  }
  return std::nullopt;
}

// A bounce may be quicker than the server's word that it has the mail: an answer that is still
// under way would count as sent after it. The mail is looked at again then.
Result<void> wait_until_sent(JobQueue& replies, const JobId& job) {
  ASSIGN_OR_RETURN(const auto status, replies.find(job));
  if (!status || status->state != JobState::active) return {};
  return retry("the answer " + job.text() + " came back while it is still being sent",
               "its bounce is looked at again");
}

}  // namespace

Result<Bytes> bounce_key(Instance& instance) {
  const auto path = path_below(instance.settings().directory, "secrets/mail.key");
  if (exists(path)) return read_bounce_key(path);
  TRY(make_directories(path_below(instance.settings().directory, "secrets"), 0700));
  const auto text = to_hex(instance.random().bytes(kBounceKey)) + "\n";
  // Another process may make it at the same moment: one of the two wins, and both read it.
  const auto written = write_file(path, view_of(text), 0600, IfExists::fail);
  if (!written && !exists(path)) return failure(written.error());
  return read_bounce_key(path);
}

Result<void> note_bounce(JobQueue& replies, const std::string& channel, ByteView key,
                         const DeliveryReport& report, const Bytes& mail) {
  const auto job = find_job(mail, key);
  const log::Fields fields = {{"channel", channel},
                              {"job", job ? job->text() : "unknown"},
                              {"recipient", printable(report.recipient)},
                              {"status", printable(report.status, 20)},
                              {"words", printable(report.diagnostic)}};
  if (report.action != DeliveryReport::Action::failed) {
    log::info("mail.report", fields);
    return {};
  }
  if (!job) {
    log::warning("mail.bounce_of_nothing", fields);
    return {};
  }
  ASSIGN_OR_RETURN(
      const bool held,
      replies.bounce(*job, "came back: " + printable(report.recipient, 100) + " " +
                               printable(report.status, 20) + " " + printable(report.diagnostic)));
  if (!held) TRY(wait_until_sent(replies, *job));
  log::warning(held ? "mail.bounced" : "mail.bounced_before", fields);
  return {};
}

}  // namespace cmpost
