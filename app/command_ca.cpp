#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/command_credential.h"
#include "app/instance.h"
#include "app/operator_act.h"
#include "app/output.h"
#include "app/own_credential.h"
#include "app/rollover_state.h"
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

// The last step: from then on there is a roll-over, and the ledger knows it.
Result<void> publish(const std::string& directory) {
  std::error_code error;
  fs::rename(hidden_rollover_name(directory), directory, error);
  if (error)
    return failure(errno_error("renaming", hidden_rollover_name(directory), error.value()));
  crash_point("ca.rollover_named");
  return sync_directory(fs::path(directory).parent_path().string());
}

// Makes everything in a hidden directory. What a crash leaves there before the ledger knows of it
// is nothing; afterwards only the name is missing.
class NewCaGeneration {
 public:
  NewCaGeneration(Instance& instance, const RolloverOptions& options, const std::string& directory)
      : instance_(instance), options_(options), hidden_(hidden_rollover_name(directory)) {}

  // What was made goes with the object, unless it is kept: the ledger knows it.
  ~NewCaGeneration() {
    if (!kept_) remove();
  }
  NewCaGeneration(const NewCaGeneration&) = delete;
  NewCaGeneration& operator=(const NewCaGeneration&) = delete;
  void keep() { kept_ = true; }

  Result<CaRollover> make() {
    remove();
    TRY(make_directories(hidden_, 0700));
    ASSIGN_OR_RETURN(const auto* const authority, instance_.authority());
    const auto& old = authority->issuer.certificate();
    ASSIGN_OR_RETURN(const auto old_key, load_ca_key(instance_.ca()));
    const auto algorithm = options_.key.empty() ? old_key.public_key().description() : options_.key;
    const auto now = std::chrono::floor<std::chrono::seconds>(instance_.clock().now());
    ASSIGN_OR_RETURN(const auto key, PrivateKey::generate(algorithm));
    ASSIGN_OR_RETURN(
        const auto rollover,
        make_rollover(old, old_key, {key, now, end_from(now, old)}, instance_.random()));
    TRY(write_ca(rollover, key));
    TRY(write_cmp(rollover, key, algorithm, authority->cmp_certificate.subject()));
    TRY(sync_directory(hidden_));
    crash_point("ca.rollover_made");
    return rollover;
  }

  const Certificate& cmp_certificate() const { return *cmp_certificate_; }

 private:
  Result<void> write(const char* name, std::string_view contents, mode_t mode) const {
    return write_file(path_below(hidden_, name), view_of(contents), mode, IfExists::fail);
  }

  Result<void> write_ca(const CaRollover& rollover, const PrivateKey& key) const {
    ASSIGN_OR_RETURN(const auto password, read_key_password(options_.password_file));
    ASSIGN_OR_RETURN(const auto pem, key.to_pem(password));
    TRY(write("ca.key", pem, kSecret));
    TRY(write("ca.pem", rollover.newWithNew.to_pem(), kOpen));
    return write("rollover.pem", to_pem(rollover), kOpen);
  }

  Result<void> write_cmp(const CaRollover& rollover, const PrivateKey& ca_key,
                         const std::string& algorithm, const Name& subject) {
    const auto& root = rollover.newWithNew;
    ASSIGN_OR_RETURN(const auto issuer,
                     Issuer::create(root, ca_key, instance_.random(), instance_.clock()));
    ASSIGN_OR_RETURN(const auto key, PrivateKey::generate(algorithm));
    ASSIGN_OR_RETURN(cmp_certificate_, make_cmp_certificate(issuer, key.public_key(), subject,
                                                            root.not_before(), root.not_after()));
    ASSIGN_OR_RETURN(const auto pem, key.to_pem());
    TRY(write("cmp.key", pem, kSecret));
    return write("cmp.pem", cmp_certificate_->to_pem(), kOpen);
  }

  Time end_from(Time now, const Certificate& old) const {
    if (options_.years == 0) return now + (old.not_after() - old.not_before());
    return now + std::chrono::days(365) * options_.years;
  }

  void remove() const {
    std::error_code ignored;
    fs::remove_all(hidden_, ignored);
  }

  Instance& instance_;
  const RolloverOptions& options_;
  const std::string hidden_;
  bool kept_ = false;
  std::optional<Certificate> cmp_certificate_;
};

Result<void> enter_in_books(Instance& instance, const CaRollover& rollover,
                            const Certificate& cmp_certificate) {
  CertificateRecord record;
  record.serial = to_bytes(cmp_certificate.serial_number());
  record.der = to_bytes(cmp_certificate.der());
  record.subject = cmp_certificate.subject().text();
  record.requester = "ca rollover";
  record.issued = instance.clock().now();
  record.not_after = cmp_certificate.not_after();
  const auto detail =
      by(instance.person(), {{"old", to_hex(rollover.oldWithOld.fingerprint())},
                             {"new", to_hex(rollover.newWithNew.fingerprint())},
                             {"newWithOld", to_hex(rollover.newWithOld.fingerprint())},
                             {"oldWithNew", to_hex(rollover.oldWithNew.fingerprint())},
                             {"cmp", to_hex(cmp_certificate.fingerprint())},
                             {"serial", to_hex(record.serial)},
                             {"subject", printable(record.subject)},
                             {"state", to_string(record.state)},
                             {"sha256", to_hex(sha256(record.der))}});
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(writer.add(record));
    return writer.audit("ca.rollover", detail.dump());
  });
}

void tell_steps(const std::string& directory, const RolloverOptions& options) {
  print_line("The next CA key and its certificates are in " + directory +
             ". Nothing uses them yet.");
  print_line("1. To let requesters ask for the new root, add to [ca] and reload:");
  print_line("     rollovers = [\"" + directory + "/rollover.pem\"]");
  print_line("2. To issue with the new key, change in [ca] and reload:");
  print_line("     certificate     = \"" + directory + "/ca.pem\"");
  print_line("     key             = \"" + directory + "/ca.key\"");
  if (!options.password_file.empty()) {
    print_line("     key_password_file = \"" + fs::absolute(options.password_file).string() + "\"");
  }
  print_line("     cmp_certificate = \"" + directory + "/cmp.pem\"");
  print_line("     cmp_key         = \"" + directory + "/cmp.key\"");
  print_line("   and keep the line `rollovers`: it makes certificates of the old key count.");
}

void tell(const CaRollover& made, const std::string& directory, const RolloverOptions& options,
          const CommonOptions& common) {
  if (common.json) {
    print_json({{"directory", directory}, {"new", to_hex(made.newWithNew.fingerprint())}});
  } else if (!common.quiet) {
    tell_steps(directory, options);
  }
}

// Whichever of the two steps is missing.
Result<void> complete(Instance& instance, const InterruptedRollover& interrupted) {
  if (!interrupted.in_ledger) {
    TRY(enter_in_books(instance, interrupted.rollover, interrupted.cmp_certificate));
  }
  return interrupted.named ? Result<void>() : publish(interrupted.directory);
}

Result<ExitCode> rollover(const RolloverOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  auto directory = options.directory;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, default_rollover_directory(*instance));
  }
  directory = fs::absolute(directory).lexically_normal().string();
  ASSIGN_OR_RETURN(const auto interrupted, find_interrupted_rollover(*instance, directory));
  if (interrupted) {
    TRY(complete(*instance, *interrupted));
    if (!common.quiet) print_line("What was interrupted before is done now.");
    tell(interrupted->rollover, directory, options, common);
    return ExitCode::ok;
  }
  if (exists(directory)) {
    return hold(directory + " is there already", "name another one with --directory");
  }
  NewCaGeneration generation(*instance, options, directory);
  ASSIGN_OR_RETURN(const auto made, generation.make());
  TRY(enter_in_books(*instance, made, generation.cmp_certificate()));
  generation.keep();
  crash_point("ca.rollover_entered");
  TRY(publish(directory));
  tell(made, directory, options, common);
  return ExitCode::ok;
}

Result<ExitCode> show_ca(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
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
  add("cmp", authority->cmp_certificate);
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
