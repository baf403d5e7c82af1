#include "app/rollover_state.h"

#include <algorithm>
#include <filesystem>

#include "app/left_behind.h"
#include "app/new_directory.h"
#include "base/files.h"

namespace cmpost {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHidden = ".rollover-", kPart = ".part";

fs::path home_of(const Instance& instance) {
  return fs::path(instance.ca().certificate).parent_path();
}

// The directories beside the CA certificate that have no name yet, by the names that they will get.
Result<std::vector<std::string>> hidden_beside_ca(const Instance& instance) {
  std::vector<std::string> directories;
  std::error_code error;
  const auto home = home_of(instance);
  fs::directory_iterator at(home, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!name.starts_with(kHidden) || !name.ends_with(kPart)) continue;
    directories.push_back(home / name.substr(1, name.size() - 1 - kPart.size()));
  }
  if (error) return failure(errno_error("reading directory", home.string(), error.value()));
  std::sort(directories.begin(), directories.end());
  return directories;
}

Result<bool> has_keys(const std::string& place) {
  ASSIGN_OR_RETURN(const bool ca, is_there(path_below(place, "ca.key")));
  ASSIGN_OR_RETURN(const bool cmp, is_there(path_below(place, "cmp.key")));
  return ca && cmp;
}

}  // namespace

Result<std::optional<InterruptedRollover>> find_interrupted_rollover(Instance& instance,
                                                                     const std::string& directory) {
  ASSIGN_OR_RETURN(const bool named, is_there(directory));
  const auto place = named ? directory : hidden_name(directory);
  ASSIGN_OR_RETURN(const auto certificates,
                   certificates_if_there(path_below(place, "rollover.pem")));
  ASSIGN_OR_RETURN(const auto cmp, certificates_if_there(path_below(place, "cmp.pem")));
  ASSIGN_OR_RETURN(const bool keys, has_keys(place));
  if (!certificates || !cmp || !keys) return std::nullopt;
  auto rollover = recognise_rollover(*certificates);
  if (!rollover) return std::nullopt;
  ASSIGN_OR_RETURN(const bool in_ledger, is_on_books(instance, cmp->front()));
  // Files alone are nothing; with a name they may be in use.
  if (named == in_ledger) return std::nullopt;
  return InterruptedRollover{directory, named, in_ledger, std::move(*rollover), cmp->front()};
}

Result<std::string> default_rollover_directory(Instance& instance) {
  ASSIGN_OR_RETURN(const auto hidden, hidden_beside_ca(instance));
  for (const auto& directory : hidden) {
    ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(instance, directory));
    if (interrupted) return directory;
  }
  const auto day = to_iso8601(instance.clock().now()).substr(0, 10);
  return (home_of(instance) / ("rollover-" + day)).string();
}

Result<std::vector<std::string>> find_unfinished_rollovers(Instance& instance) {
  std::vector<std::string> texts;
  ASSIGN_OR_RETURN(const auto hidden, hidden_beside_ca(instance));
  for (const auto& directory : hidden) {
    ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(instance, directory));
    if (!interrupted) continue;
    texts.push_back("`cmpost ca rollover` was interrupted: `cmpost ca rollover --directory " +
                    directory + "` completes it");
  }
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  const auto& cmp = authority->cmp_certificate;
  if (cmp.issuer() != authority->issuer.certificate().subject()) return texts;
  ASSIGN_OR_RETURN(const bool known, is_on_books(instance, cmp));
  if (!known) {
    const auto directory = fs::path(instance.ca().cmp_certificate).parent_path().string();
    texts.push_back(
        "the ledger does not know the CMP certificate " + instance.ca().cmp_certificate +
        "; if a `cmpost ca rollover` was interrupted, `cmpost ca rollover --directory " +
        directory + "` enters it");
  }
  return texts;
}

}  // namespace cmpost
