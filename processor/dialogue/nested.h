// nested: a protection added by a registration authority (RFC 9483 5.2.2.1), or a batch of requests
// (5.2.2.2)., the receiving side.
#pragma once

#include <atomic>
#include <memory>

#include "cmp/nesting.h"
#include "processor/dialogue/responder.h"
#include "processor/transaction/member_stream.h"

namespace cmpost {

// One nested message. It is worked on in two passes, by any number of threads: open(), check() for
// each part, then judge(), then answer() for each member, then close(). Nothing is issued before
// all have been checked. The lease outlives it.
class Nested {
 public:
  Nested(const Lease& lease, Turn turn, const ProcessorServices& services,
         const Contest& contest = {});

  // The form of the message and its depth, before any cryptography.
  void open();
  // What there is to check: the message as a whole, and its members by and by. None when its form
  // is wrong.
  std::size_t parts() const;
  // Each part once, several at the same time, the first one first: it is the whole, its header and
  // protection, and takes long for a large batch. Where that is found wanting the rest is skipped,
  // so what a stranger's batch costs is bounded by the time that one digest of it takes.
  void check(std::size_t part, LedgerReader& ledger);
  // What is wrong with the members together: transactionIDs and nonces that come twice. On a strict
  // channel one wrong member is a fault of the whole.
  void judge();
  // After judge(): members to answer; none when the whole is refused.
  std::size_t size() const { return members_.size(); }
  // After judge(): what the members of a batch change, as answer() finds it, so that it can be
  // written before the end. Of nobody where the whole is refused or is no batch. Its late members
  // are answered by who takes them.
  const std::shared_ptr<MemberStream>& changes() const { return changes_; }
  void answer(std::size_t member, LedgerReader& ledger);
  // The answer to all: un-nested for an added protection, else one response for each request in
  // their order. The first Error of ours, if there was one. Waits for those who are late.
  // The caller ends changes() when it has put the decision where the committing thread looks.
  Result<Decision> close(LedgerReader& ledger);

 private:
  struct Member {
    JobId job;  // in a batch one of its own
    ByteView der;
    std::unique_ptr<Responder> outer;      // of an added protection
    std::unique_ptr<Responder> responder;  // who answers; the same where there is none
    std::size_t tid_hash = 0, nonce_hash = 0;
    Bytes reply;
    bool refused = false;
    bool stored = false;  // `reply`, with a transaction of its own
    std::optional<Error> error;
  };

  std::size_t in_a_row() const;
  void take_members();
  void check_whole(LedgerReader& ledger);
  Checked<void> judge_whole() const;
  void read_member(std::size_t index);
  void check_member(Member& member, LedgerReader& ledger);
  std::set<std::size_t> late_members() const;
  void judge_late(std::size_t index, LedgerReader& ledger, const Conflict* conflict);
  std::vector<std::size_t> doubtful() const;
  void refuse_repeated();
  bool is_of_use() const;
  std::ptrdiff_t unreadable() const;
  Arrival arrival(const JobId& job, ByteView der) const;
  void check_endorsed(Member& member, LedgerReader& ledger);
  Result<Decision> refuse_whole(const Rejection& rejection, LedgerReader& ledger);
  void share_replies(Decision& decision) const;

  const Lease& lease_;
  const Turn turn_;
  const ProcessorServices& services_;
  const Contest contest_;
  Responder whole_;
  std::vector<Member> members_;
  std::shared_ptr<MemberStream> changes_;
  std::optional<Decision> only_;  // of the message in an added protection
  bool opened_ = false;
  bool batch_ = false;
  bool asks_ = true;  // somewhere in it is a request
  bool strict_ = false;
  std::atomic<bool> settled_ = false;  // by the whole: nothing in it matters
  std::optional<Rejection> fault_;
  std::optional<Error> error_;
};

}  // namespace cmpost
