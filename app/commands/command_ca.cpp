#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands/command_credential.h"
#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/new_directory.h"
#include "app/instance/own_credential.h"
#include "app/instance/rollover_state.h"
#include "app/terminal/output.h"
#include "base/crash_point.h"
#include "base/files.h"
#include "ca/rollover.h"

namespace cmpost {
namespace {
namespace fs = std::filesystem;

struct RolloverOptions {
  std::string key, password_file, directory;
  int years = 0;  // as long as the present certificate
};

constexpr mode_t kSecret = 0600, kOpen = 0644;

// The next CA key with its certificates, and a CMP credential below it, in a directory without a
// name.
class NewCaGeneration {
 public:
  NewCaGeneration(Instance& instance, const RolloverOptions& options, NewDirectory& directory,
                  NewCredential& cmp)
      : instance_(instance), options_(options), directory_(directory), cmp_(cmp) {}

  Result<CaRollover> make() {
    ASSIGN_OR_RETURN(const auto password, read_key_password(options_.password_file));
    TRY(cmp_.begin());
    ASSIGN_OR_RETURN(const auto* const authority, instance_.authority());
    const auto& old = authority->issuer.certificate();
    ASSIGN_OR_RETURN(const auto old_key, load_ca_key(instance_.ca()));
    const auto algorithm = options_.key.empty() ? old_key.public_key().description() : options_.key;
    const auto now = std::chrono::floor<std::chrono::seconds>(instance_.clock().now());
    ASSIGN_OR_RETURN(const auto key, make_signing_key(algorithm));
    ASSIGN_OR_RETURN(
        const auto rollover,
        make_rollover(old, old_key, {key, now, end_from(now, old)}, instance_.random()));
    ASSIGN_OR_RETURN(const auto pem, key.to_pem(password));
    TRY(directory_.write("ca.key", pem, kSecret));
    TRY(directory_.write("ca.pem", rollover.newWithNew.to_pem(), kOpen));
    TRY(directory_.write("rollover.pem", to_pem(rollover), kOpen));
    TRY(write_cmp(rollover, key, algorithm, authority->identity.certificate.subject()));
    TRY(sync_directory(directory_.hidden()));
    crash_point("ca.rollover_made");
    return rollover;
  }

  const Certificate& cmp_certificate() const { return *cmp_certificate_; }

 private:
  Result<void> write_cmp(const CaRollover& rollover, const PrivateKey& ca_key,
                         const std::string& algorithm, const Name& subject) {
    const auto& root = rollover.newWithNew;
    ASSIGN_OR_RETURN(const auto issuer,
                     Issuer::create(root, ca_key, instance_.random(), instance_.clock()));
    ASSIGN_OR_RETURN(const auto key, PrivateKey::generate(algorithm));
    ASSIGN_OR_RETURN(cmp_certificate_, make_cmp_certificate(issuer, key.public_key(), subject,
                                                            root.not_before(), root.not_after()));
    return cmp_.write(key, *cmp_certificate_, std::nullopt);
  }

  Time end_from(Time now, const Certificate& old) const {
    if (options_.years == 0) return now + (old.not_after() - old.not_before());
    return now + std::chrono::days(365) * options_.years;
  }

  Instance& instance_;
  const RolloverOptions& options_;
  NewDirectory& directory_;
  NewCredential& cmp_;
  std::optional<Certificate> cmp_certificate_;
};

OwnEntry entry_of(const CaRollover& rollover, const Certificate& cmp_certificate) {
  return {"ca.rollover",
          kRolloverRequester,
          {{"old", to_hex(rollover.oldWithOld.fingerprint())},
           {"new", to_hex(rollover.newWithNew.fingerprint())},
           {"newWithOld", to_hex(rollover.newWithOld.fingerprint())},
           {"oldWithNew", to_hex(rollover.oldWithNew.fingerprint())},
           {"cmp", to_hex(cmp_certificate.fingerprint())}}};
}

void tell_steps(const std::string& directory, const KeyPasswordSetting& password) {
  print_line("The next CA key and its certificates are in " + directory +
             ". Nothing uses them yet.");
  print_line("1. To let requesters ask for the new root, add to [ca] and reload:");
  print_line("     rollovers = [\"" + directory + "/rollover.pem\"]");
  print_line("2. To issue with the new key, change in [ca] and reload:");
  print_line("     certificate     = \"" + directory + "/ca.pem\"");
  print_line("     key             = \"" + directory + "/ca.key\"");
  if (password.needed) print_line("     key_password_file = " + password.toml());
  print_line("     cmp_certificate = \"" + directory + "/cmp.pem\"");
  print_line("     cmp_key         = \"" + directory + "/cmp.key\"");
  print_line("   and keep the line `rollovers`: it makes certificates of the old key count.");
}

struct MadeRollover {
  std::string directory;
  const CaRollover& rollover;
  bool went_on = false;
};

nlohmann::json to_json(const MadeRollover& made, const KeyPasswordSetting& password) {
  nlohmann::json settings = {{"rollovers", made.directory + "/rollover.pem"},
                             {"certificate", made.directory + "/ca.pem"},
                             {"key", made.directory + "/ca.key"},
                             {"cmp_certificate", made.directory + "/cmp.pem"},
                             {"cmp_key", made.directory + "/cmp.key"}};
  if (password.needed) {
    settings["key_password_file"] =
        password.file.empty() ? nlohmann::json() : nlohmann::json(password.file);
  }
  return {{"directory", made.directory},
          {"went_on", made.went_on},
          {"old", to_hex(made.rollover.oldWithOld.fingerprint())},
          {"new", to_hex(made.rollover.newWithNew.fingerprint())},
          {"settings", std::move(settings)}};
}

Result<void> tell(const MadeRollover& made, const RolloverOptions& options,
                  const CommonOptions& common) {
  if (common.quiet && !common.json) return {};
  ASSIGN_OR_RETURN(const auto password,
                   password_setting_of(made.directory + "/ca.key", options.password_file));
  if (common.json) {
    print_json(to_json(made, password));
    return {};
  }
  if (made.went_on) print_line("What was interrupted before is done now.");
  tell_steps(made.directory, password);
  return {};
}

// Whichever of the two steps is missing: the entry, or the name.
Result<void> complete(Instance& instance, const InterruptedRollover& interrupted) {
  if (interrupted.named) {
    return enter_on_books(instance, interrupted.cmp_certificate,
                          entry_of(interrupted.rollover, interrupted.cmp_certificate));
  }
  NewDirectory directory(interrupted.directory);
  return directory.publish();
}

Result<ExitCode> rollover(const RolloverOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->require_ca());
  auto path = options.directory;
  if (path.empty()) {
    ASSIGN_OR_RETURN(path, default_rollover_directory(*instance));
  }
  path = fs::absolute(path).lexically_normal().string();
  ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(*instance, path));
  if (interrupted) {
    TRY(complete(*instance, *interrupted));
    TRY(tell({path, interrupted->rollover, true}, options, common));
    return ExitCode::ok;
  }
  NewDirectory directory(path);
  NewCredential cmp(*instance, directory, "cmp");
  NewCaGeneration generation(*instance, options, directory, cmp);
  ASSIGN_OR_RETURN(const auto made, generation.make());
  TRY(cmp.finish(generation.cmp_certificate(), entry_of(made, generation.cmp_certificate())));
  TRY(tell({path, made, false}, options, common));
  return ExitCode::ok;
}

Result<ExitCode> show_ca(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->require_ca());
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  auto all = nlohmann::json::array();
  Table table({"certificate", "subject", "from", "to", "SHA-256"});
  const auto add = [&](const char* role, const Certificate& certificate) {
    const auto subject = certificate.subject().text();
    const auto from = to_iso8601(certificate.not_before()),
               to = to_iso8601(certificate.not_after());
    const auto fingerprint = to_hex(certificate.fingerprint());
    all.push_back({{"certificate", role},
                   {"subject", subject},
                   {"notBefore", from},
                   {"notAfter", to},
                   {"sha256", fingerprint}});
    table.add({role, subject, from, to, fingerprint});
  };
  add("issuing", authority->issuer.certificate());
  add("cmp", authority->identity.certificate);
  for (const auto& one : authority->rollovers) {
    add("oldWithOld", one.oldWithOld);
    add("newWithNew", one.newWithNew);
    add("newWithOld", one.newWithOld);
    add("oldWithNew", one.oldWithNew);
  }
  common.json ? print_json(all) : table.print("");
  return ExitCode::ok;
}

}  // namespace

void add_ca(CommandLine line) {
  auto* ca = line.app.add_subcommand("ca", "the CA's own certificates and the change of its key");
  ca->require_subcommand(1);
  auto* common = &line.options;
  ca->add_subcommand("show", "the CA's own certificates")->callback([=] {
    line.action = [=] { return show_ca(*common); };
  });
  add_credential(*ca, line);
  auto options = std::make_shared<RolloverOptions>();
  auto* command = ca->add_subcommand(
      "rollover", "make the next CA key with links to the present one (RFC 9810 4.4)");
  command->add_option("--key", options->key, "algorithm (default: that of the present key)");
  command
      ->add_option("--years", options->years,
                   "how long the new root is valid (default: as long as the present one, from now)")
      ->check(CLI::Range(1, 40));
  command->add_option("--directory", options->directory,
                      "where to put it (default: rollover-DATE beside the CA certificate)");
  command->add_option("--ca-key-password-file", options->password_file,
                      "encrypt the new CA key with the password in this file");
  command->callback([=] { line.action = [=] { return rollover(*options, *common); }; });
}

}  // namespace cmpost
