#include "app/service/run_facts.h"

#include <algorithm>
#include <fstream>

#include "app/instance/channel_kinds.h"
#include "carrier/way_state.h"
#include "crypto/keys/algorithm.h"
#include "processor/runs/stored_facts.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostBefore = 29;

std::size_t open_jobs(const QueueCounts& counts) {
  return counts.waiting + counts.active + counts.deferred;
}

// By every process of the run.
Result<std::uint64_t> count_sent(Spool& spool, const std::string& channel, Time since) {
  const auto none = [](const JobStatus&) -> Result<void> { return {}; };
  ASSIGN_OR_RETURN(const auto count,
                   spool.replies().for_each(
                       {.state = JobState::done, .channel = channel, .worked_since = since}, none));
  return static_cast<std::uint64_t>(count);
}

Result<void> add_queues(Instance& instance, const RunRow& run, RunFacts& facts) {
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  for (const auto& name : run.channels) {
    ASSIGN_OR_RETURN(const auto waiting, spool->requests().pending(name));
    facts.still_waiting += waiting;
    ASSIGN_OR_RETURN(const auto replies, spool->replies().counts_of(name));
    const auto* const channel = instance.settings().channel(name);
    const bool carried = channel != nullptr && channel->courier() != nullptr;
    (carried ? facts.for_the_courier : facts.still_to_send) += open_jobs(replies);
    facts.not_sendable += replies.held;
    ASSIGN_OR_RETURN(const auto sent, count_sent(*spool, name, run.started));
    facts.sent += sent;
  }
  return {};
}

void add_channels(const Instance& instance, const RunRow& run, RunFacts& facts) {
  for (const auto& name : run.channels) {
    const auto* const channel = instance.settings().channel(name);
    if (channel == nullptr) continue;
    facts.channels.push_back({name, std::string(kind_of(*channel).word), {}, {}});
    const auto state = instance.settings().instance.state + "/" + name;
    for (const auto way : {Way::in, Way::out}) {
      const auto seen = read_way(record_of(state, way));
      const bool rests = seen && *seen && (*seen)->condition == WayCondition::rests;
      if (rests) facts.channels.back().trouble = (*seen)->why;
    }
  }
}

Result<void> add_crl(LedgerReader& reader, RunFacts& facts) {
  ListFilter newest;
  newest.newest = true;
  newest.limit = 1;
  const auto take = [&](const LedgerReader::CrlRow& row) -> Result<void> {
    facts.crl = RunFacts::Crl{std::to_string(row.number), row.this_update, row.next_update};
    return {};
  };
  ASSIGN_OR_RETURN(const auto all, reader.for_each_crl(newest, take));
  (void)all;
  return {};
}

Result<void> add_ends(Instance& instance, RunFacts& facts) {
  if (instance.is_ca()) {
    ASSIGN_OR_RETURN(const auto ca, instance.ca_certificate());
    facts.ends.emplace_back("CA certificate", ca.not_after());
  }
  ASSIGN_OR_RETURN(const auto own, Instance::certificate_in(instance.cmp_certificate_file()));
  facts.ends.emplace_back("CMP certificate of the " + facts.role, own.not_after());
  return {};
}

Result<void> add_before(Connection& connection, const RunRow& run, RunFacts& facts) {
  ASSIGN_OR_RETURN(const auto some, RunTable(connection).list(run.name, kMostBefore + 1));
  for (const auto& one : some) {
    if (one.number >= run.number || one.facts.empty()) continue;
    ASSIGN_OR_RETURN(const auto past, parse_facts(one.facts));
    facts.before.push_back({one.number, one.started, one.end, past.counts});
  }
  std::ranges::reverse(facts.before);
  return {};
}

// The section of a profile in the settings, from its header to the next one that is not its own:
// whoever has the file can find it again.
std::vector<std::string> profile_sections(const std::string& file) {
  std::vector<std::string> sections;
  std::ifstream lines(file);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const auto start = line.find_first_not_of(" \t");
    const auto text =
        start == std::string::npos ? std::string_view() : std::string_view(line).substr(start);
    if (text.starts_with("[[profile]]")) {
      sections.emplace_back();
      inside = true;
    } else if (text.starts_with('[')) {
      inside = inside && (text.starts_with("[profile.") || text.starts_with("[[profile."));
    }
    if (inside) sections.back() += line + "\n";
  }
  return sections;
}

void add_profiles(const Settings& settings, RunFacts& facts) {
  const auto sections = profile_sections(settings.file);
  if (sections.size() != settings.profiles.size()) return;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    facts.profiles.emplace_back(settings.profiles[i].name, to_hex(sha256(view_of(sections[i]))));
  }
}

}  // namespace

Result<RunFacts> facts_of(Instance& instance, const RunRow& run, const std::string& settings) {
  RunFacts facts;
  facts.number = run.number;
  facts.name = run.name;
  facts.instance = instance.settings().instance.name;
  facts.role = instance.is_ca() ? "CA" : "RA";
  facts.version = CMPOST_VERSION;
  facts.settings = settings;
  facts.who = run.who;
  facts.continues = run.continues;
  facts.planned = run.planned;
  facts.started = run.started;
  facts.ended = std::chrono::floor<std::chrono::seconds>(instance.clock().now());
  facts.resumed = run.resumed;
  TRY(add_queues(instance, run, facts));
  add_channels(instance, run, facts);
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  if (instance.is_ca()) TRY(add_crl(*reader, facts));
  TRY(add_ends(instance, facts));
  TRY(add_before(reader->connection(), run, facts));
  add_profiles(instance.settings(), facts);
  const auto* const settings_of = instance.settings().run(run.name);
  if (settings_of != nullptr && settings_of->at)
    facts.next_run = settings_of->at->next(facts.ended);
  return facts;
}

Result<std::vector<JobStatus>> held_jobs(Instance& instance, const RunRow& run) {
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  std::vector<JobStatus> held;
  for (const auto& name : run.channels) {
    ASSIGN_OR_RETURN(auto some, spool->requests().list({.state = JobState::held, .channel = name}));
    held.insert(held.end(), std::make_move_iterator(some.begin()),
                std::make_move_iterator(some.end()));
  }
  return held;
}

}  // namespace cmpost
