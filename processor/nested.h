// nested: a protection added by a registration authority (RFC 9483 5.2.2.1), or a batch of requests
// (5.2.2.2)., the receiving side.
#pragma once

#include <memory>

#include "cmp/nesting.h"
#include "processor/member_stream.h"
#include "processor/responder.h"

namespace cmpost {

// One nested message. The members of a batch are worked on in two passes, by any number of threads:
// check() for each, then judge(), then answer() for each, then close(). Nothing is issued before
// all have been checked. The lease outlives it.
class Nested {
 public:
  Nested(const Lease& lease, Turn turn, LedgerReader& ledger, const ProcessorServices& services);

  // The message itself: its form, its depth (before any cryptography), its header and protection.
  void open();
  // Members to work on; none when the whole has been found wanting.
  std::size_t size() const { return members_.size(); }
  // Each member once; several at the same time.
  void check(std::size_t member, LedgerReader& ledger);
  // What is wrong with the members together: transactionIDs and nonces that come twice. On a strict
  // channel one wrong member is a fault of the whole.
  void judge();
  // After judge(): what the members of a batch change, as answer() finds it, so that it can be
  // written before the end. Of nobody where the whole is refused or is no batch.
  const std::shared_ptr<MemberStream>& changes() const { return changes_; }
  void answer(std::size_t member, LedgerReader& ledger);
  // The answer to all: un-nested for an added protection, else one response for each request in
  // their order. The first Error of ours, if there was one. The caller ends changes() when
  // it has put the decision where the committing thread looks.
  Result<Decision> close(LedgerReader& ledger);

 private:
  struct Member {
    JobId job;
    ByteView der;
    std::unique_ptr<Responder> outer;      // of an added protection
    std::unique_ptr<Responder> responder;  // who answers; the same where there is none
    Bytes reply;
    bool refused = false;
    std::optional<Error> error;
  };

  Checked<void> check_whole() const;
  void take_members();
  void refuse_repeated();
  Arrival arrival(const JobId& job, ByteView der) const;
  void check_endorsed(Member& member, LedgerReader& ledger);
  Result<Decision> refuse_whole(const Rejection& rejection, LedgerReader& ledger);

  const Lease& lease_;
  const Turn turn_;
  const ProcessorServices& services_;
  Responder whole_;
  std::vector<Member> members_;
  std::shared_ptr<MemberStream> changes_;
  std::optional<Decision> only_;  // of the message in an added protection
  bool batch_ = false;
  bool strict_ = false;
  std::optional<Rejection> fault_;
  std::optional<Error> error_;
};

}  // namespace cmpost
