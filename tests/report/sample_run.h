// Runs that reports are made of in the tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "report/run_report.h"

namespace cmpost {

inline Time at_time(std::string_view text) { return from_iso8601(text).value(); }

// A run of last night that has worked on nothing, of a CA where all is well.
inline RunFacts quiet_run() {
  RunFacts facts;
  facts.number = 214;
  facts.name = "nightly";
  facts.instance = "Plant CA";
  facts.role = "CA";
  facts.version = "0.1.0";
  facts.settings = std::string(64, 'a');
  facts.who = "schedule";
  facts.planned = at_time("2026-11-21T02:00:00Z");
  facts.started = at_time("2026-11-21T02:00:01Z");
  facts.ended = at_time("2026-11-21T04:15:31Z");
  facts.audit = {41002, 66010, std::string(64, 'b')};
  facts.crl = RunFacts::Crl{"77", at_time("2026-11-21T04:15:00Z"), at_time("2026-11-28T04:15:00Z")};
  facts.ends = {{"CA certificate", at_time("2031-06-01T00:00:00Z")}};
  facts.profiles = {{"device", std::string(64, 'c')}};
  facts.next_run = at_time("2026-11-22T02:00:00Z");
  return facts;
}

inline RunItem sample_item(ItemResult result, const std::string& subject) {
  return {.at = at_time("2026-11-21T02:10:00Z"),
          .result = result,
          .channel = "line-3",
          .source = "req-17.der",
          .transactionID = "00112233445566778899aabbccddeeff",
          .body = "ir",
          .requester = "ref line-3",
          .subject = subject,
          .serials = {},
          .profile = "device",
          .reason = {}};
}

inline RunItems items_of(std::vector<RunItem> list) {
  return [list = std::move(list)](
             const std::function<Result<void>(const RunItem&)>& each) -> Result<void> {
    for (const auto& item : list) TRY(each(item));
    return {};
  };
}

inline RunCounts counts_of(const std::vector<std::pair<ItemResult, std::uint64_t>>& numbers) {
  RunCounts counts;
  for (const auto& [result, number] : numbers) counts[result] = number;
  return counts;
}

}  // namespace cmpost
