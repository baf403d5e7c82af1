#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/instance.h"
#include "app/output.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct AuditOptions {
  std::int64_t after = 0;
  std::size_t limit = 1000;
};

Result<ExitCode> show(const AuditOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto records, reader->audit(options.after, options.limit));
  auto all = json::array();
  Table table({"number", "time", "event", "detail"});
  for (const auto& record : records) {
    auto detail = json::parse(record.detail, nullptr, false);
    if (common.json) {
      all.push_back({{"id", record.id},
                     {"time", to_iso8601(record.time)},
                     {"event", record.event},
                     {"detail", std::move(detail)},
                     {"hash", to_hex(record.hash)}});
    } else {
      table.add({std::to_string(record.id), to_iso8601(record.time), record.event, record.detail});
    }
  }
  common.json ? print_json(all) : table.print("no audit records");
  return ExitCode::ok;
}

Result<ExitCode> verify(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto broken, verify_audit(reader->connection()));
  ASSIGN_OR_RETURN(const auto head, reader->audit_head());
  if (common.json) {
    json value = {{"records", head.id}, {"head", to_hex(head.hash)}};
    value["broken_at"] = broken ? json(*broken) : json();
    print_json(value);
  } else if (!broken && !common.quiet) {
    print_line("all " + std::to_string(head.id) + " audit records fit; the newest hash is " +
               to_hex(head.hash));
  }
  if (!broken) return ExitCode::ok;
  return hold("audit record " + std::to_string(*broken) + " does not fit the chain",
              "it or one before it was changed or removed; compare with a backup");
}

}  // namespace

void add_audit(CommandLine line) {
  auto* audit = line.app.add_subcommand("audit", "the hash-chained record of all decisions");
  audit->require_subcommand(1);
  auto options = std::make_shared<AuditOptions>();
  auto* common = &line.options;
  auto* showing = audit->add_subcommand("show", "records, oldest first");
  showing->add_option("--after", options->after, "only records with a larger number");
  showing->add_option("--limit", options->limit, "at most so many (default 1000)");
  showing->callback([=] { line.action = [=] { return show(*options, *common); }; });
  audit->add_subcommand("verify", "recompute the whole chain")->callback([=] {
    line.action = [=] { return verify(*common); };
  });
}

}  // namespace cmpost
