#include "processor/proceeding/proceeding.h"

#include "processor/admission/message_audit.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/stored_request.h"

namespace cmpost {

JobId reply_id(const JobId& request) { return make_job_id({view_of("reply"), request.octets}); }

Proceeding::Proceeding(const JobId& job_id, const Envelope& job_envelope,
                       const ProcessorServices& all)
    : job(job_id), envelope(job_envelope), shared(all) {
  request.now = all.clock.now();
  request.sure = all.sure.now();
  request.likely = all.likely.now();
  decision.job = job_id;
}

Result<void> Proceeding::find_transaction(ByteView transactionID) {
  ASSIGN_OR_RETURN(transaction, table().find(transactionID));
  if (!transaction) return {};
  ASSIGN_OR_RETURN(waiting, waits().find(transaction->id));
  return {};
}

const ChannelPolicy* Proceeding::find_channel(const std::string& name) const {
  const auto found = shared.channels.find(name);
  return found == shared.channels.end() ? nullptr : &found->second;
}

Result<Bytes> Proceeding::build(const PKIHeader& header, ReplyParts parts,
                                std::string& reply_body) {
  reply_body = body_name(parts.body);
  return build_reply(header, requester, std::move(parts), shared.identity, shared.random,
                     request.now);
}

Result<StoredMessage> Proceeding::stored(const std::string& reply_body, const Bytes& reply) const {
  StoredMessage message;
  message.digest = request.digest;
  message.channel = request.channel->settings.name;
  message.body = body_name(request.message.body);
  message.reply_body = reply_body;
  message.request = request.der;
  message.reply = reply;
  message.outcome = decision.outcome;
  message.result = decision.result;
  message.failInfo = decision.failInfo;
  message.source = printable(envelope.source);
  message.job = to_bytes(ByteView(job.octets));
  if (has_token(request.message)) TRY(seal_request(message, shared.sealing_key, shared.random));
  return message;
}

void Proceeding::conclude(const Answer& answer) {
  decision.outcome = outcome_of(answer);
  decision.result = result_of(answer);
  decision.failInfo = failInfo_of(answer);
  if (requester && requester->device) {
    decision.effects.device =
        Effects::DeviceUse{requester->device->row.id, requester->rights.row_allows};
  }
}

void Proceeding::note_envelopes() {
  auto& effects = decision.effects;
  for (const auto& reason : envelopes.reasons) {
    effects.audit.push_back(envelope_entry(request, requester ? requester->text() : "", reason));
  }
  effects.envelopes = std::move(envelopes.uses);
  effects.envelope_failures = std::move(envelopes.failures);
  effects.envelope_failures_from = request.sure - request.channel->settings.envelopes.refuse_time;
  envelopes = {};
}

void Proceeding::note_in_audit(const std::string& reply_body) {
  note_envelopes();
  auto entry = answered_entry(request, requester ? requester->text() : "", reply_body,
                              decision.outcome, decision.effects);
  // The members of a batch come from who has protected it.
  if (!requester && !in_batch) entry.stranger_on = request.channel->settings.name;
  decision.effects.audit.push_back(std::move(entry));
}

Result<std::vector<CMPCertificate>> Proceeding::chain_from_above() const {
  ASSIGN_OR_RETURN(const auto octets,
                   UpstreamTable(ledger->connection()).chain_of(transaction->id));
  ASSIGN_OR_RETURN(const auto certificates, read_concatenated(octets.value_or(Bytes())));
  std::vector<CMPCertificate> chain;
  for (const auto& one : certificates) chain.push_back({to_bytes(one.der())});
  return chain;
}

void Proceeding::address_departures() {
  for (auto& message : decision.effects.send_up) {
    message.reply = envelope.reply;
    message.source = envelope.source;
  }
}

void Proceeding::await_confirm(Transaction& after, const JobId& carrier) const {
  after.confirm_by.reset();
  after.reply.clear();
  if (after.awaits_requester()) {
    after.reply.assign(carrier.octets.begin(), carrier.octets.end());
  }
}

Decision Proceeding::send(const JobId& id, const Route& route, const std::string& reply_body,
                          Bytes der, const std::string& source) {
  const auto& came_as = source.empty() ? envelope.source : source;
  Job reply{id, Envelope{route.channel, came_as, route, reply_body, decision.tid}, std::move(der)};
  decision.what = Decision::Reply{std::move(reply)};
  return std::move(decision);
}

Decision Proceeding::stay_silent(std::string outcome) {
  decision.outcome = std::move(outcome);
  decision.what = Decision::Silence{};
  return std::move(decision);
}

Decision Proceeding::keep_for_operator(std::string reason) {
  decision.outcome = reason;
  decision.what = Decision::Hold{std::move(reason)};
  return std::move(decision);
}

}  // namespace cmpost
