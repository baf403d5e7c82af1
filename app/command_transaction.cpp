#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/consent_output.h"
#include "app/instance.h"
#include "app/output.h"
#include "processor/explain.h"
#include "processor/transaction_table.h"
#include "processor/wait_table.h"

namespace cmpost {
namespace {

constexpr const char* kForgotten =
    "its messages are older than keep_messages and have been removed; the audit log has the rest";

using nlohmann::json;

struct TransactionOptions {
  std::string id, state;
  std::size_t limit = 1000;
};

json to_json(const Transaction& transaction) {
  json value = {{"tid", to_hex(transaction.transactionID)},
                {"channel", transaction.channel},
                {"state", to_string(transaction.state)},
                {"body", transaction.body},
                {"pvno", transaction.pvno},
                {"credential", printable(transaction.credential)},
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
                                 {"reason", vote.reason}});
  }
  return {};
}

void print_vote(const Vote& vote) {
  const auto reason = printable(vote.reason);
  print_line("  part " + std::to_string(vote.certReqId) + " " +
             (vote.approves ? "approved" : "rejected") + " by " + printable(vote.who) + " at " +
             to_iso8601(vote.at) + (reason.empty() ? "" : ": " + reason));
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
  if (!waiting) return {};
  for (const auto& part : waiting->parts) print_part(part, Detail::brief);
  return {};
}

Result<ExitCode> list(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  const auto state = transaction_state(options.state);
  ASSIGN_OR_RETURN(const auto found,
                   TransactionTable(reader->connection()).newest(state, options.limit));
  auto all = json::array();
  Table table({"tid", "state", "body", "channel", "opened", "certificates"});
  for (const auto& transaction : found) {
    if (common.json) {
      all.push_back(to_json(transaction));
      if (transaction.state != TransactionState::waiting) continue;
      TRY(add_waiting(all.back(), transaction, reader->connection()));
    } else if (state == TransactionState::waiting) {
      TRY(print_backlog(transaction, reader->connection()));
    } else {
      table.add({to_hex(transaction.transactionID), std::string(to_string(transaction.state)),
                 transaction.body, transaction.channel, to_iso8601(transaction.opened),
                 std::to_string(transaction.certificates.size())});
    }
  }
  if (common.json) {
    print_json(all);
  } else if (found.empty() || state != TransactionState::waiting) {
    table.print("no transactions");
  }
  return ExitCode::ok;
}

Result<ExitCode> show(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  const auto tid = from_hex(options.id);
  if (!tid) return hold("\"" + options.id + "\" is no transactionID", "write it in hexadecimal");
  TransactionTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto transaction, table.find(ByteView(*tid)));
  if (!transaction) return hold("no transaction has the transactionID " + options.id);
  ASSIGN_OR_RETURN(const auto messages, table.messages(transaction->id));
  auto value = to_json(*transaction);
  TRY(add_waiting(value, *transaction, reader->connection()));
  value["messages"] = json::array();
  for (const auto& message : messages) {
    value["messages"].push_back(
        {{"body", message.body},
         {"answer", message.reply_body},
         {"outcome", message.outcome},
         {"digest", to_hex(message.digest)},
         {"request", message.sealed ? json() : json(to_base64(message.request))},
         {"reply", to_base64(message.reply)}});
  }
  if (common.json) {
    print_json(value);
    return ExitCode::ok;
  }
  print_line("transaction " + options.id + ", " + value["state"].get<std::string>());
  print_line("opened " + to_iso8601(transaction->opened) + " on channel " +
             printable(transaction->channel) + " by " + printable(transaction->credential));
  for (const auto& certificate : transaction->certificates) {
    print_line("certificate " + to_hex(certificate.serial) + " for certReqId " +
               std::to_string(certificate.certReqId));
  }
  TRY(print_waiting(*transaction, reader->connection()));
  const auto none = value.contains("waiting") ? "no answer at once" : "no answer";
  if (messages.empty()) print_line(kForgotten);
  for (const auto& message : messages) {
    print_line(message.body + " -> " + (message.reply_body.empty() ? none : message.reply_body) +
               ": " + message.outcome);
  }
  return ExitCode::ok;
}

json to_json(const CheckVerdicts& verdicts) {
  auto all = json::array();
  for (const auto& one : verdicts) {
    all.push_back({{"check", printable(one.check)},
                   {"verdict", to_string(one.verdict)},
                   {"detail", printable(one.detail, 2000)}});
  }
  return all;
}

void print(const StoredMessage& message, const CheckVerdicts& verdicts) {
  print_line(message.body + " -> " +
             (message.reply_body.empty() ? "no answer" : message.reply_body) + ": " +
             printable(message.outcome, 2000));
  for (const auto& one : verdicts) {
    print_line("  " + std::string(to_string(one.verdict)) + "  " + printable(one.check) +
               (one.detail.empty() ? "" : ": " + printable(one.detail, 2000)));
  }
}

// Every message of the transaction with the checks that it went through.
Result<ExitCode> explain_transaction(const TransactionOptions& options,
                                     const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto services, instance->services());
  const auto tid = from_hex(options.id);
  if (!tid) return hold("\"" + options.id + "\" is no transactionID", "write it in hexadecimal");
  TransactionTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto transaction, table.find(ByteView(*tid)));
  if (!transaction) return hold("no transaction has the transactionID " + options.id);
  ASSIGN_OR_RETURN(const auto messages, table.messages(transaction->id));
  auto all = json::array();
  for (const auto& message : messages) {
    ASSIGN_OR_RETURN(const auto at, answered_at(*reader, transaction->id, message.digest));
    ASSIGN_OR_RETURN(const auto verdicts,
                     explain(message, at.value_or(transaction->opened), *reader, services));
    all.push_back({{"body", message.body},
                   {"answer", message.reply_body},
                   {"outcome", printable(message.outcome, 2000)},
                   {"checks", to_json(verdicts)}});
    if (!common.json) print(message, verdicts);
  }
  if (common.json) print_json(all);
  if (messages.empty() && !common.json) print_line(kForgotten);
  return ExitCode::ok;
}

}  // namespace

void add_transaction(CommandLine line) {
  auto* transaction = line.app.add_subcommand("transaction", "what happened to requests");
  transaction->require_subcommand(1);
  auto options = std::make_shared<TransactionOptions>();
  auto* common = &line.options;
  auto* listing = transaction->add_subcommand("list", "transactions, newest first");
  listing->add_option("--state", options->state)
      ->check(CLI::IsMember({"challenged", "waiting", "open", "closed"}));
  listing->add_option("--limit", options->limit, "at most so many (default 1000)");
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });
  auto* showing = transaction->add_subcommand("show", "one transaction with its messages");
  showing->add_option("ID", options->id, "transactionID in hexadecimal")->required();
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });
  auto* explaining = transaction->add_subcommand(
      "explain", "the checks that its messages went through, each with its verdict");
  explaining->add_option("ID", options->id, "transactionID in hexadecimal")->required();
  explaining->callback(
      [=] { line.action = [=] { return explain_transaction(*options, *common); }; });
}

}  // namespace cmpost
