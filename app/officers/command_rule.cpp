// `rule`: which rules there are, and what they would have said.
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/officers/officer_commands.h"
#include "app/officers/rule_test.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "base/printable.h"
#include "processor/rulings/rule_tables.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct RuleOptions {
  bool all = false;
  RuleTestWords test{};
};

std::string when_of(const RuleSettings& rule) {
  std::string text;
  for (const auto& one : rule.when) {
    text += text.empty() ? "" : ", ";
    text += std::string(to_string(one.field)) + " " + printable(in_words(one), 200);
  }
  return text.empty() ? "all requests for certificates" : text;
}

json to_json(const RuleSettings& rule, const RuleWording& wording, std::int64_t used) {
  json when = json::object();
  for (const auto& one : rule.when) when[std::string(to_string(one.field))] = in_words(one);
  json value = {{"name", rule.name},
                {"when", std::move(when)},
                {"verdict", to_string(rule.verdict)},
                {"sha256", to_hex(wording.digest)},
                {"used_today", used}};
  if (rule.limit) value["limit"] = *rule.limit;
  return value;
}

Result<void> add_row(const RuleSettings& rule, RuleTables tables, std::int64_t day, RowSink& rows) {
  const auto wording = wording_of(rule);
  ASSIGN_OR_RETURN(const auto used, tables.uses(wording.digest, day));
  rows.add(
      [&] {
        const auto limit =
            rule.limit ? std::to_string(used) + " of " + std::to_string(*rule.limit) : "";
        return std::vector<std::string>{rule.name, std::string(to_string(rule.verdict)), limit,
                                        to_hex(wording.digest).substr(0, 12), when_of(rule)};
      },
      [&] { return to_json(rule, wording, used); });
  return {};
}

// Every wording that has decided, for who looks for one by its digest.
Result<ExitCode> list_wordings(RuleTables tables, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto all, tables.wordings());
  auto shown = json::array();
  for (const auto& one : all) {
    if (common.json) {
      shown.push_back({{"name", one.name}, {"sha256", to_hex(one.digest)}, {"text", one.text}});
    } else {
      print_line(to_hex(one.digest) + "  " + printable(one.name));
      print_line(one.text);
    }
  }
  if (common.json) print_json(shown);
  return ExitCode::ok;
}

Result<ExitCode> list_rules(const RuleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto ledger, instance->look_into_ledger());
  RuleTables tables(ledger->connection());
  if (options.all) return list_wordings(tables, common);
  RowSink rows({"RULE", "VERDICT", "TODAY", "SHA-256", "WHEN"},
               common.json ? ListForm::json_array : ListForm::table, "there are no rules");
  const auto day = day_number(instance->clock().now());
  for (const auto& rule : instance->settings().rules) TRY(add_row(rule, tables, day, rows));
  rows.finish(0);
  return ExitCode::ok;
}

}  // namespace

void add_rule(CommandLine line) {
  auto* rule = line.app.add_subcommand("rule", "who decides about requests: rules of the settings");
  rule->require_subcommand(1);
  auto options = std::make_shared<RuleOptions>();
  auto* common = &line.options;
  auto* listing = rule->add_subcommand("list", "the rules in their order");
  listing->add_flag("--all", options->all, "the wording of every rule that has ever decided");
  listing->callback([=] { line.action = [=] { return list_rules(*options, *common); }; });
  add_rule_test(*rule, options->test, line);
}

}  // namespace cmpost
