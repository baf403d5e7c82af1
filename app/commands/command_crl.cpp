#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "ca/serial_number.h"

namespace cmpost {
namespace {

using nlohmann::json;

json to_json(const CertificateList& crl) {
  json value = {{"number", crl.crlNumber.value_or(0)},
                {"issuer", crl.issuer.text()},
                {"thisUpdate", to_iso8601(crl.thisUpdate)},
                {"revoked", json::array()}};
  if (crl.baseCRLNumber) value["base"] = *crl.baseCRLNumber;
  if (crl.nextUpdate) value["nextUpdate"] = to_iso8601(*crl.nextUpdate);
  for (const auto& entry : crl.revokedCertificates) {
    value["revoked"].push_back(
        {{"serial", serial_text(entry.userCertificate)},
         {"date", to_iso8601(entry.revocationDate)},
         {"reason", to_string(entry.reason.value_or(CRLReason::unspecified))}});
  }
  return value;
}

void print(const CertificateList& crl) {
  print_line((crl.baseCRLNumber ? "delta to CRL " + std::to_string(*crl.baseCRLNumber) + ", "
                                : std::string()) +
             "CRL number " + std::to_string(crl.crlNumber.value_or(0)) + " of " +
             crl.issuer.text() + ", made " + to_iso8601(crl.thisUpdate) +
             (crl.nextUpdate ? ", next one due " + to_iso8601(*crl.nextUpdate) : ""));
  Table table({"serial", "date", "reason"});
  for (const auto& entry : crl.revokedCertificates) {
    table.add({serial_text(entry.userCertificate), to_iso8601(entry.revocationDate),
               to_string(entry.reason.value_or(CRLReason::unspecified))});
  }
  table.print("nothing is revoked");
}

Result<ExitCode> issue(const CommonOptions& common, bool delta) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(record_act(*instance, "crl.ordered", {{"kind", delta ? "delta" : "complete"}}));
  ASSIGN_OR_RETURN(const auto crl, delta ? issue_delta_crl(*instance) : issue_crl(*instance));
  if (common.json) {
    print_json(to_json(crl));
  } else if (!common.quiet) {
    print(crl);
  }
  return ExitCode::ok;
}

Result<ExitCode> show(const CommonOptions& common, bool delta) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto newest, delta ? reader->newest_delta_crl() : reader->newest_crl());
  if (!newest && delta)
    return hold("there is no delta CRL", "`cmpost crl issue --delta` makes one");
  if (!newest) return hold("there is no CRL yet", "`cmpost crl issue` makes one");
  ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
  common.json ? print_json(to_json(crl)) : print(crl);
  return ExitCode::ok;
}

Result<ExitCode> list(const ListOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, options.read(*instance));
  RowSink sink({"number", "delta to", "made", "next one due", "octets"}, options.form(common),
               "there is no CRL yet");
  const auto each = [&](const LedgerReader::CrlRow& crl) -> Result<void> {
    sink.add(
        [&] {
          return std::vector{std::to_string(crl.number), crl.base ? std::to_string(*crl.base) : "",
                             to_iso8601(crl.this_update), to_iso8601(crl.next_update),
                             std::to_string(crl.size)};
        },
        [&] {
          return json{{"number", crl.number},
                      {"base", crl.base ? json(*crl.base) : json()},
                      {"thisUpdate", to_iso8601(crl.this_update)},
                      {"nextUpdate", to_iso8601(crl.next_update)},
                      {"size", crl.size}};
        });
    return {};
  };
  ASSIGN_OR_RETURN(const auto all, reader->for_each_crl(filter, each));
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

}  // namespace

void add_crl(CommandLine line) {
  auto* crl = line.app.add_subcommand("crl", "the list of revoked certificates");
  crl->require_subcommand(1);
  auto* common = &line.options;
  auto delta = std::make_shared<bool>(false);
  auto* issuing = crl->add_subcommand("issue", "make and publish a new one now");
  issuing->add_flag("--delta", *delta, "only what has changed since the newest complete one");
  issuing->callback([=] { line.action = [=] { return issue(*common, *delta); }; });
  auto options = std::make_shared<ListOptions>();
  auto* listing = crl->add_subcommand("list", "those that were issued, oldest first");
  options->offer(*listing, {.filters = {FilterBy::time}});
  listing->callback([=] { line.action = [=] { return list(*options, *common); }; });
  auto* showing = crl->add_subcommand("show", "the newest one");
  showing->add_flag("--delta", *delta, "the newest delta CRL");
  showing->callback([=] { line.action = [=] { return show(*common, *delta); }; });
}

}  // namespace cmpost
