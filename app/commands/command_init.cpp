#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/own_credential.h"
#include "app/instance/unfinished.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "ca/own_certificate.h"

namespace cmpost {
namespace {
namespace fs = std::filesystem;

struct InitOptions {
  std::string directory;
  std::string role = "ca";
  std::string key = "ec:P-256";
  std::string subject;
  std::string name;
  std::string password_file;
  std::string ca;  // role ra: whose certificates are asked for
  int years = 10;
};

// All that `init` makes beside the settings.
constexpr std::array kMade = {"ra", "from-ca", "to-ca", "ca",       "secrets",   "crl",
                              "in", "out",     "trust", "spool.db", "ledger.db", "state"};
constexpr mode_t kPrivate = 0600, kPublic = 0644;
// For readers whose clocks are slow, as `not_before_slack` of profiles.
constexpr auto kSlack = std::chrono::minutes(5);
constexpr std::size_t kLargestTrustFile = 4 << 20;

std::string instance_text(const InitOptions& options) {
  return "# Made by `cmpost init`. `cmpost check` tells every mistake; docs/configuration.md "
         "describes\n"
         "# every key. Relative paths are taken from the directory of this file.\n\n"
         "[instance]\nname   = \"" +
         options.name +
         "\"\n"
         "spool  = \"sqlite:spool.db\"\n"
         "ledger = \"sqlite:ledger.db\"\n"
         "sealing_key = \"secrets/seal.key\"   # what seals the secrets in the ledger\n\n";
}

constexpr const char* kProfileAndChannel =
    "[[profile]]\n"
    "name       = \"device\"\n"
    "validity   = \"398d\"\n"
    "keys       = [\"ec:P-256\", \"ec:P-384\", \"ec:P-521\", \"rsa:2048-4096\", \"ed25519\", "
    "\"ed448\"]\n"
    "extensions = { subjectAltName = \"copy\", other = \"ignore\" }\n\n"
    "[[channel]]\n"
    "name     = \"drop\"\n"
    "kind     = \"directory\"\n"
    "in       = \"in\"\n"
    "out      = \"out\"\n"
    "profiles = [\"device\"]\n"
    "# Certificates of another PKI that may ask for a first certificate here:\n"
    "# trust  = [\"trust/vendor.pem\"]\n"
    "# Registration authorities, which may ask for others:\n"
    "# roles  = { ra = [\"trust/ra.pem\"] }\n";

std::string ra_settings_text(const InitOptions& options) {
  return instance_text(options) +
         "[ra]\n"
         "cmp_certificate = \"ra/cmp.pem\"   # protects what goes up and down\n"
         "cmp_key         = \"ra/cmp.key\"\n"
         "upstream        = \"vault\"        # the channel below that reaches the CA\n"
         "mode            = \"reprotect\"    # or \"forward\", \"nest\", \"batch\": "
         "docs/ra.md\n\n" +
         kProfileAndChannel +
         "\n# To the CA and back: move what is in to-ca to where the CA takes requests, and its "
         "answers into\n# from-ca. docs/ra.md has other ways.\n"
         "[[channel]]\n"
         "name      = \"vault\"\n"
         "direction = \"upstream\"\n"
         "kind      = \"directory\"\n"
         "in        = \"from-ca\"\n"
         "out       = \"to-ca\"\n"
         "trust     = [\"trust/ca.pem\"]     # who may sign the answers\n";
}

std::string settings_text(const InitOptions& options) {
  std::string text = instance_text(options) +
                     "[ca]\n"
                     "certificate     = \"ca/ca.pem\"\n"
                     "key             = \"ca/ca.key\"\n";
  if (!options.password_file.empty()) {
    text += "key_password_file = \"" + fs::absolute(options.password_file).string() + "\"\n";
  }
  return text +
         "cmp_certificate = \"ca/cmp.pem\"   # protects answers\n"
         "cmp_key         = \"ca/cmp.key\"\n"
         "crl = { lifetime = \"14d\", publish = \"crl/" +
         options.name + ".crl\" }\n\n" + kProfileAndChannel;
}

Result<Name> subject_from(const std::string& text) {
  auto name = Name::from_text(text);
  if (name || text.find('=') != std::string::npos) return of_usage(std::move(name));
  return wrong_usage(name.error().what, "write it like \"CN=" + printable(text, 80) + "\"");
}

// Writes the files of a new instance beside its settings.
class NewInstance {
 public:
  explicit NewInstance(const InitOptions& options) : options_(options) {}

  Result<void> make() {
    TRY(make_rooms({"secrets", "in", "out", "trust"}));
    TRY(options_.role == "ra" ? make_registration() : make_authority());
    const auto sealing_key = SealingKey::generate(random_);
    return write("secrets/seal.key", sealing_key.to_hex() + "\n", kPrivate);
  }

 private:
  std::string path(const std::string& name) const { return path_below(options_.directory, name); }

  Result<void> write(const std::string& name, std::string_view contents, mode_t mode) {
    return write_file(path(name), view_of(contents), mode, IfExists::fail);
  }

  Result<void> make_rooms(std::initializer_list<std::string_view> names) const {
    for (const auto name : names) {
      TRY(make_directories(path(std::string(name)), name == "secrets" ? 0700 : 0750));
    }
    return {};
  }

  // A certificate that the CA knows by itself (roles.ra), so that there is something to begin with.
  Result<void> make_registration() {
    TRY(make_rooms({"ra", "from-ca", "to-ca"}));
    ASSIGN_OR_RETURN(const auto pem, of_usage(read_file(options_.ca, kLargestTrustFile)));
    ASSIGN_OR_RETURN(const auto certificates, of_usage(Certificate::from_pem(text_of(pem))));
    if (certificates.empty()) return wrong_usage(options_.ca + " has no certificate in it");
    const auto now = clock_.now();
    ASSIGN_OR_RETURN(const auto subject, subject_from(options_.subject));
    ASSIGN_OR_RETURN(const auto key, make_signing_key(options_.key));
    ASSIGN_OR_RETURN(const auto certificate,
                     make_self_signed(key,
                                      {OwnUse::registration,
                                       subject,
                                       now - kSlack,
                                       now + std::chrono::days(365) * options_.years,
                                       {}},
                                      random_));
    ASSIGN_OR_RETURN(const auto key_pem, key.to_pem());
    TRY(write("ra/cmp.key", key_pem, kPrivate));
    TRY(write("ra/cmp.pem", certificate.to_pem(), kPublic));
    return write("trust/ca.pem", text_of(pem), kPublic);
  }

  Result<void> make_authority() {
    TRY(make_rooms({"ca", "crl"}));
    const auto now = clock_.now();
    const auto end = now + std::chrono::days(365) * options_.years;
    ASSIGN_OR_RETURN(const auto subject, subject_from(options_.subject));
    ASSIGN_OR_RETURN(const auto cmp_subject, Name::from_text("CN=" + options_.name + " CMP"));
    ASSIGN_OR_RETURN(const auto key, make_signing_key(options_.key));
    ASSIGN_OR_RETURN(const auto root, make_root(key, subject, now - kSlack, end, random_));
    ASSIGN_OR_RETURN(const auto issuer, Issuer::create(root, key, random_, clock_));
    ASSIGN_OR_RETURN(const auto cmp_key, PrivateKey::generate(options_.key));
    ASSIGN_OR_RETURN(const auto cmp_certificate,
                     make_cmp_certificate(issuer, cmp_key.public_key(), cmp_subject, now, end));
    ASSIGN_OR_RETURN(const auto key_password, read_key_password(options_.password_file));
    ASSIGN_OR_RETURN(const auto key_pem, key.to_pem(key_password));
    ASSIGN_OR_RETURN(const auto cmp_key_pem, cmp_key.to_pem());
    TRY(write("ca/ca.key", key_pem, kPrivate));
    TRY(write("ca/ca.pem", root.to_pem(), kPublic));
    TRY(write("ca/cmp.key", cmp_key_pem, kPrivate));
    return write("ca/cmp.pem", cmp_certificate.to_pem(), kPublic);
  }

  const InitOptions& options_;
  SystemClock clock_;
  SystemRandom random_;
};

// The databases, with the CMP certificate on the books, and the first CRL.
Result<void> open_books(const std::string& settings) {
  CommonOptions common;
  common.config = settings;
  common.quiet = true;
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  instance->may_make_databases();
  TRY(instance->spool());
  if (!instance->is_ca()) {
    TRY(instance->ledger());
    TRY(instance->services());
    return {};
  }
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  TRY(enter_on_books(*instance, authority->identity.certificate, {"instance.made", "init", {}}));
  TRY(issue_crl(*instance));
  return {};
}

void tell(const InitOptions& options) {
  const auto& directory = options.directory;
  print_line("A certificate authority is ready in " + directory + ":");
  print_line("  settings           " + directory + "/cmpost.toml");
  print_line("  CA certificate     " + directory +
             "/ca/ca.pem   (give this to whoever shall trust it)");
  print_line("  CA key             " + directory + "/ca/ca.key   (guard this)");
  print_line("  requests go into   " + directory + "/in");
  print_line("  answers come from  " + directory + "/out");
  print_line("Next:");
  print_line("  cd " + directory);
  print_line("  cmpost secret add device1     # a shared secret for a first requester");
  print_line("  cmpost serve                  # or `cmpost run` for one batch");
}

void tell_of_ra(const InitOptions& options) {
  const auto& directory = options.directory;
  print_line("A registration authority is ready in " + directory + ":");
  print_line("  settings            " + directory + "/cmpost.toml");
  print_line("  its certificate     " + directory +
             "/ra/cmp.pem   (name it in `roles = { ra = [...] }` of the CA's channel)");
  print_line("  requests go into    " + directory + "/in");
  print_line("  answers come from   " + directory + "/out");
  print_line("  what the CA gets    " + directory + "/to-ca");
  print_line("  its answers go into " + directory + "/from-ca");
  print_line("Next:");
  print_line("  cd " + directory);
  print_line("  cmpost secret add device1     # a shared secret for a first requester");
  print_line(
      "  cmpost serve                  # or `cmpost run` before and after each way to the CA");
}

Result<void> check_role(const InitOptions& options) {
  if (options.role != "ca" && options.role != "ra") {
    return wrong_usage("there is no role " + printable(options.role, 40), "--role ca or --role ra");
  }
  const bool ra = options.role == "ra";
  if (ra && options.ca.empty()) {
    return wrong_usage("an RA has to know whose answers it is to believe",
                       "--ca FILE names the certificate of the CA");
  }
  if (!ra && !options.ca.empty()) return wrong_usage("--ca is for --role ra");
  if (ra && !options.password_file.empty()) {
    return wrong_usage("--ca-key-password-file is for --role ca");
  }
  return {};
}

Result<ExitCode> init(InitOptions options, const CommonOptions& common) {
  if (options.directory.empty()) return wrong_usage("the name of the directory is empty");
  TRY(check_role(options));
  const bool ra = options.role == "ra";
  if (options.name.empty()) {
    options.name = fs::absolute(options.directory).lexically_normal().filename().string();
    if (options.name.empty() || options.name == ".") options.name = "cmpost";
  }
  if (options.name.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
      std::string::npos) {
    return wrong_usage("\"" + printable(options.name, 80) + "\" is no name for an instance",
                       "choose one of letters, digits, '-', '_' and '.' with --name");
  }
  if (options.subject.empty()) options.subject = "CN=" + options.name + (ra ? " RA" : " CA");
  UnfinishedDirectory directory(options.directory, {kMade.begin(), kMade.end()});
  TRY(directory.begin(ra ? ra_settings_text(options) : settings_text(options)));
  TRY(NewInstance(options).make());
  TRY(open_books(directory.mark()));
  TRY(directory.finish("cmpost.toml"));
  if (!common.quiet) ra ? tell_of_ra(options) : tell(options);
  return ExitCode::ok;
}

}  // namespace

void add_init(CommandLine line) {
  auto* command = line.app.add_subcommand("init", "make a ready instance in a new directory");
  auto options = std::make_shared<InitOptions>();
  command->add_option("DIR", options->directory, "a directory that does not exist or is empty")
      ->required();
  command->add_option("--role", options->role, "ca (default), or ra: a registration authority");
  command->add_option("--ca", options->ca,
                      "role ra: a PEM file with the certificate of the CA above it");
  command->add_option(
      "--key", options->key,
      "algorithm of the CA key: ec:P-256 (default), ec:P-384, ec:P-521, rsa:3072, ed25519, ...");
  command->add_option("--subject", options->subject,
                      "the CA's name, for instance \"CN=Grid CA,O=Grid\"");
  command->add_option("--name", options->name,
                      "the instance's name (default: that of the directory)");
  command
      ->add_option("--years", options->years, "how long the CA certificate is valid (default 10)")
      ->check(CLI::Range(1, 40));
  command->add_option("--ca-key-password-file", options->password_file,
                      "encrypt the CA key with the password in this file");
  command->callback([options, line] {
    line.action = [options, common = &line.options] { return init(*options, *common); };
  });
}

}  // namespace cmpost
