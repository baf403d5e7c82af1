#include "app/reload.h"

#include <nlohmann/json.hpp>

#include "app/inspection.h"
#include "app/settings_in_use.h"

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
  Remarks findings;
  look_at_settings(*instance, findings);
  for (const auto& finding : findings.all()) {
    if (finding.severity == Severity::error) reloaded.complaints.push_back(to_string(finding));
  }
  if (reloaded.complaints.empty()) reloaded.instance = std::move(instance);
  return reloaded;
}

Result<void> note_settings(Instance& instance, const std::string& digest) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  return ledger->write([&](LedgerWriter& writer) {
    return writer.audit(
        "settings.loaded",
        nlohmann::json{{"sha256", digest}, {"file", printable(instance.settings().file)}}.dump());
  });
}

}  // namespace cmpost
