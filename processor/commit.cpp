#include "processor/commit.h"

#include <algorithm>
#include <map>

#include "base/log.h"

namespace cmpost {
namespace {

constexpr std::int64_t kLongLog = 16 << 20;
constexpr std::size_t kWriteAhead = 512;  // members, some 2 MB of log

// Who else wants to write to the ledger gives up after ten seconds (open_database()). A batch that
// takes longer than it seemed to is written when it has ended.
constexpr auto kLongestHold = std::chrono::seconds(4);

// How long the ledger may be kept locked for members that are still answered.
struct Patience {
  MemberStream::Moment until = std::chrono::steady_clock::now() + kLongestHold;
  bool is_over = false;
};

// False: one of them conflicts, or does not come.
Result<bool> apply_each(MemberStream& members, LedgerWriter& writer, Time now, Patience& patience,
                        MessageRows& rows) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto effects = members.wait_for(i, patience.until);
    if (!effects) {
      patience.is_over = true;
      return retry("a batch takes longer than it seemed to");
    }
    if (*effects == nullptr) return false;
    ASSIGN_OR_RETURN(const bool applied, apply(**effects, writer, now, rows));
    if (!applied) return false;
    if ((i + 1) % kWriteAhead == 0) writer.connection().write_ahead();
  }
  return true;
}

// The members come first: the decision about the whole is made when all of them are answered.
Result<bool> apply_all(const WorkedOn& item, LedgerWriter& writer, Time now, Patience& patience) {
  MessageRows rows;
  ASSIGN_OR_RETURN(const bool applied, apply_each(*item.members, writer, now, patience, rows));
  if (!applied) return false;
  item.members->wait_for_end();
  return item.decision ? apply(item.decision->effects, writer, now, rows) : false;
}

// All members of a batch and the whole, or nothing.
Result<bool> apply_batch(const WorkedOn& item, LedgerWriter& writer, Time now, Patience& patience) {
  auto& connection = writer.connection();
  TRY(connection.execute("SAVEPOINT one_batch"));
  auto applied = apply_all(item, writer, now, patience);
  if (!applied) return applied;  // the whole commit is given up
  if (!*applied) {
    TRY(connection.execute("ROLLBACK TO one_batch"));
    writer.forget();
  }
  TRY(connection.execute("RELEASE one_batch"));
  return applied;
}

// Which decisions take effect, into `applied`.
Result<void> apply_group(const Group& group, LedgerWriter& writer, Time now, Patience& patience,
                         std::vector<bool>& applied) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& item = group[i];
    if (item.members) {
      ASSIGN_OR_RETURN(applied[i], apply_batch(item, writer, now, patience));
    } else if (item.decision) {
      ASSIGN_OR_RETURN(applied[i], apply(item.decision->effects, writer, now));
    }
  }
  return {};
}

void wait_for_batches(const Group& group) {
  for (const auto& item : group) {
    if (item.members) item.members->wait_for_end();
  }
}

// After its end.
bool changes_crl(const WorkedOn& item) {
  return item.decision->effects.changes_crl() || (item.members && item.members->changes_crl());
}

// Some decision in it that took effect does.
bool changes_crl(const Group& group, const std::vector<bool>& applied) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (applied[i] && group[i].decision && changes_crl(group[i])) return true;
  }
  return false;
}

const Job* reply_of(const WorkedOn& item) {
  const auto* reply = item.decision ? std::get_if<Decision::Reply>(&item.decision->what) : nullptr;
  return reply != nullptr ? &reply->job : nullptr;
}

Spool::Exchange exchange_of(const Group& group, const std::vector<bool>& applied) {
  Spool::Exchange exchange;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto* reply = applied[i] ? reply_of(group[i]) : nullptr;
    if (reply == nullptr) continue;
    exchange.answered.push_back(group[i].lease.job.id);
    exchange.replies.push_back(reply);
  }
  return exchange;
}

bool has_batch(const Group& group) {
  return std::ranges::any_of(
      group, [](const auto& item) { return item.members && item.members->size() > 0; });
}

void log_decision(const WorkedOn& item) {
  const auto& decision = *item.decision;
  log::debug("request.done", {{"job", decision.job.text()},
                              {"channel", item.lease.job.envelope.channel},
                              {"source", item.lease.job.envelope.source},
                              {"tid", decision.tid},
                              {"outcome", decision.outcome}});
  if (decision.refused) {
    log::info("request.refused", {{"job", decision.job.text()},
                                  {"channel", item.lease.job.envelope.channel},
                                  {"source", item.lease.job.envelope.source},
                                  {"tid", decision.tid},
                                  {"outcome", decision.outcome}});
  }
}

}  // namespace

// Which decisions took effect: those that did not are to be made again. The answers are on their
// way to the spool while the ledger commits, unless a CRL has to come first, which is for others to
// make and to announce, or a batch that is to be answered again is still worked on.
Result<std::vector<bool>> GroupCommit::write_ledger(const Group& group, Handover& handover) {
  std::vector<bool> applied(group.size(), true);
  const auto is_trouble = [](const auto& item) { return !item.members && !item.decision; };
  if (std::ranges::all_of(group, is_trouble)) return applied;
  for (const auto& item : group) {
    if (item.members) item.members->wait_until_soon();
  }
  const auto now = services_.clock.now();
  Patience patience;
  const auto write = [&](LedgerWriter& writer) -> Result<void> {
    patience = {};
    TRY(apply_group(group, writer, now, patience, applied));
    const bool all = std::ranges::all_of(applied, std::identity());
    if (all && !changes_crl(group, applied)) handover.begin(exchange_of(group, applied));
    return {};
  };
  auto written = ledger_.write(write);
  wait_for_batches(group);
  if (patience.is_over) written = ledger_.write(write);
  TRY(written);
  return applied;
}

// A large batch leaves long logs, and the next one would hardly change the same pages again. That
// of the ledger is taken in while the spool commits, that of the spool while the answers leave.
std::future<void> GroupCommit::tidy_ledger() {
  if (ledger_.log_size() < kLongLog) return {};
  // By the default policy: where no thread can be had it is not done.
  return std::async([this] {
    const auto done = ledger_.checkpoint();
    if (!done) log::warning("ledger.log_stays", {{"error", to_string(done.error())}});
  });
}

void GroupCommit::tidy_spool() {
  if (spool_.log_size() < kLongLog) return;
  const auto done = spool_.checkpoint();
  if (!done) log::warning("spool.log_stays", {{"error", to_string(done.error())}});
}

// A request that could not be worked on for a reason of ours.
Result<void> GroupCommit::settle_failed(const WorkedOn& item, Committed& committed) {
  const auto& id = item.lease.job.id;
  const auto& error = item.decision.error();
  log::error("request.failed", {{"job", id.text()},
                                {"source", item.lease.job.envelope.source},
                                {"error", to_string(error)}});
  if (error.recovery == Recovery::hold) {
    ++committed.held;
    return spool_.requests().hold(id, to_string(error));
  }
  ++committed.deferred;
  const auto due = services_.clock.now() + backoff(item.lease.attempts, services_.random);
  return spool_.requests().defer(id, due, to_string(error));
}

// the first time it stays leased, later the queue keeps it.
Result<void> GroupCommit::settle_early(const WorkedOn& item, const Decision::Early& early,
                                       Committed& committed) {
  if (item.turn == Turn::first) {
    committed.early.push_back(item.lease);
    return {};
  }
  ++committed.deferred;
  return spool_.requests().defer(item.lease.job.id, early.due, early.reason);
}

Result<Committed> GroupCommit::commit(Group& group) {
  Handover handover(spool_);
  ASSIGN_OR_RETURN(const auto applied, write_ledger(group, handover));
  Committed committed;
  committed.changes_crl = changes_crl(group, applied);
  if (committed.changes_crl && after_revocation_) after_revocation_();
  if (!handover.has_begun()) handover.begin(exchange_of(group, applied));
  handover.commit();
  const bool batch = has_batch(group);
  const auto tidying = batch ? tidy_ledger() : std::future<void>();
  TRY(handover.finish());

  std::map<std::string, std::vector<JobId>> silent;  // by the reason
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto& item = group[i];
    if (!item.decision) {
      TRY(settle_failed(item, committed));
    } else if (!applied[i]) {
      committed.redo.push_back(item.lease);
    } else if (reply_of(item) != nullptr) {
      ++committed.answered;
      committed.refused += item.decision->refused ? 1 : 0;
      log_decision(item);
    } else if (const auto* held = std::get_if<Decision::Hold>(&item.decision->what)) {
      ++committed.held;
      log::warning("request.held", {{"job", item.lease.job.id.text()},
                                    {"source", item.lease.job.envelope.source},
                                    {"reason", held->reason}});
      TRY(spool_.requests().hold(item.lease.job.id, held->reason));
    } else if (const auto* early = std::get_if<Decision::Early>(&item.decision->what)) {
      TRY(settle_early(item, *early, committed));
    } else {
      ++committed.silent;
      silent["nothing to answer: " + item.decision->outcome].push_back(item.lease.job.id);
      log_decision(item);
    }
  }
  for (const auto& [why, ids] : silent) TRY(spool_.requests().finish(ids, why));
  if (batch) tidy_spool();
  group.clear();  // of a large batch that takes a while, and the ledger is still being tidied
  return committed;
}

}  // namespace cmpost
