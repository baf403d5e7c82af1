// One arrival on its way through the processor: can it be read, who is it, and what does it get.
#pragma once

#include <memory>
#include <variant>

#include "processor/dialogue/finding.h"
#include "processor/dialogue/respond.h"
#include "processor/proceeding/proceeding.h"
#include "processor/transaction/polling.h"

namespace cmpost {

// A message and how it came. What it refers to outlives the Responder.
struct Arrival {
  JobId job;  // for a member of a nested message: one of its own
  const Envelope& envelope;
  ByteView der;
  Time arrived{};
  int attempts = 1;
  Turn turn = Turn::first;
  // Of a batch (RFC 9483 5.2.2.2): the job that carries the answer, and its transactionID. Each
  // member gets an answer, and none can wait for another.
  std::optional<JobId> carrier{};
  Bytes batch{};
};

// Three threads may do the three steps, one after the other.
class Responder {
 public:
  Responder(Arrival arrival, const ProcessorServices& services);

  // Its form only: nothing is verified and nothing is looked up.
  void read();
  // After read(). Everything else that can be said without changing anything: its header is
  // right and its protection holds. Never touches the CA key. An Error is ours. Not needed for what
  // is refused anyway.
  Result<void> check(LedgerReader& ledger);
  // A Decision about the whole message, whatever has been found.
  Result<Decision> answer(LedgerReader& ledger);

  // After read(). nullptr: not readable.
  const PKIHeader* header() const;
  // nullptr: none was found.
  const Rejection* fault() const;
  // The answer is known without looking at the body: a duplicate, or nobody to answer to.
  bool is_settled() const;
  bool is_strict() const { return channel().strict; }
  // After check().
  bool has_transaction() const { return at_.transaction.has_value(); }
  const PKIMessage& message() const { return at_.request.message; }
  const Requester* requester() const { return at_.requester ? &*at_.requester : nullptr; }
  // Whether the message goes on with a transaction that is open, or announces what is believed.
  bool is_of_use() const;
  // Nothing in the message is a request: it is never refused with an answer.
  void expect_nothing() { expects_nothing_ = true; }
  // After check(), of both: `by` has added its protection to the message.
  void note_endorsement(const Requester& by);
  // Refuses the message for a reason that it does not show itself.
  void refuse_with(Rejection rejection);
  // Answers a batch with this body, and keeps a tombstone of its transaction. The octets of the
  // answer that are to be stored are the caller's to add.
  Result<Decision> answer_with(PKIBody body, std::string outcome, LedgerReader& ledger);

 private:
  // What comes of a message that is worked on, and what it does to its transaction.
  using Next = std::variant<Answer, PollAnswer, Decision::Early>;
  enum class Step {
    none,      // nothing: no trace but the audit record
    opens,     // it opens, and perhaps ends, one
    takes_up,  // popdecr: the parked request is worked on
    goes_on,   // certConf
    gives_up   // an error from the requester
  };
  struct Worked {
    Step step = Step::none;
    Outcome<Next> next;
  };

  const PKIHeader& request_header() const { return at_.request.message.header; }
  const PKIBody& body() const { return at_.request.message.body; }
  const ChannelSettings& channel() const { return at_.request.channel->settings; }
  bool in_batch() const { return arrival_.carrier.has_value(); }
  JobId own_reply() const { return reply_id(at_.job); }
  // The answer that takes the certificates along.
  JobId carrier() const { return reply_id(arrival_.carrier.value_or(at_.job)); }

  // Who is it? (responder.cpp)
  Finding read_form();
  Finding unreadable(const DecodeFault& fault);
  Finding response(std::string_view what) const;
  void note_digest();
  Outcome<Finding> identify();
  Outcome<Finding> hear();
  Outcome<Finding> give_ciphertext();
  Outcome<void> believe();
  Result<void> note_reprotection(Request& request);
  Result<void> recall_certificates();
  Result<void> count_failure(const Trouble& trouble);
  Result<std::optional<StoredMessage>> find_duplicate();
  Checked<HeaderWishes> checked_header() const;

  // What is it about? Rejections become error messages. (responder_work.cpp)
  Worked work();
  Worked open();
  Worked go_on();
  Checked<void> check_follows() const;
  tl::unexpected<Rejection> no_transaction() const;
  bool may_be_early() const;
  Decision::Early early(std::string why) const;
  bool is_relayed() const;
  Checked<void> check_credential() const;
  Checked<void> check_recip_nonce() const;
  Worked take_response();
  Outcome<Request> parked_request();
  Outcome<Next> poll();
  bool is_confirmed(const TransactionCertificate& issued) const;
  Worked confirm();
  Worked end();

  // What does it get? (responder_answer.cpp)
  Result<Decision> answer_to(const finding::Unroutable& found);
  Result<Decision> answer_to(const finding::Faulty& found);
  Result<Decision> answer_to(finding::Repeated& found);
  void note_other_name();
  Result<Decision> answer_to(const finding::Unanswered& found);
  Result<Decision> answer_to(finding::Given& found);
  Result<Decision> answer_to(finding::Asked);
  Result<Decision> finish(Worked&& worked);
  Result<Decision> finish(Next&& next, Step step);
  Result<Decision> stay_silent(const std::string& why);
  Result<Decision> acknowledge(const std::string& why);
  void count_failures();
  Result<Decision> refuse(const Rejection& rejection, Step step = Step::none);
  Result<Decision> refuse_or_ignore(const Rejection& rejection, Step step = Step::none);
  Result<Decision> answered(Answer&& answer, Step step);
  Result<Decision> waits(Answer&& answer, Step step);
  Result<Decision> passed_up(Answer&& answer, Step step);
  Result<Decision> polled(PollAnswer&& answer);
  Result<StoredMessage> stored(const std::string& reply_body, const Bytes& reply);
  Outcome<void> take_header_passphrase();
  void keep_passphrase();
  void keep_established();
  void note_outcome(Answer& answer, Step step);
  void note_refusal(const Rejection* rejection, std::string reason, std::string reply_body);
  Transaction transaction_after(const Answer& answer, const Bytes& nonce) const;
  void change_to(Transaction&& after);
  Waiting new_waiting(const Answer& answer) const;
  void go_on_from(const Bytes& nonce, bool given_up);
  void next_version(const Bytes& nonce, bool parts_changed);
  void deliver(const std::vector<std::int64_t>& parts, ReplyParts& reply);

  const Arrival arrival_;
  Proceeding at_;
  Finding finding_ = finding::Asked{};
  Milestone stage_ = Milestone::channel;  // what it did not pass, where it was refused
  Seldom<RevocationPassphrase> passphrase_;
  Seldom<SecretFailure> secret_failure_;
  bool readable_ = false;         // as far as its header
  bool expects_nothing_ = false;  // an error message: answered when it ends something
  bool digested_ = false;
};

}  // namespace cmpost
