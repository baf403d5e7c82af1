#include "app/records/upstream_output.h"

#include <nlohmann/json.hpp>

#include "app/terminal/output.h"
#include "base/bytes.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

json one_json(const UpstreamMessage& message) {
  json value = {{"body", message.body},
                {"channel", message.channel},
                {"mode", to_string(message.mode)},
                {"state", to_string(message.state)},
                {"made", to_iso8601(message.made)}};
  if (message.left) value["left"] = to_iso8601(*message.left);
  if (message.batch != 0) value["batch"] = message.batch;
  if (is_open(message.state) && message.answer_by) {
    value["answerBy"] = to_iso8601(*message.answer_by);
  }
  if (message.ask_again) value["askAgain"] = to_iso8601(*message.ask_again);
  if (message.answered) value["answered"] = to_iso8601(*message.answered);
  if (!message.answer_body.empty()) value["answer"] = message.answer_body;
  if (!message.answer_signer.empty()) value["signer"] = printable(message.answer_signer);
  return value;
}

std::string in_words(const UpstreamMessage& message) {
  auto text = message.body + " to " + printable(message.channel) + " (" +
              std::string(to_string(message.mode)) + "), " + std::string(to_string(message.state)) +
              ", since " + to_iso8601(message.made);
  if (message.left) text += ", left " + to_iso8601(*message.left);
  if (message.batch != 0) text += ", in batch " + std::to_string(message.batch);
  if (message.ask_again) text += ", asked again from " + to_iso8601(*message.ask_again);
  if (is_open(message.state) && message.answer_by) {
    text += ", to be answered by " + to_iso8601(*message.answer_by);
  }
  return text;
}

}  // namespace

Result<json> upstream_json(const Transaction& transaction, Connection& connection) {
  ASSIGN_OR_RETURN(const auto messages, UpstreamTable(connection).of_transaction(transaction.id));
  auto all = json::array();
  for (const auto& one : messages) all.push_back(one_json(one));
  return all;
}

Result<void> print_upstream(const Transaction& transaction, Asked which, Connection& connection) {
  ASSIGN_OR_RETURN(const auto messages, UpstreamTable(connection).of_transaction(transaction.id));
  for (const auto& one : messages) {
    if (which == Asked::all || is_open(one.state)) print_line("  " + in_words(one));
  }
  return {};
}

}  // namespace cmpost
