#include "processor/timers.h"

#include <algorithm>

#include "base/json_object.h"
#include "base/log.h"
#include "processor/devices/sought_device.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"
#include "processor/upstream_timers.h"

namespace cmpost {
namespace {

constexpr std::size_t kAtATime = 500;

std::optional<JobId> job_id_of(const Bytes& octets) {
  JobId id;
  if (octets.size() != id.octets.size()) return std::nullopt;
  std::ranges::copy(octets, id.octets.begin());
  return id;
}

// When the answer left; nullopt while it is on its way.
Result<std::optional<Time>> departure(JobQueue& replies, const Bytes& reply, Time now) {
  const auto id = job_id_of(reply);
  if (!id) return now;
  ASSIGN_OR_RETURN(const auto job, replies.find(*id));
  if (!job) return now;
  if (job->state != JobState::done) return std::nullopt;
  // Also when a person has dropped it: nobody will confirm what has not left.
  return std::min(job->ended.value_or(now), now);
}

Duration confirm_within(const ProcessorServices& services, const std::string& channel) {
  const auto found = services.channels.find(channel);
  return found == services.channels.end() ? ChannelSettings().confirm_within
                                          : found->second.settings.confirm_within;
}

UnconfirmedRule rule_for(const ProcessorServices& services, const std::string& channel) {
  const auto found = services.channels.find(channel);
  return found == services.channels.end() ? UnconfirmedRule::revoke
                                          : found->second.settings.unconfirmed;
}

AuditEntry unconfirmed_entry(const Transaction& transaction, std::string_view what) {
  return {"transaction.unconfirmed",
          JsonObject().add("tid", to_hex(transaction.transactionID)).add("outcome", what).text()};
}

// nothing has happened but the challenge.
Effects give_up_challenge(const Transaction& transaction) {
  auto after = transaction;
  after.state = TransactionState::closed;
  after.confirm_by.reset();
  Effects effects;
  effects.audit.push_back(unconfirmed_entry(transaction, "challenge not answered"));
  effects.advance = Effects::Advance{std::move(after), transaction.state};
  return effects;
}

// What the end of the time for certConf means.
Result<Effects> plan_end(const Transaction& transaction, UnconfirmedRule rule, const Role& role,
                         Time now, Services& services) {
  if (transaction.state == TransactionState::challenged) return give_up_challenge(transaction);
  Effects effects;
  auto after = transaction;
  after.confirm_by.reset();
  // Not about what its requester has not fetched yet, or has confirmed.
  const auto due = [](const TransactionCertificate& one) {
    return !one.settled && one.delivery == IssueState::delivered;
  };
  auto about = transaction;
  std::erase_if(about.certificates, [&](const auto& one) { return !due(one); });
  ASSIGN_OR_RETURN(effects, role.end(about, rule, now, services));
  if (rule != UnconfirmedRule::alarm) {
    for (auto& certificate : after.certificates) {
      if (due(certificate)) certificate.settled = true;
    }
    if (after.state == TransactionState::open) after.state = TransactionState::closed;
  }
  // An RA refuses nothing where its own protection does not stand before the CA.
  const bool acts = effects.changes_crl() || !effects.send_up.empty();
  const auto what = rule == UnconfirmedRule::revoke ? acts ? "revoked" : "nothing to revoke here"
                    : rule == UnconfirmedRule::keep ? "kept"
                                                    : "alarm";
  effects.audit.push_back(unconfirmed_entry(transaction, what));
  effects.advance = Effects::Advance{std::move(after), transaction.state};
  // Where other parts of the request still wait, their messages must not cross with this.
  if (transaction.state != TransactionState::waiting) return effects;
  ASSIGN_OR_RETURN(effects.waiting, WaitTable(services.ledger.connection()).find(transaction.id));
  if (effects.waiting) ++effects.waiting->version;
  effects.waiting_parts_changed = false;
  return effects;
}

void tell(const Transaction& transaction, UnconfirmedRule rule) {
  const auto level = rule == UnconfirmedRule::alarm ? log::Level::error : log::Level::warning;
  log::write(level, "transaction.unconfirmed",
             {{"tid", to_hex(transaction.transactionID)}, {"channel", transaction.channel}});
}

// The others are looked at all the same.
void tell_not_ended(const Transaction& transaction, const std::string& why) {
  log::error("transaction.not_ended", {{"tid", to_hex(transaction.transactionID)},
                                       {"channel", transaction.channel},
                                       {"error", why}});
}

// Planned inside the commit, so that nothing comes in between. False: it has ended, or has got
// another time, at the last moment.
Result<bool> end_one(const Transaction& overdue, UnconfirmedRule rule, Time now,
                     const ProcessorServices& services, LedgerWriter& writer) {
  auto ledger = writer.reader();
  ASSIGN_OR_RETURN(const auto transaction, TransactionTable(ledger.connection()).find(overdue.id));
  const bool due = transaction && transaction->state != TransactionState::closed &&
                   transaction->confirm_by && *transaction->confirm_by <= now;
  if (!due) return false;
  TokenLog tokens;
  Services local{services.identity, ledger, services.sealing_key, services.random, tokens};
  const auto effects = plan_end(*transaction, rule, services.role, now, local);
  if (!effects && effects.error().recovery == Recovery::hold) {
    tell_not_ended(*transaction, to_string(effects.error()));
    return false;
  }
  if (!effects) return failure(effects.error());
  ASSIGN_OR_RETURN(const auto conflict, apply(*effects, writer, now));
  if (conflict) tell_not_ended(*transaction, to_string(*conflict));
  return !conflict;
}

std::string_view why_due(const Waiting& waiting, Time now) {
  if (waiting.needs_work()) return kVerdictGiven;
  return waiting.decide_by && *waiting.decide_by <= now ? kTimeOver : kInterimDue;
}

}  // namespace

Result<std::size_t> start_confirm_timers(Spool& spool, Ledger& ledger,
                                         const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  TransactionTable table(reader->connection());
  const auto now = services.likely.now();
  std::size_t started = 0;
  for (std::int64_t after = 0;;) {
    ASSIGN_OR_RETURN(const auto unsent, table.unsent(after, kAtATime));
    std::vector<std::pair<const Transaction*, Time>> departed;
    for (const auto& transaction : unsent) {
      ASSIGN_OR_RETURN(const auto left, departure(spool.replies(), transaction.reply, now));
      if (left) departed.emplace_back(&transaction, *left);
    }
    if (!departed.empty()) {
      TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
        for (const auto& [transaction, left] : departed) {
          const auto due = left + confirm_within(services, transaction->channel);
          ASSIGN_OR_RETURN(const bool done,
                           TransactionTable(writer.connection())
                               .start_timer(transaction->id, transaction->reply, due));
          started += done ? 1 : 0;
        }
        return {};
      }));
    }
    if (unsent.size() < kAtATime) return started;
    after = unsent.back().id;
  }
}

Result<std::size_t> end_overdue(Ledger& ledger, const ProcessorServices& services) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  const auto now = services.sure.now();
  TransactionTable table(reader->connection());
  std::size_t ended = 0;
  std::optional<Transaction> last;
  while (true) {
    // What cannot be ended stays, and must not stand before the rest.
    ASSIGN_OR_RETURN(const auto overdue, table.overdue(now, last ? &*last : nullptr, kAtATime));
    for (const auto& transaction : overdue) {
      const auto rule = rule_for(services, transaction.channel);
      bool done = false;
      TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
        ASSIGN_OR_RETURN(done, end_one(transaction, rule, now, services, writer));
        return {};
      }));
      if (!done) continue;
      ++ended;
      tell(transaction, rule);
    }
    if (overdue.size() < kAtATime) return ended;
    last = overdue.back();
  }
}

Result<std::size_t> wake_waiting(Spool& spool, Ledger& ledger, const Clock& sure) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  TransactionTable table(reader->connection());
  WaitTable waits(reader->connection());
  const auto now = sure.now();
  std::size_t woken = 0;
  for (std::int64_t after = 0;;) {
    ASSIGN_OR_RETURN(const auto due, waits.due(now, after, kAtATime));
    std::vector<Job> jobs;
    for (const auto id : due) {
      ASSIGN_OR_RETURN(const auto transaction, table.find(id));
      ASSIGN_OR_RETURN(const auto waiting, waits.find(id));
      if (!transaction || !waiting) continue;
      jobs.push_back(resume_job(transaction->transactionID, *waiting, why_due(*waiting, now)));
    }
    TRY(spool.requests().put(jobs));
    woken += due.size();
    if (due.size() < kAtATime) return woken;
    after = due.back();
  }
}

namespace {

// True where it has waited for that.
Result<bool> release_one(std::int64_t id, Time now, LedgerWriter& writer) {
  auto& connection = writer.connection();
  TRY(KnownDevices(connection).forget_sought(id));
  WaitTable waits(connection);
  ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection).find(id));
  ASSIGN_OR_RETURN(auto waiting, waits.find(id));
  if (!transaction || !waiting || !waiting->is_unlisted()) return false;
  for (auto& part : waiting->parts) {
    if (part.state == PartState::unlisted) part.state = PartState::listed;
  }
  // People have the whole time for it, however long it has waited for its row.
  if (waiting->decide_by)
    *waiting->decide_by += std::max(now - waiting->received, Duration::zero());
  ++waiting->version;
  ASSIGN_OR_RETURN(const bool replaced, waits.replace(*waiting, WaitTable::Parts::changed));
  CHECK(replaced);  // read in the same commit
  const auto entry = listed_entry(*transaction);
  TRY(writer.audit(entry.event, entry.detail));
  return true;
}

}  // namespace

Result<std::size_t> release_listed(Ledger& ledger, Time now) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  std::size_t released = 0;
  while (true) {
    ASSIGN_OR_RETURN(const auto found, KnownDevices(reader->connection()).found(kAtATime));
    if (found.empty()) return released;
    TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
      for (const auto id : found) {
        ASSIGN_OR_RETURN(const bool done, release_one(id, now, writer));
        released += done ? 1 : 0;
      }
      return {};
    }));
  }
}

Result<void> run_timers(Spool& spool, Ledger& ledger, const ProcessorServices& services) {
  TRY(start_confirm_timers(spool, ledger, services));
  TRY(end_overdue(ledger, services));
  TRY(release_listed(ledger, services.sure.now()));
  TRY(wake_waiting(spool, ledger, services.sure));
  return tend_upstream(spool, ledger, services);
}

}  // namespace cmpost
