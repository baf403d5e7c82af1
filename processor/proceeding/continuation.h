// What is common to all that goes on with a request that has waited: it is read again, its
// requester is verified again, and its answer leaves by itself or waits for a poll.
#pragma once

#include "processor/proceeding/proceeding.h"

namespace cmpost {

// One job about one transaction; one thread.
class Continuation {
 protected:
  Continuation(const JobId& job, const Envelope& envelope, LedgerReader& ledger,
               const ProcessorServices& services)
      : at_(job, envelope, services) {
    at_.ledger = &ledger;
  }

  // After Proceeding::find_transaction(): the message that has opened it.
  Result<void> load_request();
  const PKIHeader& header() const { return question_; }
  const ChannelSettings& channel() const { return at_.request.channel->settings; }
  const Route& route() const { return at_.waiting->envelope.reply; }

  // The requester as it was at `received`, or as it is by now.
  enum class Judged { as_the_channel_says, on_arrival };
  Outcome<void> authenticate_again(Judged judged);

  // The parts of after_ that `answer` decides.
  void note_answers(const Answer& answer, bool overdue);
  // What the header left waits with the message, and is taken when all of that is decided
  // and some of it granted.
  Result<void> take_header_passphrase(const Answer& answer);
  // A final response leaves by itself where the requester does not poll, and only as a whole: a
  // peer that takes the first file for the last must find everything in it. `above`: it is
  // that of a CA above.
  Result<Decision> pass_on(const FromAbove* above = nullptr);
  Decision push_again(const Waiting& waiting);
  // The ids of answers that nobody asks for: each leaves once.
  JobId unasked(std::string_view what) const;

  Proceeding at_;
  Waiting after_;  // at_.waiting, as it will be
  TransactionState before_state_ = TransactionState::waiting;
  PKIHeader question_;
  Sha256 question_digest_{};

 private:
  Result<void> find_question(bool challenged);
  bool decides(const WaitingPart& part, bool overdue) const;
  PKIBody answer_to(const WaitingPart& part, const PKIBody& body) const;
  void ask_again(WaitingPart& part, const WaitingPart& again);
  void store(Effects& effects);
  Result<Bytes> built(ReplyParts reply, const FromAbove* above);
};

}  // namespace cmpost
