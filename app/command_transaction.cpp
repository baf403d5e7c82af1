#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/instance.h"
#include "app/output.h"
#include "processor/transaction_table.h"

namespace cmpost {
namespace {

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
    value["certificates"].push_back(
        {{"certReqId", certificate.certReqId}, {"serial", to_hex(certificate.serial)}});
  }
  if (transaction.confirm_by) value["confirm_by"] = to_iso8601(*transaction.confirm_by);
  return value;
}

Result<ExitCode> list(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  std::optional<TransactionState> state;
  if (!options.state.empty()) {
    state = options.state == "open" ? TransactionState::open : TransactionState::closed;
  }
  ASSIGN_OR_RETURN(const auto found,
                   TransactionTable(reader->connection()).newest(state, options.limit));
  auto all = json::array();
  Table table({"tid", "state", "body", "channel", "opened", "certificates"});
  for (const auto& transaction : found) {
    if (common.json) {
      all.push_back(to_json(transaction));
    } else {
      table.add({to_hex(transaction.transactionID), std::string(to_string(transaction.state)),
                 transaction.body, transaction.channel, to_iso8601(transaction.opened),
                 std::to_string(transaction.certificates.size())});
    }
  }
  common.json ? print_json(all) : table.print("no transactions");
  return ExitCode::ok;
}

Result<ExitCode> show(const TransactionOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  const auto tid = from_hex(options.id);
  if (!tid) return hold("\"" + options.id + "\" is no transactionID", "write it in hexadecimal");
  TransactionTable table(reader->connection());
  ASSIGN_OR_RETURN(const auto transaction, table.find(ByteView(*tid)));
  if (!transaction) return hold("no transaction has the transactionID " + options.id);
  ASSIGN_OR_RETURN(const auto messages, table.messages(transaction->id));
  auto value = to_json(*transaction);
  value["messages"] = json::array();
  for (const auto& message : messages) {
    value["messages"].push_back({{"body", message.body},
                                 {"answer", message.reply_body},
                                 {"outcome", message.outcome},
                                 {"digest", to_hex(message.digest)},
                                 {"request", to_base64(message.request)},
                                 {"reply", to_base64(message.reply)}});
  }
  if (common.json) {
    print_json(value);
    return ExitCode::ok;
  }
  print_line("transaction " + options.id + ", " + value["state"].get<std::string>() + ", opened " +
             to_iso8601(transaction->opened) + " on channel " + transaction->channel + " by " +
             printable(transaction->credential));
  for (const auto& certificate : transaction->certificates) {
    print_line("certificate " + to_hex(certificate.serial) + " for certReqId " +
               std::to_string(certificate.certReqId));
  }
  for (const auto& message : messages) {
    print_line(message.body + " -> " +
               (message.reply_body.empty() ? "no answer" : message.reply_body) + ": " +
               message.outcome);
  }
  return ExitCode::ok;
}

}  // namespace

void add_transaction(CommandLine line) {
  auto* transaction = line.app.add_subcommand("transaction", "what happened to requests");
  transaction->require_subcommand(1);
  auto options = std::make_shared<TransactionOptions>();
  auto* common = &line.options;
  auto* listing = transaction->add_subcommand("list", "transactions, newest first");
  listing->add_option("--state", options->state)->check(CLI::IsMember({"open", "closed"}));
  listing->add_option("--limit", options->limit, "at most so many (default 1000)");
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });
  auto* showing = transaction->add_subcommand("show", "one transaction with its messages");
  showing->add_option("ID", options->id, "transactionID in hexadecimal")->required();
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });
}

}  // namespace cmpost
