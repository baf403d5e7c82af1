#include "processor/upstream_timers.h"

#include <algorithm>

#include "base/log.h"
#include "processor/order_lists.h"
#include "processor/orphans.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

constexpr std::size_t kMessagesAtATime = 500;

// The same for all, that of [ra].
Duration answer_within(const ProcessorServices& services, const std::string& channel) {
  const auto found = services.channels.find(channel);
  if (found != services.channels.end()) return found->second.settings.upstream.answer_within;
  for (const auto& [name, other] : services.channels) {
    if (other.settings.direction == Direction::upstream) {
      return other.settings.upstream.answer_within;
    }
  }
  return RaSettings().upstream_within;
}

// There shall be time to ask for the own certificate again, and once more, before the present one
// ends.
Duration own_within(const ProcessorServices& services, Duration usual, Time left) {
  constexpr Duration kLeast = std::chrono::minutes(1);
  const Duration life = services.identity.certificate.not_after() - left;
  return life <= Duration::zero() ? usual : std::min(usual, std::max(life / 3, kLeast));
}

// What a person is to revoke for us stays to be done.
std::optional<Time> answer_due(const ProcessorServices& services, const UpstreamMessage& message,
                               Time left) {
  if (message.mode == UpstreamMode::pkcs10 && !message.question) return std::nullopt;
  const auto within = answer_within(services, message.channel);
  return left + (message.renewal == 0 ? within : own_within(services, within, left));
}

struct Departure {
  std::optional<Time> left;  // nullopt while it is on its way, or ...
  bool dropped = false;      // it has not left, and will not: a person has dropped it
};

// What no queue knows is put (again).
template <typename MakeJob>
Result<Departure> find_departure(JobQueue& replies, const JobId& id, Time now,
                                 const MakeJob& make_job) {
  ASSIGN_OR_RETURN(const auto status, replies.find(id));
  if (!status) {
    ASSIGN_OR_RETURN(const Job job, make_job());
    TRY(replies.put(std::span(&job, 1)));
    return Departure{};
  }
  if (status->state != JobState::done) return Departure{};
  if (status->dropped) return Departure{std::nullopt, true};
  return Departure{std::min(status->ended.value_or(now), now)};
}

Result<Departure> end_departure(JobQueue& replies, const UpstreamMessage& message, Time now) {
  const auto id = message.job();
  ASSIGN_OR_RETURN(const auto status, replies.find(id));
  if (!status) return Departure{std::nullopt, true};
  if (status->state == JobState::done && !status->dropped) {
    return Departure{std::min(status->ended.value_or(now), now)};
  }
  if (status->state == JobState::done) return Departure{std::nullopt, true};
  ASSIGN_OR_RETURN(const bool dropped, replies.drop(id, "what it is about has ended"));
  if (dropped) {
    log::info("upstream.not_sent",
              {{"tid", to_hex(message.transactionID)},
               {"channel", message.channel},
               {"body", message.body},
               {"reason", "it has ended: " + std::string(to_string(message.state))}});
  }
  return Departure{std::nullopt, dropped};
}

Result<void> note_departures(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  const auto now = services.likely.now();
  std::int64_t after = 0;
  while (true) {
    ASSIGN_OR_RETURN(const auto unsent,
                     UpstreamTable(reader->connection()).unsent(after, kMessagesAtATime));
    std::vector<std::pair<const UpstreamMessage*, Time>> departed;
    std::vector<Job> not_sent;
    for (const auto& message : unsent) {
      const auto whole = [&]() -> Result<Job> {
        ASSIGN_OR_RETURN(const auto found, UpstreamTable(reader->connection()).find(message.id));
        if (!found) return hold("the ledger has lost a message to a CA");
        return departure_of(*found);
      };
      ASSIGN_OR_RETURN(const auto found,
                       find_departure(spool.replies(), message.job(), now, whole));
      if (found.left) departed.emplace_back(&message, *found.left);
      if (found.dropped) not_sent.push_back(upstream_job(message, kNotSent));
    }
    if (!not_sent.empty()) TRY(spool.requests().put(not_sent));
    if (!departed.empty()) {
      TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
        for (const auto& [message, left] : departed) {
          TRY(UpstreamTable(writer.connection())
                  .note_left(message->id, left, answer_due(services, *message, left)));
        }
        return {};
      }));
    }
    if (unsent.size() < kMessagesAtATime) return {};
    after = unsent.back().id;
  }
}

// Of what has ended (answered, refused, given up) before it had left nothing leaves any more. What
// is on its way at this moment is looked at again.
Result<void> end_departures(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  const auto now = services.likely.now();
  for (std::int64_t after = 0;;) {
    ASSIGN_OR_RETURN(const auto ended,
                     UpstreamTable(reader->connection()).may_stay(after, kMessagesAtATime));
    std::vector<std::pair<std::int64_t, Departure>> known;
    for (const auto& message : ended) {
      ASSIGN_OR_RETURN(const auto departure, end_departure(spool.replies(), message, now));
      if (departure.left || departure.dropped) known.emplace_back(message.id, departure);
    }
    if (!known.empty()) {
      TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
        UpstreamTable table(writer.connection());
        for (const auto& [id, departure] : known) {
          TRY(departure.left ? table.note_left(id, *departure.left, std::nullopt)
                             : table.note_stays(id));
        }
        return {};
      }));
    }
    if (ended.size() < kMessagesAtATime) return {};
    after = ended.back().id;
  }
}

// The members hear so each by itself; true when all have.
Result<bool> tell_not_sent(Spool& spool, const UpstreamBatch& batch, Connection& connection) {
  ASSIGN_OR_RETURN(const auto members, UpstreamTable(connection).of_batch(batch.id));
  std::vector<Job> jobs;
  for (const auto& one : members) {
    if (is_open(one.state)) jobs.push_back(upstream_job(one, kNotSent));
  }
  if (jobs.empty()) return true;
  TRY(spool.requests().put(jobs));
  return false;
}

Result<void> note_batches(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  const auto now = services.likely.now();
  ASSIGN_OR_RETURN(const auto batches, UpstreamTable(reader->connection()).unsent_batches());
  for (const auto& batch : batches) {
    const auto whole = [&]() -> Result<Job> {
      auto filled = batch;
      ASSIGN_OR_RETURN(filled.octets,
                       UpstreamTable(reader->connection()).octets_of_batch(batch.id));
      return departure_of(filled);
    };
    ASSIGN_OR_RETURN(const auto departed, find_departure(spool.replies(), batch.job(), now, whole));
    auto left = departed.left;
    if (departed.dropped) {
      ASSIGN_OR_RETURN(const bool told, tell_not_sent(spool, batch, reader->connection()));
      if (told) left = now;  // nothing is left of it
    }
    if (!left) continue;
    TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
      return UpstreamTable(writer.connection())
          .note_batch_left(batch.id, *left, *left + answer_within(services, batch.channel));
    }));
  }
  return {};
}

// What has not left, and cannot: its channel is not in the settings. It leaves when that comes back
// in time; its job goes first, so that nothing leaves of which the requester has heard the end.
Result<void> end_stranded(Spool& spool, const std::string& channel, Time before,
                          UpstreamTable& table) {
  for (std::int64_t after = 0;;) {
    ASSIGN_OR_RETURN(const auto staying, table.staying(channel, after, kMessagesAtATime));
    std::vector<Job> jobs;
    for (const auto& message : staying) {
      if (message.made > before) continue;
      TRY(spool.replies().drop(message.job(), "its channel is not in the settings any more"));
      jobs.push_back(upstream_job(message, kNotSent));
    }
    if (!jobs.empty()) TRY(spool.requests().put(jobs));
    if (staying.size() < kMessagesAtATime) return {};
    after = staying.back().id;
  }
}

Result<void> look_for_stranded(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  UpstreamTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto channels, table.open_by_channel());
  for (const auto& one : channels) {
    const auto before = services.sure.now() - answer_within(services, one.channel);
    const auto found = services.channels.find(one.channel);
    const bool leads_up =
        found != services.channels.end() && found->second.settings.direction == Direction::upstream;
    if (leads_up || one.oldest > before) continue;
    TRY(end_stranded(spool, one.channel, before, table));
  }
  return {};
}

Result<void> wake_due(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  const auto now = services.sure.now();
  ASSIGN_OR_RETURN(const auto due, UpstreamTable(reader->connection()).due(now));
  std::vector<Job> jobs;
  for (const auto& message : due) {
    const bool overdue = message.answer_by && *message.answer_by <= now;
    jobs.push_back(upstream_job(message, overdue ? kUnanswered : kAskAgain));
  }
  if (jobs.empty()) return {};
  TRY(spool.requests().put(jobs));
  return {};
}

// Whoever takes the batch has a limit for it, and its answers are larger: half of what we take
// ourselves. One message alone leaves however large it is.
void cut_to_size(std::vector<UpstreamMessage>& collected, std::size_t max_message) {
  std::size_t octets = 0, count = 0;
  for (const auto& one : collected) {
    octets += one.octets.size();
    if (count > 0 && octets > max_message / 2) break;
    ++count;
  }
  collected.resize(count);
}

bool is_due(const UpstreamTable::Collected& collected, const ChannelSettings& channel, Time now) {
  if (collected.messages == 0) return false;
  const auto& settings = channel.upstream;
  return collected.messages >= static_cast<std::int64_t>(settings.batch_most) ||
         collected.octets > static_cast<std::int64_t>(channel.max_message / 2) ||
         (collected.oldest && *collected.oldest + settings.batch_within <= now);
}

// A batch of what has been collected first; how many messages.
Result<std::size_t> wrap_some(Ledger& ledger, const ProcessorServices& services,
                              const ChannelPolicy& channel) {
  const auto now = services.likely.now();
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  ASSIGN_OR_RETURN(auto collected,
                   UpstreamTable(reader->connection())
                       .collected(channel.settings.name, channel.settings.upstream.batch_most));
  if (collected.empty()) return 0;
  cut_to_size(collected, channel.settings.max_message);
  TokenLog tokens;
  Services ours{services.identity, *reader, services.sealing_key, services.random, tokens};
  ASSIGN_OR_RETURN(const auto batch, services.role.wrap(collected, channel, now, ours));
  std::vector<std::int64_t> members;
  for (const auto& one : collected) members.push_back(one.id);
  bool added = false;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(added, UpstreamTable(writer.connection()).add(batch, members));
    return {};
  }));
  if (!added) return 0;  // a requester has ended one of them meanwhile: another time
  log::info("upstream.batch", {{"channel", channel.settings.name}, {"members", members.size()}});
  return members.size();
}

Result<void> wrap_due(Ledger& ledger, const ProcessorServices& services,
                      const ChannelPolicy& channel) {
  while (true) {
    ASSIGN_OR_RETURN(const auto reader, ledger.reader());
    ASSIGN_OR_RETURN(const auto collected,
                     UpstreamTable(reader->connection()).collected(channel.settings.name));
    if (!is_due(collected, channel.settings, services.likely.now())) return {};
    ASSIGN_OR_RETURN(const auto count, wrap_some(ledger, services, channel));
    if (count == 0) return {};
  }
}

}  // namespace

Result<std::size_t> wrap_collected(Ledger& ledger, const ProcessorServices& services,
                                   const ChannelPolicy& channel) {
  std::size_t all = 0;
  while (true) {
    ASSIGN_OR_RETURN(const auto count, wrap_some(ledger, services, channel));
    if (count == 0) return all;
    all += count;
  }
}

Result<void> tend_upstream(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  for (const auto& [name, channel] : services.channels) {
    if (channel.settings.direction != Direction::upstream) continue;
    // The others, and all that is due, are looked at all the same.
    if (const auto done = wrap_due(ledger, services, channel); !done) {
      log::error("upstream.no_batch", {{"channel", name}, {"error", to_string(done.error())}});
    }
  }
  TRY(end_departures(spool, ledger, services));
  TRY(note_departures(spool, ledger, services));
  TRY(note_batches(spool, ledger, services));
  TRY(look_for_stranded(spool, ledger, services));
  TRY(wake_due(spool, ledger, services));
  TRY(revoke_wanted(ledger, services));
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  return write_order_lists(*reader, services.channels);
}

}  // namespace cmpost
