// `approve` and `reject`: people decide on what waits.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/officers/acting_officer.h"
#include "app/officers/decision_choice.h"
#include "app/officers/officer_commands.h"
#include "app/records/consent_output.h"
#include "app/records/find_transaction.h"
#include "app/terminal/output.h"
#include "crypto/envelope/cms.h"
#include "processor/admission/credential_files.h"
#include "processor/approval.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

Result<ExitCode> nothing_to_decide(const DecisionWords& options) {
  if (options.batch.empty() && options.matching.empty()) {
    return wrong_usage("nothing is named", "give transactionIDs, --batch or --matching");
  }
  if (options.batch.empty()) {
    return hold("nothing waits that matches " + printable(options.matching, 80),
                "`cmpost transaction list --state waiting` shows what does");
  }
  return hold("nothing waits of the batch " + printable(options.batch, 80),
              "--batch takes the name of a batch, or the whole transactionID of a nested message, "
              "which the members' `batch` in `cmpost transaction list --state waiting --json` "
              "names");
}

Vote vote_of(const Person& person, const std::optional<Officer>& officer,
             const DecisionWords& options) {
  Vote vote;
  vote.approves = options.approves;
  vote.who = officer ? officer->name : person.name();
  vote.account = person.account;
  vote.uid = person.uid;
  vote.sudo_user = person.sudo_user;
  vote.reason = options.reason.empty() ? person.comment : options.reason;
  return vote;
}

std::string words_of(const Ruling& ruling) {
  return std::string(to_string(ruling.decided)) + (ruling.why.empty() ? "" : ": " + ruling.why);
}

// What is signed is about one part each.
Result<std::vector<NamedRequest>> by_parts(const std::vector<NamedRequest>& choices,
                                           Connection& connection) {
  std::vector<NamedRequest> parts;
  for (const auto& one : choices) {
    ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection).find(one.transaction.id));
    if (!waiting) continue;
    for (const auto& part : waiting->parts) {
      if (one.choice.certReqId && part.certReqId != *one.choice.certReqId) continue;
      if (one.choice.object && part.digest() != one.choice.object) continue;
      parts.push_back({one.transaction, {part.certReqId, part.digest()}});
    }
  }
  return parts;
}

// The verdicts of an officer who has a certificate carry his signature.
class Signing {
 public:
  static Result<Signing> open(Instance& instance, const std::optional<Officer>& officer,
                              const DecisionWords& options) {
    Signing signing(instance, officer, options);
    const bool wanted = officer && officer->certificate;
    if (!wanted && options.key.empty()) return signing;
    if (!wanted) {
      return wrong_usage("--key signs a verdict, and no certificate is known to hold it against",
                         "certificate = \"...\" in [[officer]]");
    }
    if (options.key.empty()) {
      return wrong_usage("the verdicts of the officer " + officer->name + " are signed",
                         "--key FILE, or sign on another machine: `cmpost verdict text`");
    }
    ASSIGN_OR_RETURN(signing.key_, read_key(options.key, {}));
    if (!equal(signing.key_->public_key().spki(), officer->certificate->spki())) {
      return wrong_usage("the key does not fit the certificate of the officer " + officer->name);
    }
    return signing;
  }
  bool signs() const { return key_.has_value(); }

  Result<void> sign(const NamedRequest& named, Connection& connection, Vote& vote) const {
    ASSIGN_OR_RETURN(const auto text,
                     verdict_about(named, connection, officer_->name, options_.approves,
                                   vote.reason, instance_.clock().now()));
    const auto& certificate = *officer_->certificate;
    const auto spelled = spell(text);
    ASSIGN_OR_RETURN(vote.signature,
                     cms_sign(view_of(spelled), CmsForm::opaque, certificate, *key_, {}, text.at));
    vote.at = text.at;
    return {};
  }

 private:
  Signing(Instance& instance, const std::optional<Officer>& officer, const DecisionWords& options)
      : instance_(instance), officer_(officer), options_(options) {}

  Instance& instance_;
  const std::optional<Officer>& officer_;
  const DecisionWords& options_;
  std::optional<PrivateKey> key_;
};

// Neither the key of the CA nor the sealing key is touched: whoever decides need not be able to
// read them.
Result<ExitCode> decide_all(const DecisionWords& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto officer, acting_officer(*instance));
  ASSIGN_OR_RETURN(auto choices, choose(*reader, options));
  if (choices.empty()) return nothing_to_decide(options);
  ASSIGN_OR_RETURN(const auto signing, Signing::open(*instance, officer, options));
  if (signing.signs()) {
    ASSIGN_OR_RETURN(choices, by_parts(choices, reader->connection()));
  }
  auto shown = json::array();
  std::size_t counted = 0;
  for (const auto& choice : choices) {
    auto vote = vote_of(instance->person(), officer, options);
    if (signing.signs()) TRY(signing.sign(choice, reader->connection(), vote));
    ASSIGN_OR_RETURN(
        const auto verdict,
        decide(*spool, *ledger, instance->settings().channel(choice.transaction.channel),
               instance->clock(), choice.transaction, choice.choice, vote,
               officer ? &*officer : nullptr));
    const auto decided = verdict.decided;
    const auto tid = to_hex(choice.transaction.transactionID);
    const bool counts = decided == Decided::done || decided == Decided::one_more;
    counted += counts ? 1 : 0;
    shown.push_back({{"tid", tid},
                     {"counts", counts},
                     {"outcome", words_of(verdict)},
                     {"parts", json::array()}});
    for (const auto& part : verdict.about) shown.back()["parts"].push_back(to_json(part));
    if (common.json || (common.quiet && counts)) continue;
    const auto text = tid + ": " + words_of(verdict);
    counts ? print_line(text) : print_error(Error{Recovery::hold, text, {}});
    for (const auto& part : verdict.about) print_part(part, Detail::brief);
  }
  if (common.json) print_json(shown);
  if (counted == choices.size()) return ExitCode::ok;
  return counted == 0 ? ExitCode::failed : ExitCode::partly;
}

void add_decision(CommandLine line, const char* name, const char* help, bool approves) {
  auto options = std::make_shared<DecisionWords>();
  options->approves = approves;
  auto* command = line.app.add_subcommand(name, help);
  command->add_option("ID", options->ids,
                      "transactionIDs or their beginnings, or TID:certReqId for one part");
  command->add_option(
      "--batch", options->batch,
      "all that waits of this batch of requests (by its name, with --expect), or of "
      "the nested message with this transactionID");
  command->add_option("--matching", options->matching,
                      "all that waits and has TEXT in it: subject~TEXT, requester~TEXT, "
                      "source~TEXT, channel~NAME");
  command
      ->add_option("--expect", options->expect,
                   "so many transactions; where there are more or fewer nothing is decided")
      ->check(CLI::PositiveNumber);
  command->add_option("--key", options->key,
                      "private key of the officer (PEM), who signs each verdict");
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
