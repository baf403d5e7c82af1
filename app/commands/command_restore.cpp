// `restore-check`: what a restored backup lacks of what has left the house.
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/looking/restore.h"
#include "app/terminal/output.h"
#include "ca/serial_number.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct RestoreOptions {
  std::vector<std::string> from;
  bool apply = false;
};

// `applied`: all of it has been brought back.
json to_json(const Losses& losses, bool applied) {
  json value = {{"certificates", json::array()},
                {"revocations", json::array()},
                {"published_number", losses.published_number},
                {"ledger_number", losses.ledger_number},
                {"unread", losses.unread},
                {"applied",
                 {{"certificates", applied ? losses.certificates.size() : 0},
                  {"revocations", applied ? losses.revocations.size() : 0},
                  {"number", applied && losses.is_number_behind()}}}};
  for (const auto& [record, found_in] : losses.certificates) {
    value["certificates"].push_back({{"serial", serial_text(record.serial)},
                                     {"subject", record.subject},
                                     {"notAfter", to_iso8601(record.not_after)},
                                     {"found_in", found_in}});
  }
  for (const auto& entry : losses.revocations) {
    value["revocations"].push_back(
        {{"serial", serial_text(entry.userCertificate)},
         {"date", to_iso8601(entry.revocationDate)},
         {"reason", to_string(entry.reason.value_or(CRLReason::unspecified))}});
  }
  return value;
}

void print(const Losses& losses) {
  Table certificates({"certificate", "subject", "notAfter", "found in"});
  for (const auto& [record, found_in] : losses.certificates) {
    certificates.add({serial_text(record.serial), printable(record.subject),
                      to_iso8601(record.not_after), printable(found_in)});
  }
  certificates.print("no certificate is missing");
  Table revocations({"revocation", "date", "reason"});
  for (const auto& entry : losses.revocations) {
    revocations.add({serial_text(entry.userCertificate), to_iso8601(entry.revocationDate),
                     to_string(entry.reason.value_or(CRLReason::unspecified))});
  }
  revocations.print("no revocation is missing");
  if (losses.is_number_behind()) {
    print_line("the newest CRL that was found has the number " +
               std::to_string(losses.published_number) + ", the newest that the ledger knows of " +
               std::to_string(losses.ledger_number));
  }
}

// What a CA above has answered comes again, or is asked for again; only orders cost money twice.
Result<ExitCode> check_orders(Instance& instance, bool apply) {
  ASSIGN_OR_RETURN(const auto orders, orders_to_be_placed(instance));
  if (apply && !orders.empty()) {
    TRY(record_act(instance, "restore.ordered", {{"orders", orders.size()}}));
    TRY(hold_orders(instance, orders));
  }
  for (const auto& one : orders) {
    print_line("order " + one.id +
               (apply ? " is held: ask the CA, then `cmpost order resubmit`"
                      : " may have been placed; --apply holds it"));
  }
  return orders.empty() || apply ? ExitCode::ok : ExitCode::partly;
}

Result<ExitCode> check(const RestoreOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  if (!instance->is_ca()) return check_orders(*instance, options.apply);
  ASSIGN_OR_RETURN(const auto losses, find_losses(*instance, options.from));
  for (const auto& place : losses.unread) {
    print_error(Error{Recovery::hold, "not looked at: " + place, {}});
  }
  if (!common.json && !common.quiet) print(losses);
  const bool applied = options.apply && !losses.none();
  if (applied) {
    TRY(record_act(*instance, "restore.ordered",
                   {{"certificates", losses.certificates.size()},
                    {"revocations", losses.revocations.size()},
                    {"crl_number", losses.published_number}}));
    TRY(bring_back(*instance, losses));
  }
  if (common.json) {
    print_json(to_json(losses, applied));
  } else if (!common.quiet && applied) {
    print_line("brought back: " + std::to_string(losses.certificates.size()) + " certificates, " +
               std::to_string(losses.revocations.size()) + " revocations" +
               (losses.is_number_behind()
                    ? "; the next CRL has a number above " + std::to_string(losses.published_number)
                    : ""));
  } else if (!common.quiet && !losses.none()) {
    print_line("`cmpost restore-check --apply` brings it back");
  }
  const bool complete = losses.unread.empty() && (losses.none() || applied);
  return complete ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

void add_restore_check(CommandLine line) {
  auto* command = line.app.add_subcommand(
      "restore-check", "what a restored ledger lacks of what has left the house");
  auto options = std::make_shared<RestoreOptions>();
  command->add_option("--from", options->from,
                      "also look into these files or directories: answers, certificates, CRLs");
  command->add_flag("--apply", options->apply, "bring all of it back");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return check(*options, *common); }; });
}

}  // namespace cmpost
