// `approve` and `reject`: people decide on what waits.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/records/consent_output.h"
#include "app/records/find_transaction.h"
#include "app/records/record_commands.h"
#include "app/terminal/output.h"
#include "processor/approval.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct ApproveOptions {
  bool approves = true;
  std::vector<std::string> ids;
  std::string batch, reason, digest;
};

struct Named {
  Transaction transaction;
  Choice choice;
};

// "TID" or "TID:certReqId"
Result<Named> read_named(Connection& connection, const std::string& text) {
  Named named;
  const auto colon = text.find(':');
  if (colon != std::string::npos) {
    const auto* const end = text.data() + text.size();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, number);
    if (error != std::errc() || stop != end) {
      return wrong_usage("\"" + printable(text, 80) + "\" names no part",
                         "write TID:certReqId, such as 0a1b...:0");
    }
    named.choice.certReqId = number;
  }
  ASSIGN_OR_RETURN(named.transaction, find_transaction(connection, text.substr(0, colon)));
  return named;
}

Result<std::optional<Sha256>> read_digest(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto octets = from_hex(text);
  Sha256 digest{};
  if (!octets || octets->size() != digest.size()) {
    return wrong_usage("\"" + printable(text, 80) + "\" is no digest",
                       "`cmpost transaction show` has it, 64 hexadecimal digits");
  }
  std::ranges::copy(*octets, digest.begin());
  return digest;
}

Result<std::vector<Named>> read_choices(Connection& connection, const ApproveOptions& options) {
  ASSIGN_OR_RETURN(const auto digest, read_digest(options.digest));
  if (digest && !options.batch.empty()) {
    return wrong_usage("--digest names one request, and --batch many", "approve them one by one");
  }
  std::vector<Named> choices;
  for (const auto& id : options.ids) {
    ASSIGN_OR_RETURN(auto named, read_named(connection, id));
    named.choice.object = digest;
    choices.push_back(std::move(named));
  }
  if (options.batch.empty()) return choices;
  const auto batch = from_hex(options.batch);
  if (!batch || batch->empty()) {
    return wrong_usage("\"" + printable(options.batch, 80) + "\" is no transactionID of a batch",
                       "write it in hexadecimal");
  }
  ASSIGN_OR_RETURN(auto members, TransactionTable(connection).of_batch(ByteView(*batch)));
  for (auto& member : members) {
    if (member.state == TransactionState::waiting) choices.push_back({std::move(member), {}});
  }
  return choices;
}

Result<ExitCode> nothing_to_decide(const ApproveOptions& options) {
  if (options.batch.empty()) {
    return wrong_usage("nothing is named", "give transactionIDs or --batch");
  }
  return hold("nothing waits of a batch with the transactionID " + printable(options.batch, 80),
              "--batch takes the whole transactionID of the nested message, which the members' "
              "`batch` in `cmpost transaction list --state waiting --json` names");
}

Vote vote_of(const Person& person, const ApproveOptions& options) {
  Vote vote;
  vote.approves = options.approves;
  vote.who = person.name();
  vote.account = person.account;
  vote.uid = person.uid;
  vote.sudo_user = person.sudo_user;
  vote.reason = options.reason.empty() ? person.comment : options.reason;
  return vote;
}

// Neither the key of the CA nor the sealing key is touched: whoever decides need not be able to
// read them.
Result<ExitCode> decide_all(const ApproveOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto choices, read_choices(reader->connection(), options));
  if (choices.empty()) return nothing_to_decide(options);
  const auto vote = vote_of(instance->person(), options);
  auto shown = json::array();
  std::size_t counted = 0;
  for (const auto& choice : choices) {
    ASSIGN_OR_RETURN(
        const auto verdict,
        decide(*spool, *ledger, instance->settings().channel(choice.transaction.channel),
               instance->clock(), choice.transaction, choice.choice, vote));
    const auto decided = verdict.decided;
    const auto tid = to_hex(choice.transaction.transactionID);
    const bool counts = decided == Decided::done || decided == Decided::one_more;
    counted += counts ? 1 : 0;
    shown.push_back({{"tid", tid},
                     {"counts", counts},
                     {"outcome", to_string(decided)},
                     {"parts", json::array()}});
    for (const auto& part : verdict.about) shown.back()["parts"].push_back(to_json(part));
    if (common.json || (common.quiet && counts)) continue;
    const auto text = tid + ": " + std::string(to_string(decided));
    counts ? print_line(text) : print_error(Error{Recovery::hold, text, {}});
    for (const auto& part : verdict.about) print_part(part, Detail::brief);
  }
  if (common.json) print_json(shown);
  if (counted == choices.size()) return ExitCode::ok;
  return counted == 0 ? ExitCode::failed : ExitCode::partly;
}

void add_decision(CommandLine line, const char* name, const char* help, bool approves) {
  auto options = std::make_shared<ApproveOptions>();
  options->approves = approves;
  auto* command = line.app.add_subcommand(name, help);
  command->add_option("ID", options->ids,
                      "transactionIDs or their beginnings, or TID:certReqId for one part");
  command->add_option("--batch", options->batch,
                      "all that waits of the nested message with this "
                      "transactionID");
  command->add_option("--reason", options->reason,
                      "kept, and told to the requester of what is "
                      "rejected");
  command->add_option("--digest", options->digest,
                      "only what has this digest, as `transaction show` has shown it");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return decide_all(*options, *common); }; });
}

}  // namespace

void add_approve(CommandLine line) {
  add_decision(line, "approve", "agree to requests that wait", true);
}

void add_reject(CommandLine line) {
  add_decision(line, "reject", "refuse requests that wait", false);
}

}  // namespace cmpost
