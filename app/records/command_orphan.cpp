// `orphan`: certificates that a CA above has issued and that nobody has.
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/records/record_commands.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "asn1/pem.h"
#include "processor/upstream/orphan_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr const char* kShowsThem = "`cmpost orphan list --all` shows them";

struct OrphanOptions {
  bool all = false;
  std::int64_t id = 0;
  std::string reason;
};

json to_json(const Orphan& orphan) {
  return {{"id", orphan.id},
          {"state", to_string(orphan.state)},
          {"serial", to_hex(orphan.serial)},
          {"subject", orphan.subject},
          {"issuer", orphan.issuer},
          {"channel", orphan.channel},
          {"tid", to_hex(orphan.transactionID)},
          {"since", to_iso8601(orphan.since)},
          {"why", orphan.why},
          {"note", orphan.note},
          {"certificate", to_pem_text("CERTIFICATE", orphan.der)}};
}

bool is_done(const Orphan& orphan) {
  return orphan.state == OrphanState::revoked || orphan.state == OrphanState::kept;
}

Result<ExitCode> list_orphans(const OrphanOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto orphans, OrphanTable(reader->connection()).all());
  RowSink sink({"id", "state", "serial", "subject", "channel", "since", "why", "note"},
               common.json ? ListForm::json_array : ListForm::table,
               "no certificate is without its requester");
  for (const auto& one : orphans) {
    if (is_done(one) && !options.all) continue;
    sink.add(
        [&] {
          return std::vector<std::string>{std::to_string(one.id),
                                          std::string(to_string(one.state)),
                                          to_hex(one.serial),
                                          one.subject,
                                          one.channel,
                                          to_iso8601(one.since),
                                          one.why,
                                          one.note};
        },
        [&] { return to_json(one); });
  }
  sink.finish(0);
  return ExitCode::ok;
}

Result<Orphan> find_orphan(Connection& connection, std::int64_t id) {
  ASSIGN_OR_RETURN(auto found, OrphanTable(connection).find(id));
  if (found) return *std::move(found);
  return hold("no certificate has the number " + std::to_string(id), kShowsThem);
}

Result<ExitCode> show_orphan(const OrphanOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto orphan, find_orphan(reader->connection(), options.id));
  const auto shown = to_json(orphan);
  if (common.json) {
    print_json(shown);
    return ExitCode::ok;
  }
  for (const auto* key : {"state", "serial", "subject", "issuer", "channel", "tid", "since", "why",
                          "note", "certificate"}) {
    print_line(std::string(key) + ": " + shown[key].get<std::string>());
  }
  return ExitCode::ok;
}

Result<void> settle(const OrphanOptions& options, const CommonOptions& common, OrphanChange change,
                    std::string_view event) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto orphan, find_orphan(reader->connection(), options.id));
  change.id = orphan.id;
  const auto detail = by(instance->person(), {{"serial", to_hex(orphan.serial)},
                                              {"issuer", printable(orphan.issuer)},
                                              {"reason", printable(options.reason)}});
  bool done = false;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(done, OrphanTable(writer.connection()).change(change));
    return done ? writer.audit(event, detail.dump()) : Result<void>();
  }));
  if (done) return {};
  return hold(
      "the certificate " + to_hex(orphan.serial) + " is " + std::string(to_string(orphan.state)),
      kShowsThem);
}

Result<ExitCode> revoke_orphan(const OrphanOptions& options, const CommonOptions& common) {
  TRY(settle(options, common,
             {.from = {OrphanState::open, OrphanState::kept}, .to = OrphanState::wanted},
             "orphan.revocation_ordered"));
  if (!common.quiet) print_line("the service, or `cmpost run`, asks the CA to revoke it");
  return ExitCode::ok;
}

Result<ExitCode> note_revoked(const OrphanOptions& options, const CommonOptions& common) {
  TRY(settle(options, common,
             {.from = {OrphanState::open, OrphanState::wanted, OrphanState::asked},
              .to = OrphanState::revoked,
              .note = options.reason},
             "orphan.revoked_by_hand"));
  return ExitCode::ok;
}

Result<ExitCode> keep_orphan(const OrphanOptions& options, const CommonOptions& common) {
  TRY(settle(options, common,
             {.from = {OrphanState::open, OrphanState::wanted},
              .to = OrphanState::kept,
              .note = options.reason},
             "orphan.kept"));
  return ExitCode::ok;
}

}  // namespace

void add_orphan(CommandLine line) {
  auto* orphan = line.app.add_subcommand(
      "orphan", "certificates that a CA has issued and that nobody has (an RA)");
  orphan->require_subcommand(1);
  auto options = std::make_shared<OrphanOptions>();
  auto* common = &line.options;
  auto* listing = orphan->add_subcommand("list", "those that somebody has to do something about");
  listing->add_flag("--all", options->all, "also those that are revoked or kept");
  listing->callback([=] { line.action = [=] { return list_orphans(*options, *common); }; });
  const auto add = [&](const char* name, const char* help, auto action) {
    auto* command = orphan->add_subcommand(name, help);
    command->add_option("ID", options->id, "its number in the list")->required();
    command->callback([=] { line.action = [=] { return action(*options, *common); }; });
    return command;
  };
  add("show", "one of them, with its certificate", show_orphan);
  add("revoke", "ask the CA to revoke it, by rr", revoke_orphan);
  add("revoked", "it has been revoked at the CA by hand", note_revoked)
      ->add_option("--reason", options->reason, "how, kept with it");
  add("keep", "it stays valid", keep_orphan)
      ->add_option("--reason", options->reason, "why, kept with it")
      ->required();
}

}  // namespace cmpost
