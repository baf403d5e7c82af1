#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/operator_act.h"
#include "app/instance/own_renewal.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"

namespace cmpost {
namespace {

Result<std::unique_ptr<Instance>> open_ra(const CommonOptions& common) {
  ASSIGN_OR_RETURN(auto instance, Instance::open(common));
  if (instance->is_ca()) {
    return wrong_usage("this instance is a CA, which asks nobody for a certificate",
                       "`cmpost ca credential cmp` makes one for it");
  }
  return instance;
}

Result<ExitCode> renew(const std::string& body, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, open_ra(common));
  TRY(settle_own_certificate(*instance));
  ASSIGN_OR_RETURN(const auto renewal,
                   begin_own_renewal(*instance, body, instance->person().account));
  if (common.json) {
    print_json({{"tid", to_hex(renewal.transactionID)},
                {"request", renewal.body},
                {"channel", renewal.channel}});
  } else if (!common.quiet) {
    print_line(renewal.body + " for a certificate of this RA goes to the CA by channel " +
               renewal.channel + " (transaction " + to_hex(renewal.transactionID) +
               "). The service, or `cmpost run`, does the rest; `cmpost ra show` tells of it.");
  }
  return ExitCode::ok;
}

nlohmann::json to_json(const OwnRenewal& renewal) {
  return {{"state", to_string(renewal.state)},
          {"request", renewal.body},
          {"channel", renewal.channel},
          {"tid", to_hex(renewal.transactionID)},
          {"begun", to_iso8601(renewal.begun)},
          {"ended", renewal.ended ? nlohmann::json(to_iso8601(*renewal.ended)) : nlohmann::json()},
          {"reason", renewal.reason}};
}

Result<ExitCode> show(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, open_ra(common));
  ASSIGN_OR_RETURN(const auto certificate,
                   Instance::certificate_in(instance->cmp_certificate_file()));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto newest, OwnRenewalTable(reader->connection()).newest());
  const auto due = renewal_due(*instance->settings().ra, certificate);
  if (common.json) {
    print_json({{"subject", certificate.subject().text()},
                {"issuer", certificate.issuer().text()},
                {"serial", certificate.serial_hex()},
                {"notAfter", to_iso8601(certificate.not_after())},
                {"asked_from", due ? nlohmann::json(to_iso8601(*due)) : nlohmann::json()},
                {"renewal", newest ? to_json(*newest) : nlohmann::json()}});
    return ExitCode::ok;
  }
  print_line(printable(certificate.subject().text()) + ", issued by " +
             printable(certificate.issuer().text()) + ", until " +
             to_iso8601(certificate.not_after()));
  print_line(due ? "the next one is asked for from " + to_iso8601(*due) + " on"
                 : "nothing is asked for by itself (renew_before)");
  if (newest) {
    print_line("last renewal: " + newest->body + " to " + newest->channel + ", begun " +
               to_iso8601(newest->begun) + ": " + std::string(to_string(newest->state)) +
               (newest->reason.empty() ? "" : ", " + printable(newest->reason, 500)));
  }
  return ExitCode::ok;
}

Result<ExitCode> give_up(bool anyway, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, open_ra(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto newest, OwnRenewalTable(reader->connection()).newest());
  const bool can =
      newest && (newest->state == RenewalState::asked || newest->state == RenewalState::confirming);
  if (!can) {
    return hold(newest && newest->state == RenewalState::granted
                    ? "the certificate is granted, and comes into use"
                    : "no certificate for this RA is under way");
  }
  if (newest->state == RenewalState::confirming && !anyway) {
    return hold(
        "the CA has issued the certificate, and may count it as ours by now",
        "certConf is sent again until the CA answers; --anyway forgets the key all the same");
  }
  const auto detail =
      by(instance->person(), {{"tid", to_hex(newest->transactionID)}, {"request", newest->body}});
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(end_by_hand(*newest, instance->likely_clock().now(), writer));
    return writer.audit("ra.certificate_given_up", detail.dump());
  }));
  if (!common.quiet) print_line("given up; an answer that comes later is held");
  return ExitCode::ok;
}

}  // namespace

void add_ra(CommandLine line) {
  auto* ra = line.app.add_subcommand("ra", "an RA's own certificate, and how it is renewed");
  ra->require_subcommand(1);
  auto* common = &line.options;
  ra->add_subcommand("show", "the certificate and what became of the last renewal")->callback([=] {
    line.action = [=] { return show(*common); };
  });
  auto body = std::make_shared<std::string>();
  auto* command = ra->add_subcommand("renew", "ask the CA for the next one now");
  command
      ->add_option("--by", *body,
                   "kur, ir, cr or p10cr (default: `renew_by` of [ra], else kur where the CA has "
                   "issued the present one)")
      ->check(one_of("request", {"kur", "ir", "cr", "p10cr"}));
  command->callback([=] { line.action = [=] { return renew(*body, *common); }; });
  auto anyway = std::make_shared<bool>(false);
  auto* ends = ra->add_subcommand("give-up", "wait no longer for what is under way");
  ends->add_flag("--anyway", *anyway, "also of a certificate that the CA has issued already");
  ends->callback([=] { line.action = [=] { return give_up(*anyway, *common); }; });
}

}  // namespace cmpost
