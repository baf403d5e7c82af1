// Writes a report of each kind below the directory that is named: for tests/report/layout_test.py,
// and for whoever wants to see what a report looks like.
#include <cstdio>
#include <string>

#include "report/report_files.h"
#include "tests/report/sample_run.h"

namespace cmpost {
namespace {

using std::chrono::hours, std::chrono::minutes;

std::string padded(std::size_t number) {
  const auto digits = std::to_string(number);
  return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

RunItem numbered_item(std::size_t i, ItemResult result, const std::string& reason) {
  auto item = sample_item(result, "CN=sensor-" + padded(i) + ",OU=Line 3,O=Example Plant");
  item.at = quiet_run().started + minutes(i / 90);
  item.channel = i % 3 == 0 ? "mailbox" : "line-3";
  item.source = i % 3 == 0 ? "<" + padded(i) + "@line3.example>#1" : "req-" + padded(i) + ".der";
  item.transactionID = padded(i) + "2233445566778899aabbccddeef";
  if (result == ItemResult::granted || result == ItemResult::changed) {
    item.serials = {"5f0c9b7e1a2d4c3b8f6e" + padded(i)};
  }
  item.reason = reason;
  return item;
}

void add_past(RunFacts& facts) {
  for (std::int64_t i = 0; i < 29; ++i) {
    const auto number = 185 + i;
    const auto size = static_cast<std::uint64_t>(9000 + i * 97 % 31 * 120);
    const auto refused = static_cast<std::uint64_t>(i == 12 ? 700 : 3 + i * 7 % 11);
    facts.before.push_back(
        {number, facts.started - hours(24 * (29 - i)), i == 12 ? RunEnd::stopped : RunEnd::done,
         counts_of({{ItemResult::granted, size}, {ItemResult::refused, refused}})});
  }
}

void count_item(RunFacts& facts, const RunItem& item) {
  ++facts.counts[item.result];
  const auto hour = std::chrono::floor<hours>(item.at);
  while (facts.hours.empty() || facts.hours.back().first < hour) {
    facts.hours.emplace_back(facts.hours.empty() ? Time(hour) : facts.hours.back().first + hours(1),
                             RunCounts{});
  }
  ++facts.hours.back().second[item.result];
  for (auto& channel : facts.channels) {
    if (channel.name == item.channel) ++channel.counts[item.result];
  }
}

struct Sample {
  RunFacts facts;
  std::vector<RunItem> items;
};

void add_item(Sample& sample, const RunItem& item) {
  sample.items.push_back(item);
  count_item(sample.facts, item);
}

ItemResult result_of(std::size_t i) {
  if (i % 1333 == 5) return ItemResult::refused;
  if (i % 2400 == 7) return ItemResult::waiting;
  if (i % 6000 == 11) return ItemResult::held;
  return i % 400 == 13 ? ItemResult::changed : ItemResult::granted;
}

std::string reason_of(ItemResult result, std::size_t i) {
  switch (result) {
    case ItemResult::refused:
      return i % 2 == 0 ? "badPOP: the signature over the request does not fit the key"
                        : "notAuthorized: secret line-3 may not have profile server";
    case ItemResult::waiting:
      return "profile device wants two people to decide";
    case ItemResult::held:
      return "the key of the CA could not be used: token not present";
    case ItemResult::changed:
      return "notAfter is earlier than asked for";
    default:
      return {};
  }
}

Sample of_a_night(std::size_t number) {
  Sample sample;
  auto& facts = sample.facts = quiet_run();
  facts.channels = {{"line-3", "directory", {}, ""}, {"mailbox", "mail", {}, ""}};
  for (std::size_t i = 0; i < number; ++i) {
    add_item(sample, numbered_item(i, result_of(i), reason_of(result_of(i), i)));
  }
  facts.issued = facts.counts[ItemResult::granted] + facts.counts[ItemResult::changed];
  facts.sent = number;
  facts.follow_ups = 23960;
  facts.first_serial = "5f0c9b7e1a2d4c3b8f6e00000";
  facts.last_serial = "5f0c9b7e1a2d4c3b8f6e11999";
  facts.ends.emplace_back("CMP certificate", at_time("2027-04-11T00:00:00Z"));
  facts.expiring = {120, 340, 80, 2210, 940, 0, 0, 310, 505, 1200, 11986, 40};
  add_past(facts);
  return sample;
}

Sample normal() {
  auto sample = of_a_night(12000);
  auto& facts = sample.facts;
  facts.reasons = {{"notAuthorized", 6}, {"badPOP", 3}};
  facts.not_sendable = 1;
  facts.sent -= 1;
  facts.channels[1].trouble = "imap.example:993 closes the connection (SSL certificate expired)";
  return sample;
}

Sample all_well() {
  Sample sample{quiet_run(), {}};
  for (std::size_t i = 0; i < 480; ++i) {
    add_item(sample, numbered_item(i, ItemResult::granted, ""));
  }
  sample.facts.issued = sample.facts.sent = 480;
  return sample;
}

Sample stopped() {
  auto sample = of_a_night(3000);
  auto& facts = sample.facts;
  for (std::size_t i = 0; i < 700; ++i) {
    add_item(sample, numbered_item(20000 + i, ItemResult::refused,
                                   "signerNotTrusted: the certificate of the RA has expired"));
  }
  facts.end = RunEnd::stopped;
  facts.why = "rejected > 2% of at least 50";
  facts.hint =
      "Look at the refused requests. When they are right, go on with "
      "cmpost run --resume 214 --reason TEXT";
  facts.still_waiting = 8300;
  facts.unlisted = 40;
  facts.resumed = 1;
  facts.reasons = {
      {"signerNotTrusted", 700}, {"badPOP", 20},         {"badTime", 9},   {"badAlg", 4},
      {"badRequest", 3},         {"badCertTemplate", 2}, {"badCertId", 2}, {"wrongAuthority", 1},
      {"certRevoked", 1},        {"badDataFormat", 1}};
  facts.crl->next_update = facts.ended - hours(3);
  facts.ends[0].second = facts.ended + hours(24 * 12);
  return sample;
}

Sample empty() { return {quiet_run(), {}}; }

// What somebody might send who wants the page to be something else.
Sample hostile() {
  Sample sample{quiet_run(), {}};
  const std::string bad =
      "</td></table><script>document.title='owned'</script><img src=x "
      "onerror=alert(1)>\"'&amp;\x1b[31m\xe2\x80\xae"
      "txt.exe\xff=1+1";
  auto& facts = sample.facts;
  facts.name = facts.instance = facts.who = facts.version = bad;
  facts.channels = {{bad, bad, {}, bad + std::string(3000, 'w')}};
  facts.profiles = {{bad, bad}};
  facts.ends = {{bad, facts.ended + hours(100)}};
  facts.reasons = {{bad, 600}};
  facts.end = RunEnd::failed;
  facts.why = facts.hint = bad;
  for (int i = 0; i < 600; ++i) {
    auto item = sample_item(ItemResult::refused, bad + std::string(500, 'x'));
    item.channel = item.source = item.requester = item.reason = item.profile = bad;
    item.transactionID = bad;
    item.serials = {bad, std::string(400, 'f')};
    add_item(sample, item);
  }
  return sample;
}

bool write_sample(const std::string& directory, const std::string& name, const Sample& sample) {
  const auto written =
      write_report(directory + "/" + name, sample.facts, items_of(sample.items), {});
  if (!written) std::fprintf(stderr, "%s: %s\n", name.c_str(), to_string(written.error()).c_str());
  return written.has_value();
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: sample_reports DIRECTORY\n");
    return 64;
  }
  const std::string directory = argv[1];
  const bool good = cmpost::write_sample(directory, "normal", cmpost::normal()) &&
                    cmpost::write_sample(directory, "all-well", cmpost::all_well()) &&
                    cmpost::write_sample(directory, "stopped", cmpost::stopped()) &&
                    cmpost::write_sample(directory, "empty", cmpost::empty()) &&
                    cmpost::write_sample(directory, "hostile", cmpost::hostile());
  return good ? 0 : 2;
}
