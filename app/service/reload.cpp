#include "app/service/reload.h"

#include <nlohmann/json.hpp>

#include "app/instance/operator_act.h"
#include "app/instance/settings_in_use.h"
#include "app/looking/inspection.h"

namespace cmpost {
namespace {

// What the databases and their leases hang on cannot change under a service that works.
std::vector<std::string> find_fixed(const InstanceSettings& present, const InstanceSettings& next) {
  std::vector<std::string> keys;
  if (next.spool != present.spool) keys.emplace_back("instance.spool");
  if (next.ledger != present.ledger) keys.emplace_back("instance.ledger");
  if (next.state != present.state) keys.emplace_back("instance.state");
  for (auto& key : keys) key += " has changed, which needs a restart";
  return keys;
}

}  // namespace

Reloaded reload_settings(const Instance& present) {
  const auto& file = present.settings().file;
  Reloaded reloaded{nullptr, digest_of_settings(file), {}};
  auto loaded = load(file);
  if (!loaded) {
    for (const auto& complaint : loaded.error()) {
      reloaded.complaints.push_back(to_string(complaint));
    }
    return reloaded;
  }
  reloaded.complaints = find_fixed(present.settings().instance, loaded->instance);
  if (!reloaded.complaints.empty()) return reloaded;
  auto instance = std::make_unique<Instance>(std::move(*loaded));
  instance->take_over(present);
  Remarks findings;
  look_at_settings(*instance, findings);
  for (const auto& finding : findings.all()) {
    if (finding.severity == Severity::error) reloaded.complaints.push_back(to_string(finding));
  }
  if (reloaded.complaints.empty()) reloaded.instance = std::move(instance);
  return reloaded;
}

Result<void> note_settings(Instance& instance, const std::string& digest,
                           const std::string& asked_by) {
  nlohmann::json detail = {{"sha256", digest}, {"file", printable(instance.settings().file, 1000)}};
  if (!asked_by.empty()) detail["asked_by"] = asked_by;
  TRY(record_act(instance, "settings.loaded", detail));
  return record_settings(instance, digest, asked_by);
}

}  // namespace cmpost
