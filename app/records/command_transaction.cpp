#include <nlohmann/json.hpp>
#include <utility>

#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/records/consent_output.h"
#include "app/records/find_transaction.h"
#include "app/records/record_commands.h"
#include "app/records/refused_output.h"
#include "app/records/ruling_output.h"
#include "app/records/upstream_output.h"
#include "app/terminal/output.h"
#include "base/log.h"
#include "processor/explanation/explain.h"
#include "processor/records/request_listing.h"
#include "processor/records/request_search.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {
namespace {

constexpr const char* kForgotten =
    "its messages are older than keep_messages and have been removed; the audit log has the rest";

using nlohmann::json;

// Of what has the same name and is no transaction: an answer is told apart by time and file.
constexpr std::size_t kMostFound = 20;

struct TransactionOptions {
  std::string id;
  ListOptions list;
};

json to_json(const Transaction& transaction) {
  json value = {{"tid", to_hex(transaction.transactionID)},
                {"channel", transaction.channel},
                {"state", to_string(transaction.state)},
                {"body", transaction.body},
                {"pvno", transaction.pvno},
                {"credential", printable(transaction.credential)},
                {"requester", transaction.requester},
                {"subject", transaction.subject},
                {"source", transaction.source},
                {"opened", to_iso8601(transaction.opened)},
                {"certificates", json::array()}};
  for (const auto& certificate : transaction.certificates) {
    value["certificates"].push_back({{"certReqId", certificate.certReqId},
                                     {"serial", to_hex(certificate.serial)},
                                     {"settled", certificate.settled}});
  }
  if (transaction.confirm_by) value["confirm_by"] = to_iso8601(*transaction.confirm_by);
  if (!transaction.batch.empty()) value["batch"] = to_hex(transaction.batch);
  return value;
}

// What waits, and who has said what about it.
Result<void> add_waiting(json& value, const Transaction& transaction, Connection& connection) {
  WaitTable table(connection);
  ASSIGN_OR_RETURN(const auto waiting, table.find(transaction.id));
  if (!waiting) return {};
  ASSIGN_OR_RETURN(const auto verdicts, table.verdicts(transaction.id));
  auto& shown = value["waiting"];
  shown = {{"since", to_iso8601(waiting->received)},
           {"told", waiting->told},
           {"polls", waiting->polls},
           {"parts", json::array()},
           {"verdicts", json::array()}};
  if (waiting->asked) shown["asked"] = to_iso8601(*waiting->asked);
  if (waiting->decide_by) shown["decide_by"] = to_iso8601(*waiting->decide_by);
  shown["source"] = printable(waiting->envelope.source, 1000);
  shown["peer"] = printable(waiting->envelope.reply.address, 1000);
  for (const auto& part : waiting->parts) shown["parts"].push_back(to_json(part));
  for (const auto& vote : verdicts) {
    shown["verdicts"].push_back({{"certReqId", vote.certReqId},
                                 {"verdict", vote.approves ? "approved" : "rejected"},
                                 {"digest", to_hex(vote.object)},
                                 {"who", vote.who},
                                 {"at", to_iso8601(vote.at)},
                                 {"signed", !vote.signature.empty()},
                                 {"reason", vote.reason}});
  }
  return {};
}

void print_vote(const Vote& vote) {
  const auto reason = printable(vote.reason);
  print_line("  part " + std::to_string(vote.certReqId) + " " +
             (vote.approves ? "approved" : "rejected") + " by " + printable(vote.who) +
             (vote.signature.empty() ? "" : ", signed,") + " at " + to_iso8601(vote.at) +
             (reason.empty() ? "" : ": " + reason));
  print_line("    " + (vote.object.empty() ? "digest not recorded" : to_hex(vote.object)));
}

Result<void> print_waiting(const Transaction& transaction, Connection& connection) {
  WaitTable table(connection);
  ASSIGN_OR_RETURN(const auto waiting, table.find(transaction.id));
  if (!waiting) return {};
  ASSIGN_OR_RETURN(const auto verdicts, table.verdicts(transaction.id));
  print_line("waits since " + to_iso8601(waiting->received) + ", asked for " +
             std::to_string(waiting->polls) + " times");
  for (const auto& part : waiting->parts) print_part(part, Detail::whole);
  for (const auto& vote : verdicts) print_vote(vote);
  return {};
}

// What people have to decide about, in a few lines each.
Result<void> print_backlog(const Transaction& transaction, Connection& connection) {
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection).find(transaction.id));
  print_line(to_hex(transaction.transactionID) + ", " + transaction.body + " on " +
             printable(transaction.channel) + ", " + to_iso8601(transaction.opened));
  if (!transaction.requester.empty()) {
    print_line("  asked by " + printable(transaction.requester) + ", " +
               printable(transaction.source));
  }
  if (!waiting) return {};
  for (const auto& part : waiting->parts) print_part(part, Detail::brief);
  return print_upstream(transaction, Asked::open, connection);
}

// Of an RA: what the CA above has been asked.
Result<void> add_upstream(json& value, const Transaction& transaction, Connection& connection) {
  ASSIGN_OR_RETURN(auto asked, upstream_json(transaction, connection));
  if (!asked.empty()) value["upstream"] = std::move(asked);
  return {};
}

Result<json> json_of(const ListedRequest& one, Connection& connection) {
  if (one.refused) {
    ASSIGN_OR_RETURN(const auto refused, RefusalTable(connection).find(one.id));
    return refused ? to_json(*refused) : json::object();
  }
  ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection).find(one.id));
  if (!transaction) return json::object();
  auto value = to_json(*transaction);
  value["outcome"] = one.reason;
  if (transaction->state == TransactionState::waiting) {
    TRY(add_waiting(value, *transaction, connection));
  }
  TRY(add_upstream(value, *transaction, connection));
  return value;
}

std::vector<std::string> cells_of(const ListedRequest& one) {
  return {to_hex(one.transactionID),
          one.state,
          one.body,
          one.channel,
          to_iso8601(one.at),
          one.subject,
          requester_in_words(one.requester, one.known),
          one.source,
          one.reason};
}

Result<ExitCode> list(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, options.list.read(*instance));
  auto& connection = reader->connection();
  RowSink sink(
      {"tid", "state", "body", "channel", "opened", "subject", "requester", "source", "outcome"},
      options.list.form(common), "no transactions");
  const bool backlog = sink.is_table() && filter.state == to_string(TransactionState::waiting);
  std::int64_t shown = 0;
  const auto each = [&](const ListedRequest& one) -> Result<void> {
    ++shown;
    if (backlog) {
      ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection).find(one.id));
      return transaction ? print_backlog(*transaction, connection) : Result<void>();
    }
    json object;
    if (!sink.is_table()) {
      ASSIGN_OR_RETURN(object, json_of(one, connection));
    }
    sink.add([&] { return cells_of(one); }, [&] { return std::move(object); });
    return {};
  };
  ASSIGN_OR_RETURN(const auto listed, list_requests(connection, filter, each));
  sink.finish(left_out(filter, listed.all), backlog && shown > 0);
  return ExitCode::ok;
}

// What a message was answered with, if it was: at once, or unasked when that had been decided.
struct Answered {
  std::string body;
  Bytes octets;
};

Answered answer_to(const StoredMessage& message, const Transaction& transaction,
                   const std::optional<Waiting>& waiting) {
  const bool unasked = message.reply_body.empty() && message.body == transaction.body && waiting;
  if (unasked) return {waiting->pushed_body, waiting->pushed};
  return {message.reply_body, message.reply};
}

// An id names one transaction; everything else may name several requests.
Result<FoundRequests> find_named(const std::string& text, LedgerReader& ledger) {
  if (text.empty()) return wrong_usage("the id is empty", "`cmpost transaction list` shows ids");
  ASSIGN_OR_RETURN(auto found, find_requests(ledger, text, kMostFound));
  if (found.is_empty()) {
    return hold("no request has the transactionID, serial number or source " + printable(text),
                "`cmpost transaction list --source TEXT` looks for a part of a file name or "
                "Message-ID; what was not read at all is in `cmpost queue list --state held`");
  }
  if (!hex_digits(text) || found.transactions.size() <= 1) return found;
  return failure(several_transactions(text, found.transactions));
}

Result<json> show_transaction(const Transaction& transaction, LedgerReader& ledger, bool as_json) {
  auto& connection = ledger.connection();
  ASSIGN_OR_RETURN(const auto messages, TransactionTable(connection).messages(transaction.id));
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection).find(transaction.id));
  auto value = to_json(transaction);
  TRY(add_waiting(value, transaction, connection));
  TRY(add_upstream(value, transaction, connection));
  value["messages"] = json::array();
  for (const auto& message : messages) {
    const auto answer = answer_to(message, transaction, waiting);
    value["messages"].push_back(
        {{"body", message.body},
         {"answer", answer.body},
         {"at", to_iso8601(message.at)},
         {"source", message.source},
         {"outcome", message.outcome},
         {"digest", to_hex(message.digest)},
         {"request", message.sealed ? json() : json(to_base64(message.request))},
         {"reply", to_base64(answer.octets)}});
  }
  ASSIGN_OR_RETURN(const auto names, TransactionTable(connection).other_names(transaction.id));
  if (!names.empty()) value["alsoCameAs"] = names;
  if (as_json) return value;
  std::string also;
  for (const auto& name : names) also += (also.empty() ? ", also as " : ", ") + printable(name);
  const auto who = transaction.requester.empty() ? transaction.credential : transaction.requester;
  print_line("transaction " + to_hex(transaction.transactionID) + ", " +
             std::string(to_string(transaction.state)));
  print_line("opened " + to_iso8601(transaction.opened) + " on channel " +
             printable(transaction.channel) + " by " + printable(who));
  if (!transaction.subject.empty()) print_line("asks for " + printable(transaction.subject));
  if (!transaction.source.empty()) print_line("came as " + printable(transaction.source) + also);
  for (const auto& certificate : transaction.certificates) {
    print_line("certificate " + to_hex(certificate.serial) + " for certReqId " +
               std::to_string(certificate.certReqId));
  }
  TRY(print_waiting(transaction, connection));
  TRY(print_upstream(transaction, Asked::all, connection));
  const auto none = value.contains("waiting") ? "no answer at once" : "no answer";
  if (messages.empty()) print_line(kForgotten);
  for (const auto& message : messages) {
    const auto answer = answer_to(message, transaction, waiting).body;
    print_line(message.body + " -> " + (answer.empty() ? none : answer) + ": " + message.outcome);
  }
  return value;
}

// One transaction is an object; what is found besides, or several, is in "refused" and "others".
Result<ExitCode> show(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto found, find_named(options.id, *reader));
  json value = json::object();
  for (const auto& transaction : found.transactions) {
    ASSIGN_OR_RETURN(auto one, show_transaction(transaction, *reader, common.json));
    if (value.empty()) {
      value = std::move(one);
    } else {
      value["others"].push_back(std::move(one));
    }
  }
  for (const auto& refused : found.refused) {
    common.json ? value["refused"].push_back(to_json(refused)) : print_refused(refused);
  }
  if (common.json) print_json(value);
  return ExitCode::ok;
}

void print_head(const StoredMessage& message, const std::string& answer) {
  print_line(message.body + " -> " + (answer.empty() ? "no answer" : answer) + ": " +
             printable(message.outcome, 2000));
  print_line("  " + to_iso8601(message.at) +
             (message.source.empty() ? "" : ", " + printable(message.source)));
}

// Profiles and keys name the check that has refused a part; without them the rest is said.
std::optional<ProcessorServices> services_if_any(const LegibleInstance& opened) {
  constexpr const char* kLess = "; which check refused a part of a request is not said";
  for (const auto& complaint : opened.complaints) print_complaint(complaint);
  if (!opened.complaints.empty()) {
    print_warning(std::string("warning: the settings have mistakes") + kLess);
    return std::nullopt;
  }
  auto services = opened.instance->services();
  if (services) return *services;
  const auto why = opened.instance->may_not_read_keys() ? "this account may not read the keys"
                                                        : to_string(services.error());
  print_warning("warning: " + why + kLess);
  return std::nullopt;
}

Result<LegibleInstance> open_to_explain(const CommonOptions& common) {
  ASSIGN_OR_RETURN(auto opened, open_legible(common));
  if (opened.instance) return opened;
  for (const auto& complaint : opened.complaints) print_complaint(complaint);
  return wrong_settings("the settings cannot be read", "nothing says where the ledger is");
}

Result<void> explain_messages(const Transaction& transaction, LedgerReader& ledger,
                              const ProcessorServices* services, json* all) {
  ASSIGN_OR_RETURN(const auto messages,
                   TransactionTable(ledger.connection()).messages(transaction.id));
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(ledger.connection()).find(transaction.id));
  ASSIGN_OR_RETURN(auto rulings, RuleTables(ledger.connection()).of_transaction(transaction.id));
  for (const auto& message : messages) {
    const auto answer = answer_to(message, transaction, waiting).body;
    ASSIGN_OR_RETURN(const auto verdicts, explain(transaction, message, ledger, services));
    if (all == nullptr) {
      print_head(message, answer);
      print_verdicts(verdicts);
      print_rulings(std::exchange(rulings, {}));  // of the first: the request itself
      continue;
    }
    all->push_back({{"body", message.body},
                    {"answer", answer},
                    {"at", to_iso8601(message.at)},
                    {"source", message.source},
                    {"outcome", printable(message.outcome, 2000)},
                    {"checks", to_json(verdicts)},
                    {"rulings", to_json(std::exchange(rulings, {}))}});
  }
  if (messages.empty() && all == nullptr) print_line(kForgotten);
  return {};
}

// Every message with the checks that it went through.
Result<ExitCode> explain_request(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto opened, open_to_explain(common));
  ASSIGN_OR_RETURN(const auto reader, opened.instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto found, find_named(options.id, *reader));
  const auto services = services_if_any(opened);
  auto all = json::array();
  for (const auto& transaction : found.transactions) {
    TRY(explain_messages(transaction, *reader, services ? &*services : nullptr,
                         common.json ? &all : nullptr));
  }
  for (const auto& refused : found.refused) {
    const auto verdicts = explain(refused);
    if (common.json) {
      auto value = to_json(refused);
      value["outcome"] = refused.reason;
      value["checks"] = to_json(verdicts);
      all.push_back(std::move(value));
    } else {
      print_refused(refused);
      print_verdicts(verdicts);
    }
  }
  if (common.json) print_json(all);
  return ExitCode::ok;
}

}  // namespace

void add_transaction(CommandLine line) {
  constexpr const char* kWhich =
      "transactionID or its beginning, serial number of a certificate, file name or Message-ID";
  auto* transaction = line.app.add_subcommand("transaction", "what happened to requests");
  transaction->require_subcommand(1);
  auto options = std::make_shared<TransactionOptions>();
  auto* common = &line.options;
  auto* listing = transaction->add_subcommand(
      "list", "transactions, and what was refused before it became one, newest first");
  options->list.offer(*listing,
                      {.filters = {FilterBy::time, FilterBy::channel, FilterBy::subject,
                                   FilterBy::requester, FilterBy::source, FilterBy::reason},
                       .states = {"challenged", "waiting", "open", "closed", "refused"},
                       .sorts = request_sorts(),
                       .newest_first = true});
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });
  auto* showing = transaction->add_subcommand("show", "one transaction with its messages");
  showing->add_option("ID", options->id, kWhich)->required();
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });
  auto* explaining = transaction->add_subcommand(
      "explain", "the checks that its messages went through, each with its verdict");
  explaining->add_option("ID", options->id, kWhich)->required();
  explaining->callback([=] { line.action = [=] { return explain_request(*options, *common); }; });
}

}  // namespace cmpost
