#include "app/instance/rollover_state.h"

#include <algorithm>
#include <filesystem>

#include "app/instance/left_behind.h"
#include "app/instance/new_directory.h"
#include "app/instance/own_credential.h"
#include "base/files.h"

namespace cmpost {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPart = ".part";

fs::path home_of(const Instance& instance) {
  return fs::path(instance.ca().certificate).parent_path();
}

// The directories beside the CA certificate that have no name yet, by the names that they will get.
Result<std::vector<std::string>> hidden_beside_ca(const Instance& instance) {
  std::vector<std::string> directories;
  const auto home = home_of(instance);
  ASSIGN_OR_RETURN(const auto names, names_if_there(home.string()));
  for (const auto& name : names) {
    if (!name.starts_with('.') || !name.ends_with(kPart) || name.size() <= 1 + kPart.size()) {
      continue;
    }
    std::error_code error;
    const bool is_directory = fs::is_directory(home / name, error);
    if (error == std::errc::no_such_file_or_directory) continue;  // it has got its name
    if (error) return failure(errno_error("examining", (home / name).string(), error.value()));
    if (!is_directory) continue;
    directories.push_back(home / name.substr(1, name.size() - 1 - kPart.size()));
  }
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

namespace {

std::string completed_by(const std::string& command, const std::string& directory) {
  return "`cmpost " + command + "` was interrupted: `cmpost " + command + " --directory " +
         directory + "` completes it";
}

// Empty: nothing of it is on the books; the command makes it anew.
Result<std::string> interrupted_in(Instance& instance, const std::string& directory) {
  ASSIGN_OR_RETURN(const bool named, is_there(directory));
  const auto hidden = hidden_name(directory);
  if (!named) {
    ASSIGN_OR_RETURN(const auto rollover, find_interrupted_rollover(instance, directory));
    if (rollover) return completed_by(kRolloverRequester, directory);
  }
  ASSIGN_OR_RETURN(const auto left, find_left_behind(instance, hidden));
  if (!left) return std::string();
  const auto key = fs::path(left->file).replace_extension(".key").string();
  ASSIGN_OR_RETURN(const bool has_key, is_there(key));
  if (!named && has_key && left->record.requester == kCredentialRequester) {
    return completed_by(kCredentialRequester + (" " + fs::path(key).stem().string()), directory);
  }
  return "`cmpost " + left->record.requester + "` was interrupted: " + left->file +
         " is on the books, and not all that belongs to it is there; `cmpost cert revoke " +
         to_hex(left->record.serial) + "` and remove " + hidden + " by hand";
}

}  // namespace

Result<std::string> default_rollover_directory(Instance& instance) {
  ASSIGN_OR_RETURN(const auto hidden, hidden_beside_ca(instance));
  for (const auto& directory : hidden) {
    ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(instance, directory));
    if (interrupted) return directory;
  }
  const auto day = to_iso8601(instance.clock().now()).substr(0, 10);
  return (home_of(instance) / ("rollover-" + day)).string();
}

Result<std::vector<std::string>> find_unfinished_commands(Instance& instance) {
  std::vector<std::string> texts;
  if (!instance.is_ca()) return texts;
  ASSIGN_OR_RETURN(const auto hidden, hidden_beside_ca(instance));
  for (const auto& directory : hidden) {
    auto text = interrupted_in(instance, directory);
    // One that cannot be looked into hides none of the others.
    if (!text) text = hidden_name(directory) + " cannot be looked into: " + to_string(text.error());
    if (!text->empty()) texts.push_back(*std::move(text));
  }
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  const auto& cmp = authority->identity.certificate;
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
