#include "app/rollover_state.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"

namespace cmpost {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestPem = std::size_t{1} << 20U;
constexpr std::string_view kHidden = ".rollover-", kPart = ".part";

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  ASSIGN_OR_RETURN(const auto pem, read_file(path, kLargestPem));
  return Certificate::from_pem(text_of(pem));
}

Result<bool> knows(Instance& instance, const Certificate& certificate) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  ASSIGN_OR_RETURN(const auto record, reader->find(certificate.serial_number()));
  return record && equal(record->der, certificate.der());
}

fs::path home_of(const Instance& instance) {
  return fs::path(instance.ca().certificate).parent_path();
}

// The directories beside the CA certificate that have no name yet, by the names that they will get.
std::vector<std::string> hidden_beside_ca(const Instance& instance) {
  std::vector<std::string> directories;
  std::error_code error;
  const auto home = home_of(instance);
  for (fs::directory_iterator at(home, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!name.starts_with(kHidden) || !name.ends_with(kPart)) continue;
    directories.push_back(home / name.substr(1, name.size() - 1 - kPart.size()));
  }
  std::sort(directories.begin(), directories.end());
  return directories;
}

}  // namespace

std::string hidden_rollover_name(const std::string& directory) {
  const auto name = "." + fs::path(directory).filename().string() + std::string(kPart);
  return fs::path(directory).replace_filename(name);
}

Result<std::optional<InterruptedRollover>> find_interrupted_rollover(Instance& instance,
                                                                     const std::string& directory) {
  const bool named = exists(directory);
  const auto place = named ? directory : hidden_rollover_name(directory);
  const auto certificates = read_certificates(path_below(place, "rollover.pem"));
  const auto cmp = read_certificates(path_below(place, "cmp.pem"));
  const bool whole = certificates && cmp && !cmp->empty() && exists(path_below(place, "ca.key")) &&
                     exists(path_below(place, "cmp.key"));
  if (!whole) return std::nullopt;
  auto rollover = recognise_rollover(*certificates);
  if (!rollover) return std::nullopt;
  ASSIGN_OR_RETURN(const bool in_ledger, knows(instance, cmp->front()));
  // Files alone are nothing; with a name they may be in use.
  if (named == in_ledger) return std::nullopt;
  return InterruptedRollover{directory, named, in_ledger, std::move(*rollover), cmp->front()};
}

Result<std::string> default_rollover_directory(Instance& instance) {
  for (const auto& directory : hidden_beside_ca(instance)) {
    ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(instance, directory));
    if (interrupted) return directory;
  }
  const auto day = to_iso8601(instance.clock().now()).substr(0, 10);
  return (home_of(instance) / ("rollover-" + day)).string();
}

Result<std::vector<std::string>> find_unfinished_rollovers(Instance& instance) {
  std::vector<std::string> texts;
  for (const auto& directory : hidden_beside_ca(instance)) {
    ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(instance, directory));
    if (!interrupted) continue;
    texts.push_back("`cmpost ca rollover` was interrupted: `cmpost ca rollover --directory " +
                    directory + "` completes it");
  }
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  const auto& cmp = authority->cmp_certificate;
  if (cmp.issuer() != authority->issuer.certificate().subject()) return texts;
  ASSIGN_OR_RETURN(const bool known, knows(instance, cmp));
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
