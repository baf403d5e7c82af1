// `verdict`: what officers sign on other machines.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "app/officers/acting_officer.h"
#include "app/officers/officer_commands.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "base/printable.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestVerdict = std::size_t{256} << 10U;

struct VerdictWords {
  std::string id, officer, reason, out;
  bool rejects = false;
  std::vector<std::string> files;
};

// TID alone names the only part that waits.
Result<NamedRequest> only_part(LedgerReader& ledger, const VerdictWords& words) {
  DecisionWords decision;
  decision.ids = {words.id};
  ASSIGN_OR_RETURN(const auto chosen, choose(ledger, decision));
  auto named = chosen.front();
  if (named.choice.certReqId) return named;
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(ledger.connection()).find(named.transaction.id));
  if (waiting && waiting->parts.size() == 1) {
    named.choice.certReqId = waiting->parts.front().certReqId;
    return named;
  }
  return wrong_usage("a signature is about one part", "write TID:certReqId, such as 0a1b...:0");
}

Result<std::string> officer_name(const Instance& instance, const VerdictWords& words) {
  if (!words.officer.empty()) return words.officer;
  ASSIGN_OR_RETURN(const auto officer, acting_officer(instance));
  if (officer) return officer->name;
  return wrong_usage("who will sign is not said", "--officer NAME, of the settings");
}

Result<ExitCode> write_text(const VerdictWords& words, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto ledger, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto named, only_part(*ledger, words));
  ASSIGN_OR_RETURN(const auto name, officer_name(*instance, words));
  ASSIGN_OR_RETURN(const auto verdict,
                   verdict_about(named, ledger->connection(), name, !words.rejects, words.reason,
                                 instance->clock().now()));
  const auto text = spell(verdict);
  if (words.out.empty()) {
    print_line(text.substr(0, text.size() - 1));
    return ExitCode::ok;
  }
  TRY(write_file(words.out, view_of(text), 0644, IfExists::fail));
  return ExitCode::ok;
}

// What was signed is about what waits now.
Result<void> check_still(const VerdictText& verdict, const Transaction& transaction,
                         Connection& connection) {
  ASSIGN_OR_RETURN(const auto first, TransactionTable(connection).first_message(transaction.id));
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection).find(transaction.id));
  const auto* part = waiting ? waiting->part(verdict.certReqId) : nullptr;
  if (!first || !equal(first->digest, verdict.request)) {
    return hold("it is about another request than the one of this transaction");
  }
  if (part == nullptr) return hold("no such part of it waits");
  const auto digest = part->digest();
  if (part->round == verdict.round && digest && equal(*digest, verdict.object)) return {};
  return hold("what waits is something else by now than what was signed",
              "`cmpost verdict text` writes what is to be signed now");
}

class Taking {
 public:
  Taking(Instance& instance, Ledger& ledger, Spool& spool, LedgerReader& reader,
         const std::vector<Officer>& officers)
      : instance_(instance), ledger_(ledger), spool_(spool), reader_(reader), officers_(officers) {}

  Result<Ruling> take(const std::string& file) {
    ASSIGN_OR_RETURN(const auto cms, read_file(file, kLargestVerdict));
    ASSIGN_OR_RETURN(const auto verdict,
                     read_signed_verdict(cms, officers_, instance_.clock().now()));
    ASSIGN_OR_RETURN(const auto transaction,
                     TransactionTable(reader_.connection()).find(ByteView(verdict.transactionID)));
    if (!transaction) return hold("no transaction " + to_hex(verdict.transactionID) + " is here");
    TRY(check_still(verdict, *transaction, reader_.connection()));
    const auto& officer = *std::ranges::find(officers_, verdict.officer, &Officer::name);
    return note(verdict, cms, officer, *transaction);
  }

 private:
  Result<Ruling> note(const VerdictText& verdict, const Bytes& cms, const Officer& officer,
                      const Transaction& transaction) {
    Vote vote;
    vote.approves = verdict.approves;
    vote.who = officer.name;
    vote.account = officer.account;
    vote.at = verdict.at;
    vote.reason = verdict.reason;
    vote.signature = cms;
    Choice choice{verdict.certReqId, Sha256{}};
    std::ranges::copy(verdict.object, choice.object->begin());
    TRY(record_act(instance_, "verdict.taken",
                   {{"tid", to_hex(verdict.transactionID)},
                    {"certReqId", verdict.certReqId},
                    {"officer", officer.name},
                    {"sha256", to_hex(sha256(cms))}}));
    return decide(spool_, ledger_, instance_.settings().channel(transaction.channel),
                  instance_.clock(), transaction, choice, vote, &officer);
  }

  Instance& instance_;
  Ledger& ledger_;
  Spool& spool_;
  LedgerReader& reader_;
  const std::vector<Officer>& officers_;
};

// One wrong file keeps the others from nothing.
Result<ExitCode> take_files(const VerdictWords& words, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto officers, load_officers(instance->settings()));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  Taking taking(*instance, *ledger, *spool, *reader, officers);
  std::size_t counted = 0;
  auto shown = json::array();
  for (const auto& file : words.files) {
    const auto ruling = taking.take(file);
    const bool counts =
        ruling && (ruling->decided == Decided::done || ruling->decided == Decided::one_more);
    counted += counts ? 1 : 0;
    const auto text = ruling ? std::string(to_string(ruling->decided)) +
                                   (ruling->why.empty() ? "" : ": " + ruling->why)
                             : to_string(ruling.error());
    shown.push_back({{"file", file}, {"counts", counts}, {"outcome", text}});
    if (common.json || (common.quiet && counts)) continue;
    const auto line = printable(file, 200) + ": " + text;
    counts ? print_line(line) : print_error(Error{Recovery::hold, line, {}});
  }
  if (common.json) print_json(shown);
  if (counted == words.files.size()) return ExitCode::ok;
  return counted == 0 ? ExitCode::failed : ExitCode::partly;
}

}  // namespace

void add_verdict(CommandLine line) {
  auto* verdict = line.app.add_subcommand("verdict", "verdicts that are signed on other machines");
  verdict->require_subcommand(1);
  auto words = std::make_shared<VerdictWords>();
  auto* common = &line.options;
  auto* text = verdict->add_subcommand("text", "what an officer has to sign, about one part");
  text->add_option("ID", words->id, "transactionID or its beginning, or TID:certReqId")->required();
  text->add_flag("--reject", words->rejects, "it is refused; else it is agreed to");
  text->add_option("--officer", words->officer, "who will sign; else whose account this is");
  text->add_option("--reason", words->reason,
                   "kept, and told to the requester of what is rejected");
  text->add_option("--out", words->out, "a new file, instead of the terminal");
  text->callback([=] { line.action = [=] { return write_text(*words, *common); }; });
  auto* take = verdict->add_subcommand("take", "take in verdicts with their signatures (CMS)");
  take->add_option("FILE", words->files, "SignedData around the text, DER")->required();
  take->callback([=] { line.action = [=] { return take_files(*words, *common); }; });
}

}  // namespace cmpost
