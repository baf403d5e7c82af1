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

// All that will come of them has. The decision about a batch with late members is made in between.
void wait_for_batches(const Group& group) {
  const bool late = std::ranges::any_of(
      group, [](const auto& item) { return item.members && !item.members->late().empty(); });
  for (const auto& item : group) {
    if (item.members) late ? item.members->wait_for_others() : item.members->wait_for_end();
  }
}

void end_batches(const Group& group) {
  for (const auto& item : group) {
    if (item.members) item.members->end_late();
  }
  for (const auto& item : group) {
    if (item.members) item.members->wait_for_end();
  }
}

// After its end.
bool changes_crl(const WorkedOn& item) {
  return item.decision->effects.changes_crl() || (item.members && item.members->changes_crl());
}

// Some decision in it that took effect does.
bool changes_crl(const Group& group, const Fates& fates) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (fates[i].applied && group[i].decision && changes_crl(group[i])) return true;
  }
  return false;
}

const Job* reply_of(const WorkedOn& item) {
  const auto* reply = item.decision ? std::get_if<Decision::Reply>(&item.decision->what) : nullptr;
  return reply != nullptr ? &reply->job : nullptr;
}

// Of an RA: what goes up, whether there is an answer down or not.
void add_departures(const WorkedOn& item, Spool::Exchange& exchange) {
  const auto add = [&](const Effects& effects) {
    for (const auto& message : effects.send_up) {
      if (message.state != UpstreamState::made) continue;
      exchange.more.push_back(departure_of(message));
      exchange.replies.push_back(&exchange.more.back());
    }
  };
  if (item.decision) add(item.decision->effects);
  if (item.members) item.members->for_each(add);
}

Spool::Exchange exchange_of(const Group& group, const Fates& fates) {
  Spool::Exchange exchange;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!fates[i].applied) continue;
    add_departures(group[i], exchange);
    const auto* reply = reply_of(group[i]);
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
  if (is_refusal(decision.result)) {
    log::info("request.refused", {{"job", decision.job.text()},
                                  {"channel", item.lease.job.envelope.channel},
                                  {"source", item.lease.job.envelope.source},
                                  {"tid", decision.tid},
                                  {"outcome", decision.outcome}});
  }
}

// One attempt to apply a group, inside a commit.
class Application {
 public:
  Application(Group& group, const ProcessorServices& services, LedgerWriter& writer, Time now,
              Patience& patience)
      : group_(group), services_(services), writer_(writer), now_(now), patience_(patience) {}

  Result<Fates> run() {
    Fates fates;
    for (auto& item : group_) {
      ASSIGN_OR_RETURN(auto fate, apply_one(item));
      fates.push_back(std::move(fate));
    }
    return fates;
  }

 private:
  Result<Fate> apply_one(WorkedOn& item) {
    if (item.contest.is_decided_alone()) return decide_alone(item);
    if (item.members) return apply_batch(item);
    return item.decision ? apply_effects(item.decision->effects) : Fate{};
  }

  Result<Fate> apply_effects(const Effects& effects) {
    ASSIGN_OR_RETURN(auto conflict, apply(effects, writer_, now_));
    const bool applied = !conflict;
    return Fate{applied, std::move(conflict), {}};
  }

  // On what the commit has written so far: where that conflicts, it does so with itself.
  Result<Fate> decide_alone(WorkedOn& item) {
    auto ledger = writer_.reader();
    item.decision = respond_alone(item.lease, ledger, services_, item.turn);
    if (!item.decision) return Fate{};
    ASSIGN_OR_RETURN(const auto fate, apply_effects(item.decision->effects));
    if (fate.applied) return fate;
    item.decision = refuse_for(*fate.conflict, item.lease, ledger, services_);
    if (!item.decision) return Fate{};
    ASSIGN_OR_RETURN(const auto refused, apply_effects(item.decision->effects));
    if (!refused.applied) item.decision = hold("its refusal conflicts with itself");
    return Fate{};
  }

  // All members of a batch and the whole, or nothing.
  Result<Fate> apply_batch(WorkedOn& item) {
    auto& connection = writer_.connection();
    TRY(connection.execute("SAVEPOINT one_batch"));
    auto fate = apply_members(item);
    if (!fate) return fate;  // the whole commit is given up
    item.members->end_late();
    if (!fate->applied) {
      TRY(connection.execute("ROLLBACK TO one_batch"));
      writer_.forget();
    }
    TRY(connection.execute("RELEASE one_batch"));
    return fate;
  }

  // The members come first: the decision about the whole is made when all of them are answered.
  Result<Fate> apply_members(WorkedOn& item) {
    auto& members = *item.members;
    Fate fate;
    MessageRows rows(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members.is_late(i)) continue;
      const auto effects = members.wait_for(i, patience_.until);
      if (!effects) {
        patience_.is_over = true;
        return retry("a batch takes longer than it seemed to");
      }
      TRY(apply_member(i, *effects, rows, fate));
      if ((i + 1) % kWriteAhead == 0) writer_.connection().write_ahead();
    }
    if (fate.applied) TRY(apply_late(members, rows, fate));
    if (!fate.applied) return fate;
    members.end_late();
    members.wait_for_end();
    if (!item.decision) return Fate{false, {}, {}};
    ASSIGN_OR_RETURN(fate.conflict, apply(item.decision->effects, writer_, now_, rows));
    fate.applied = !fate.conflict;
    return fate;
  }

  // Goes on after a conflict: all that lose are to be known.
  Result<void> apply_member(std::size_t member, const Effects* effects, MessageRows& rows,
                            Fate& fate) {
    if (effects == nullptr) {
      fate.applied = false;
      return {};
    }
    MessageRows row;
    ASSIGN_OR_RETURN(auto conflict, apply(*effects, writer_, now_, row));
    if (!conflict) {
      rows[member] = row.front();
      return {};
    }
    fate.applied = false;
    fate.lost.push_back(member);
    fate.conflict = std::move(conflict);
    return {};
  }

  // Each is judged after those before it. What conflicts even so excludes itself.
  Result<void> apply_late(MemberStream& members, MessageRows& rows, Fate& fate) {
    for (const auto member : members.late()) {
      auto ledger = writer_.reader();
      TRY(apply_member(member, members.judge(member, ledger), rows, fate));
      if (fate.applied || fate.lost.empty()) continue;
      const auto* refused = members.refuse(member, ledger, *fate.conflict);
      fate = {};
      TRY(apply_member(member, refused, rows, fate));
    }
    return {};
  }

  Group& group_;
  const ProcessorServices& services_;
  LedgerWriter& writer_;
  const Time now_;
  Patience& patience_;
};

}  // namespace

// Which decisions took effect: those that did not are to be made again. The answers are on their
// way to the spool while the ledger commits, unless a CRL has to come first, which is for others to
// make and to announce, or a batch that is to be answered again is still worked on.
Result<Fates> GroupCommit::write_ledger(Group& group, Handover& handover) {
  Fates fates(group.size());
  const auto is_trouble = [](const auto& item) {
    return !item.members && !item.decision && !item.contest.is_decided_alone();
  };
  if (std::ranges::all_of(group, is_trouble)) return fates;
  for (const auto& item : group) {
    if (item.members) item.members->wait_until_soon();
  }
  const auto now = services_.likely.now();
  Patience patience;
  const auto write = [&](LedgerWriter& writer) -> Result<void> {
    patience = {};
    ASSIGN_OR_RETURN(fates, Application(group, services_, writer, now, patience).run());
    const bool all = std::ranges::all_of(fates, &Fate::applied);
    if (all && !changes_crl(group, fates)) handover.begin(exchange_of(group, fates));
    return {};
  };
  auto written = ledger_.write(write);
  if (patience.is_over) {
    wait_for_batches(group);
    written = ledger_.write(write);
  }
  end_batches(group);
  TRY(written);
  return fates;
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
  const auto due = services_.likely.now() + backoff(item.lease.attempts, services_.random);
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

// It is planned again, on what it has lost to or inside the next commit.
Result<void> GroupCommit::settle_contested(WorkedOn& item, Fate& fate, Committed& committed) {
  auto& contest = item.contest;
  const bool batch = item.members && item.members->size() > 0;
  ++contest.times;
  if (batch && fate.lost.empty()) ++contest.whole;
  contest.lost.insert(fate.lost.begin(), fate.lost.end());
  contest.last = std::move(fate.conflict);
  ++committed.contested;
  log::write(contest.times == 1 ? log::Level::info : log::Level::warning, "request.contested",
             {{"job", item.lease.job.id.text()},
              {"source", item.lease.job.envelope.source},
              {"conflict", to_string(*contest.last)},
              {"members", contest.lost.size()},
              {"times", contest.times}});
  if (contest.times >= Contest::kMostPlans) {
    ++committed.held;
    return spool_.requests().hold(item.lease.job.id,
                                  "it conflicts again and again: " + to_string(*contest.last));
  }
  committed.redo.push_back({std::move(item.lease), std::move(contest)});
  return {};
}

// What a message was taken apart into is durable before it is finished.
Result<std::size_t> GroupCommit::put_more(const Group& group, const Fates& fates) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!fates[i].applied || !group[i].decision || group[i].decision->more.empty()) continue;
    const auto& more = group[i].decision->more;
    TRY(spool_.requests().put(more));
    count += more.size();
  }
  return count;
}

Result<Committed> GroupCommit::commit(Group& group) {
  Handover handover(spool_);
  ASSIGN_OR_RETURN(auto fates, write_ledger(group, handover));
  Committed committed;
  committed.changes_crl = changes_crl(group, fates);
  if (committed.changes_crl && after_revocation_) after_revocation_();
  if (!handover.has_begun()) handover.begin(exchange_of(group, fates));
  handover.commit();
  const bool batch = has_batch(group);
  const auto tidying = batch ? tidy_ledger() : std::future<void>();
  TRY(handover.finish());
  ASSIGN_OR_RETURN(committed.more, put_more(group, fates));

  std::map<std::string, std::vector<JobId>> silent;  // by the reason
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto& item = group[i];
    if (fates[i].conflict) {
      TRY(settle_contested(item, fates[i], committed));
    } else if (!item.decision) {
      TRY(settle_failed(item, committed));
    } else if (reply_of(item) != nullptr) {
      ++committed.answered;
      committed.refused += is_refusal(item.decision->result) ? 1 : 0;
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
