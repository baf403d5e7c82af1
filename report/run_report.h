// What a run has done, for people: the facts, before they are a page, a table or a line. All of it
// is recorded when the run ends, so that the same report can be made again years later.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// What has become of one request. Each has exactly one of them.
enum class ItemResult {
  granted,  // as asked
  changed,  // grantedWithMods: not all as asked (RFC 9810 5.2.3)
  partly,   // of several parts some were refused
  waiting,  // for people, or for a CA above
  refused,
  held,  // nobody could work on it: it waits for an operator
};
inline constexpr std::size_t kItemResults = 6;
std::string_view to_string(ItemResult result);
std::optional<ItemResult> item_result(std::string_view text);

struct RunItem {
  Time at{};  // when it was worked on; of what is held, when it came
  ItemResult result = ItemResult::granted;
  std::string channel, source;       // how it came: file name, Message-ID and part
  std::string transactionID;         // hexadecimal; empty: not readable
  std::string body;                  // "ir", "p10cr", "rr", ...; empty: not readable
  std::string requester, subject;    // who has proven to be its sender; of the first certificate
  std::vector<std::string> serials;  // of the certificates issued, as `cert list` writes them
  std::string profile;
  std::string reason;  // in words, of what is not granted as asked
};

// How many requests have come to each result.
struct RunCounts {
  std::array<std::uint64_t, kItemResults> of{};
  std::uint64_t operator[](ItemResult result) const { return of[static_cast<std::size_t>(result)]; }
  std::uint64_t& operator[](ItemResult result) { return of[static_cast<std::size_t>(result)]; }
  std::uint64_t total() const;
  friend bool operator==(const RunCounts&, const RunCounts&) = default;
};

// How a run has ended.
enum class RunEnd {
  done,         // all that waited was worked on
  stopped,      // by stop_if
  interrupted,  // by a signal, or killed and not gone on with
  failed,       // by trouble of ours
};
std::string_view to_string(RunEnd end);
std::optional<RunEnd> run_end(std::string_view text);

struct RunFacts {
  std::int64_t number = 0;
  std::string name;      // of [[run]]
  std::string instance;  // its name
  std::string role;      // "CA" or "RA"
  std::string version;   // of the program
  std::string settings;  // SHA-256 of the settings file, hexadecimal
  std::string who;       // the account, or "schedule"
  RunEnd end = RunEnd::done;
  std::string why;                        // of every end but `done`
  std::string hint;                       // how to go on then
  std::optional<std::int64_t> continues;  // the stopped run that it goes on with
  std::optional<Time> planned;            // by the schedule
  Time started{}, ended{};
  std::int64_t resumed = 0;  // times it was killed and went on

  RunCounts counts;  // sums over the items
  std::uint64_t follow_ups =
      0;                       // certConf, pollReq, ...: messages that are no requests of their own
  std::uint64_t unlisted = 0;  // refused, but no item: the list of refusals was full
  std::uint64_t waiting_above = 0;  // of those that are `waiting`: for a CA above, not for people
  std::uint64_t still_waiting = 0;  // requests in the queue that were not worked on
  // Of earlier runs, or of none: held on its channels, and undecided by people.
  std::uint64_t held_before = 0, undecided_before = 0;
  std::uint64_t sent = 0, still_to_send = 0, for_the_courier = 0, not_sendable = 0;  // answers
  std::uint64_t issued = 0, revoked = 0;  // certificates; revoked: as requests have asked for
  std::string first_serial, last_serial;  // of those issued; empty: none

  struct Audit {
    std::int64_t first = 0, last = 0;  // records, both included; last < first: none
    std::string hash;                  // of the last one, hexadecimal
  } audit;
  struct Crl {
    std::string number;
    Time this_update{}, next_update{};
  };
  std::optional<Crl> crl;  // an RA has none
  // What ends when: "CA certificate", "CMP certificate of the RA", ...
  std::vector<std::pair<std::string, Time>> ends;
  // SHA-256 of the settings of each profile, hexadecimal.
  std::vector<std::pair<std::string, std::string>> profiles;
  struct Channel {
    std::string name, kind;
    RunCounts counts;
    std::string trouble;  // it could not be read, or not be written to
  };
  std::vector<Channel> channels;
  std::vector<std::pair<Time, RunCounts>> hours;  // each begins at the Time; without gaps
  std::vector<std::pair<std::string, std::uint64_t>>
      reasons;  // refusals by PKIFailureInfo, most first
  struct Past {
    std::int64_t number = 0;
    Time started{};
    RunEnd end = RunEnd::done;
    RunCounts counts;
  };
  std::vector<Past> before;  // of the same name, the oldest first, 29 at most
  std::optional<Time> next_run;
  std::vector<std::uint64_t>
      expiring;  // certificates that expire in this and each following month, 12
};

// Hands over the items in their order, any number of times: a report may be a million lines long.
using RunItems =
    std::function<Result<void>(const std::function<Result<void>(const RunItem&)>& each)>;

}  // namespace cmpost
