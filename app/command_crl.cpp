#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/instance.h"
#include "app/output.h"

namespace cmpost {
namespace {

using nlohmann::json;

std::string serial_text(const RevokedCertificate& entry) {
  ByteView serial = entry.userCertificate;
  while (serial.size() > 1 && serial.front() == 0) serial = serial.subspan(1);
  return to_hex(serial);
}

json to_json(const CertificateList& crl) {
  json value = {{"number", crl.crlNumber.value_or(0)},
                {"issuer", crl.issuer.text()},
                {"thisUpdate", to_iso8601(crl.thisUpdate)},
                {"revoked", json::array()}};
  if (crl.nextUpdate) value["nextUpdate"] = to_iso8601(*crl.nextUpdate);
  for (const auto& entry : crl.revokedCertificates) {
    value["revoked"].push_back(
        {{"serial", serial_text(entry)},
         {"date", to_iso8601(entry.revocationDate)},
         {"reason", to_string(entry.reason.value_or(CRLReason::unspecified))}});
  }
  return value;
}

void print(const CertificateList& crl) {
  print_line("CRL number " + std::to_string(crl.crlNumber.value_or(0)) + " of " +
             crl.issuer.text() + ", made " + to_iso8601(crl.thisUpdate) +
             (crl.nextUpdate ? ", next one due " + to_iso8601(*crl.nextUpdate) : ""));
  Table table({"serial", "date", "reason"});
  for (const auto& entry : crl.revokedCertificates) {
    table.add({serial_text(entry), to_iso8601(entry.revocationDate),
               to_string(entry.reason.value_or(CRLReason::unspecified))});
  }
  table.print("nothing is revoked");
}

Result<ExitCode> issue(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto crl, issue_crl(*instance));
  if (common.json) {
    print_json(to_json(crl));
  } else if (!common.quiet) {
    print(crl);
  }
  return ExitCode::ok;
}

Result<ExitCode> show(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto newest, reader->newest_crl());
  if (!newest) return hold("there is no CRL yet", "`cmpost crl issue` makes one");
  ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
  common.json ? print_json(to_json(crl)) : print(crl);
  return ExitCode::ok;
}

}  // namespace

void add_crl(CommandLine line) {
  auto* crl = line.app.add_subcommand("crl", "the list of revoked certificates");
  crl->require_subcommand(1);
  auto* common = &line.options;
  crl->add_subcommand("issue", "make and publish a new one now")->callback([=] {
    line.action = [=] { return issue(*common); };
  });
  crl->add_subcommand("show", "the newest one")->callback([=] {
    line.action = [=] { return show(*common); };
  });
}

}  // namespace cmpost
