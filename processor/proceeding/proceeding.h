// One message in the processor's hands: what has been found out about it, and how it ends.
#pragma once

#include <optional>
#include <string>

#include "processor/admission/authentication.h"
#include "processor/admission/received_envelope.h"
#include "processor/admission/reply.h"
#include "processor/proceeding/decision.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {

inline constexpr std::size_t kNonceSize = 16;  // of ours

// Shared by those who answer arrivals (respond.cpp) and those who go on with what has waited
// (resume.h). One thread.
struct Proceeding {
  Proceeding(const JobId& job_id, const Envelope& job_envelope, const ProcessorServices& services);

  // Both are nullopt when there is none.
  Result<void> find_transaction(ByteView transactionID);
  // nullptr: not configured any more.
  const ChannelPolicy* find_channel(const std::string& name) const;

  // The DER of an answer to `header` that is noted as our last message.
  Result<Bytes> build(const PKIHeader& header, ReplyParts parts, std::string& reply_body);
  Result<StoredMessage> stored(const std::string& reply_body, const Bytes& reply) const;
  // And what has become of envelopes: comes after all else in decision.effects.
  void note_in_audit(const std::string& reply_body);
  void note_envelopes();
  // The parts of `answer` whose certificates are now on their way: certConf (or popdecr) is awaited
  // once the reply `carrier` has left.
  void await_confirm(Transaction& after, const JobId& carrier) const;

  // What goes along with certificates that a CA above has issued, and that waited here.
  Result<std::vector<CMPCertificate>> chain_from_above() const;

  // Messages to a CA above stand for the one in hand: their answers go where its answer would.
  void address_departures();

  // How it ends.
  // `source`: what is answered came as that; "": as the job in hand.
  Decision send(const JobId& id, const Route& route, const std::string& reply_body, Bytes der,
                const std::string& source = {});
  // What the answer is, for the ledger and for people. Before anything is stored.
  void conclude(const Answer& answer);
  Decision stay_silent(std::string outcome);
  Decision keep_for_operator(std::string reason);

  const JobId job;
  bool in_batch = false;  // what it is about came inside of another message
  const Envelope& envelope;
  const ProcessorServices& shared;
  LedgerReader* ledger = nullptr;  // of the worker that has it now
  Services services() const {
    return {shared.identity, *ledger, shared.sealing_key, shared.random, tokens, &envelopes};
  }
  TransactionTable table() const { return TransactionTable(ledger->connection()); }
  WaitTable waits() const { return WaitTable(ledger->connection()); }
  mutable EnvelopeLog envelopes;  // of what was opened so far
  mutable TokenLog tokens;
  Request request;
  std::optional<Transaction> transaction;
  Seldom<Waiting> waiting;
  std::optional<Requester> requester;
  Decision decision;
};

// The id of the answer to a job.
JobId reply_id(const JobId& request);

}  // namespace cmpost
