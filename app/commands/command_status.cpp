// `status`: how an instance does. Whatever is wrong, the rest is said all the same.
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/looking/status_output.h"
#include "app/terminal/output.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {
namespace {

// Of the answers in the spool: a look that is cheap enough to be made every minute.
constexpr std::size_t kNewestAnswers = 1000;

Result<void> read_ledger(LedgerReader& reader, Status& status) {
  ASSIGN_OR_RETURN(status.certificates, reader.count());
  ASSIGN_OR_RETURN(const auto newest, reader.newest_crl());
  if (newest) {
    ASSIGN_OR_RETURN(status.crl, CertificateList::from_der(newest->second));
  }
  ASSIGN_OR_RETURN(status.ageing, TransactionTable(reader.connection()).ageing());
  ASSIGN_OR_RETURN(status.undecided, WaitTable(reader.connection()).backlog());
  if (status.settings->ra) {
    UpstreamTable table(reader.connection());
    ASSIGN_OR_RETURN(status.upstream, table.backlog());
    ASSIGN_OR_RETURN(status.on_channels, table.open_by_channel());
  }
  return {};
}

void look_at_ledger(Instance& instance, Status& status) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return status.findings.add(RemarkKind::database, "the ledger", reader.error());
  if (const auto read = read_ledger(**reader, status); !read) {
    status.findings.add(RemarkKind::database, "the ledger", read.error());
  }
}

void look_at_ca(Instance& instance, Status& status) {
  const auto& file = instance.is_ca() ? instance.ca().certificate : instance.cmp_certificate_file();
  if (file.empty()) return;  // a mistake of the settings, which is said
  auto certificate = instance.certificate_in(file);
  if (!certificate) return status.findings.add(RemarkKind::credential, {}, certificate.error());
  status.ca = std::move(*certificate);
}

void gather(Instance& instance, Status& status) {
  status.settings = &instance.settings();
  // First what many looks need, so that it is what a failure is told of.
  look_at_ledger(instance, status);
  look_at_ca(instance, status);
  look_at_clock(instance, status.findings);
  status.jobs = look_at_jobs(instance, status.findings);
  status.work = look_at_work(instance, status.findings);
  if (!status.ca) return;
  if (instance.may_not_read_keys()) {
    look_without_keys(instance, status.findings);
    return status.findings.add(
        {Severity::note,
         RemarkKind::credential,
         {},
         "this account may not read the keys: published CRLs, answers and other certificates than "
         "those of CA and CMP were not looked at",
         "`cmpost check` by the account of the service looks at them",
         {}});
  }
  look_at_authority(instance, kNewestAnswers, status.findings);
}

Result<ExitCode> status(const CommonOptions& options) {
  Status status;
  const auto opened = open_legible(options);
  if (!opened) {
    status.findings.add(RemarkKind::settings, {}, opened.error());
  } else {
    for (const auto& complaint : opened->complaints) status.findings.add(complaint);
    if (opened->instance) gather(*opened->instance, status);
  }
  options.json ? print_json(to_json(status)) : print(status, SystemClock().now());
  return status.findings.exit_code();
}

}  // namespace

void add_status(CommandLine line) {
  auto* command = line.app.add_subcommand("status", "queues, CA and CRL lifetime, channels");
  command->callback([line] { line.action = [common = &line.options] { return status(*common); }; });
}

}  // namespace cmpost
