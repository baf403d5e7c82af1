#include "app/officers/acting_officer.h"

#include <algorithm>

#include "base/printable.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {

Result<std::vector<Officer>> load_officers(const Settings& settings) {
  std::vector<Officer> officers;
  for (const auto& one : settings.officers) {
    ASSIGN_OR_RETURN(auto officer, load_officer(one));
    officers.push_back(std::move(officer));
  }
  return officers;
}

Result<std::optional<Officer>> acting_officer(const Instance& instance) {
  const auto& settings = instance.settings();
  if (settings.officers.empty()) return std::nullopt;
  const auto& person = instance.person();
  const auto found =
      std::ranges::find(settings.officers, person.account, &OfficerSettings::account);
  if (found == settings.officers.end()) {
    return hold("the account " + printable(person.account) + " is no officer's",
                "who decides stands in [[officer]] of the settings");
  }
  if (!person.as.empty() && person.as != found->name) {
    return wrong_usage("--as " + printable(person.as) + ": the account " +
                           printable(person.account) + " is that of the officer " + found->name,
                       "leave --as out: the account says who decides");
  }
  ASSIGN_OR_RETURN(auto officer, load_officer(*found));
  return officer;
}

Result<VerdictText> verdict_about(const NamedRequest& named, Connection& connection,
                                  const std::string& officer, bool approves,
                                  const std::string& reason, Time now) {
  const auto& transaction = named.transaction;
  ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection).find(transaction.id));
  ASSIGN_OR_RETURN(const auto first, TransactionTable(connection).first_message(transaction.id));
  const auto* part =
      waiting && named.choice.certReqId ? waiting->part(*named.choice.certReqId) : nullptr;
  const auto digest = part == nullptr ? std::nullopt : part->digest();
  if (!first || !digest) {
    return hold("nothing waits of it that could be signed for",
                "`cmpost transaction show` says what does, and its digest");
  }
  VerdictText text;
  text.transactionID = transaction.transactionID;
  text.certReqId = part->certReqId;
  text.round = part->round;
  text.request = to_bytes(first->digest);
  text.object = to_bytes(*digest);
  text.approves = approves;
  text.officer = officer;
  text.at = std::chrono::floor<std::chrono::seconds>(now);
  text.reason = printable(reason, 1000);
  return text;
}

}  // namespace cmpost
