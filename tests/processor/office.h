// The CA under test with its queues: requests go in, the processor works, answers come out.
#pragma once

#include "processor/approval.h"
#include "processor/processor.h"
#include "processor/timers.h"
#include "tests/processor/messages.h"

namespace cmpost {

class Office : public CaUnderTest {
 public:
  using CaUnderTest::CaUnderTest;

  std::size_t workers = 1;

  void put(const Bytes& der, std::string_view stem = "request") {
    const auto job = arrival(der).job;
    Job named = job;
    named.envelope.reply.name = stem;
    must(spool->requests().put({&named, 1}));
  }

  // Until nothing is left to do.
  ProcessorTotals work() {
    auto processor =
        must(Processor::create(*spool, *ledger, services(), {.workers = workers}, [] {}));
    return must(processor->drain({}));
  }

  // The answers that were to leave, which now have.
  std::vector<Job> sent() {
    std::vector<Job> jobs;
    std::vector<JobId> ids;
    for (auto& lease : must(spool->replies().take(100'000))) {
      ids.push_back(lease.job.id);
      jobs.push_back(std::move(lease.job));
    }
    must(spool->replies().finish(ids, "sent"));
    return jobs;
  }

  // What one message gets, all the way; empty: silence.
  std::vector<Bytes> post(const Bytes& der) {
    put(der);
    work();
    std::vector<Bytes> answers;
    for (auto& job : sent()) answers.push_back(std::move(job.payload));
    return answers;
  }
  // The one answer that comes.
  PKIMessage talk(const Bytes& der) { return only(post(der)); }
  static PKIMessage only(const std::vector<Bytes>& answers) {
    EXPECT_THAT(answers, ::testing::SizeIs(1));
    if (answers.empty()) return {};
    auto message = cmpost::decode(answers.front());
    if (!message) ADD_FAILURE() << message.error().text();
    return message.value_or(PKIMessage{});
  }

  Transaction transaction(const Bytes& tid) {
    auto found = must(TransactionTable(reader->connection()).find(ByteView(tid)));
    if (!found) ADD_FAILURE() << "no transaction " << to_hex(tid);
    return found.value_or(Transaction{});
  }
  Decided say(const Bytes& tid, bool approves, std::string who = "alice",
              std::optional<std::int64_t> certReqId = {}, std::string reason = {}) {
    Vote vote;
    vote.approves = approves;
    vote.who = std::move(who);
    vote.reason = std::move(reason);
    return must(cmpost::decide(*spool, *ledger, &channels.at("drop").settings, clock,
                               transaction(tid), {certReqId, {}}, vote))
        .decided;
  }
  // What waits of it, as whoever decides sees it.
  std::vector<WaitingPart> waiting_parts(const Bytes& tid) {
    auto waiting = must(WaitTable(reader->connection()).find(transaction(tid).id));
    return waiting ? waiting->parts : std::vector<WaitingPart>();
  }
  // The answers that leave after it.
  std::vector<Bytes> work_and_send() {
    work();
    std::vector<Bytes> answers;
    for (auto& job : sent()) answers.push_back(std::move(job.payload));
    return answers;
  }
  void timers() { must(run_timers(*spool, *ledger, services())); }
};

inline PKIBody poll_req(std::int64_t certReqId) { return body::pollReq{{{certReqId}}}; }

}  // namespace cmpost
