#include "app/commands/command_credential.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/instance/own_credential.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "ca/own_certificate.h"
#include "processor/authority/authority.h"

namespace cmpost {
namespace {
namespace fs = std::filesystem;

struct CredentialOptions {
  std::string kind, key, subject, address, password_file, directory;
  int days = 0;
};

// What differs from one kind to the next.
struct Kind {
  const char* name;
  const char* about;
  OwnUse use;
  const char* key;  // by default; nullptr: as the CMP key
};
constexpr std::size_t kLargestCertificateFile = 1 << 20;
constexpr Kind kKinds[] = {
    {"cmp", "signs answers: [ca] cmp_key, cmp_certificate", OwnUse::protection, nullptr},
    {"kga", "signs private keys made for others: [ca] kga_key, kga_certificate",
     OwnUse::key_generation, nullptr},
    {"protocol", "agrees (ec:P-256, x25519, ...) or decrypts (rsa:3072): [ca] protocol_keys",
     OwnUse::protocol, "rsa:3072"},
    {"mail", "signs and opens mails: smime of a mail channel", OwnUse::mail, "rsa:3072"},
};

const Kind& kind_of(const std::string& name) {
  return *std::ranges::find(kKinds, name, &Kind::name);
}

// The present CMP certificate, if it can be read: it may be what has to be replaced.
std::optional<Certificate> present_certificate(const CaSettings& ca) {
  const auto pem = read_file(ca.cmp_certificate, kLargestCertificateFile);
  if (!pem) return std::nullopt;
  auto certificates = Certificate::from_pem(text_of(*pem));
  if (!certificates || certificates->empty()) return std::nullopt;
  return std::move(certificates->front());
}

Result<std::string> algorithm_for(const CredentialOptions& options, const Instance& instance,
                                  const Issuer& issuer) {
  if (!options.key.empty()) return options.key;
  if (const auto* by_default = kind_of(options.kind).key) return std::string(by_default);
  const auto present = present_certificate(instance.ca());
  ASSIGN_OR_RETURN(const auto key, (present ? *present : issuer.certificate()).public_key());
  return key.description();
}

Result<Name> subject_for(const CredentialOptions& options, const Instance& instance) {
  if (!options.subject.empty()) return of_usage(Name::from_text(options.subject));
  const auto present = present_certificate(instance.ca());
  if (options.kind == "cmp" && present) return present->subject();
  return Name::from_text("CN=" + instance.settings().instance.name + " " + options.kind);
}

Result<OwnCertificate> plan(const CredentialOptions& options, Instance& instance,
                            const Issuer& issuer) {
  OwnCertificate wanted;
  wanted.use = kind_of(options.kind).use;
  ASSIGN_OR_RETURN(wanted.subject, subject_for(options, instance));
  const auto now = std::chrono::floor<std::chrono::seconds>(instance.clock().now());
  const auto& ca = issuer.certificate();
  wanted.notBefore = std::max<Time>(now - std::chrono::minutes(5), ca.not_before());
  wanted.notAfter = ca.not_after();
  if (options.days > 0) {
    wanted.notAfter = std::min<Time>(now + std::chrono::days(options.days), ca.not_after());
  }
  if (!options.address.empty()) {
    ASSIGN_OR_RETURN(wanted.address, of_usage(GeneralName::from_text("email:" + options.address)));
  }
  return wanted;
}

void tell(const CredentialOptions& options, const std::string& directory,
          const KeyPasswordSetting& setting) {
  const auto key = "\"" + directory + "/" + options.kind + ".key\"";
  const auto certificate = "\"" + directory + "/" + options.kind + ".pem\"";
  const auto password = setting.needed ? "key_password_file = " + setting.toml() : std::string();
  print_line("The key and its certificate are in " + directory + ". Nothing uses them yet.");
  if (options.kind == "mail") {
    print_line("Name them in the channel, then reload:");
    print_line("  [channel.smime]");
    print_line("  certificate = " + certificate);
    print_line("  key         = " + key);
    return;
  }
  print_line("Name them in [ca], then reload (`systemctl reload cmpost`, or SIGHUP):");
  if (options.kind == "protocol") {
    print_line("  protocol_keys = [{ certificate = " + certificate + ", key = " + key +
               (password.empty() ? "" : ", " + password) + " }]   # beside those that are there");
    return;
  }
  print_line("  " + options.kind + "_certificate = " + certificate);
  print_line("  " + options.kind + "_key         = " + key);
  if (!password.empty()) print_line("  " + options.kind + "_" + password);
  if (options.kind == "cmp") {
    print_line("The certificate before stays good until it ends or `cmpost cert revoke` ends it.");
  }
}

Result<ExitCode> make_credential(const CredentialOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto password, read_key_password(options.password_file));
  if (password && options.kind == "mail") {
    return wrong_usage("the key of a mail channel has no password setting",
                       "leave out --key-password-file");
  }
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->require_ca());
  ASSIGN_OR_RETURN(const auto issuer,
                   load_issuer(instance->ca(), instance->random(), instance->clock()));
  auto path = options.directory;
  if (path.empty()) {
    const auto day = to_iso8601(instance->clock().now()).substr(0, 10);
    path = fs::path(instance->ca().certificate).parent_path() / (options.kind + "-" + day);
  }
  path = fs::absolute(path).lexically_normal().string();
  NewDirectory directory(path);
  NewCredential credential(*instance, directory, options.kind);
  ASSIGN_OR_RETURN(const bool went_on, credential.go_on(kCredentialRequester));
  if (!went_on) {
    ASSIGN_OR_RETURN(const auto wanted, plan(options, *instance, issuer));
    ASSIGN_OR_RETURN(const auto algorithm, algorithm_for(options, *instance, issuer));
    ASSIGN_OR_RETURN(const auto key, wanted.use == OwnUse::protocol
                                         ? of_usage(PrivateKey::generate(algorithm))
                                         : make_signing_key(algorithm));
    ASSIGN_OR_RETURN(const auto certificate,
                     of_usage(make_own_certificate(issuer, key.public_key(), wanted)));
    TRY(credential.begin());
    TRY(credential.write(key, certificate, password));
    TRY(credential.finish(certificate,
                          {"ca.credential", kCredentialRequester, {{"for", options.kind}}}));
  }
  if (common.json) {
    print_json({{"directory", path}, {"kind", options.kind}, {"went_on", went_on}});
  } else if (!common.quiet) {
    if (went_on) print_line("What was interrupted before is ended now.");
    ASSIGN_OR_RETURN(const auto setting, password_setting_of(path + "/" + options.kind + ".key",
                                                             options.password_file));
    tell(options, path, setting);
  }
  return ExitCode::ok;
}

}  // namespace

void add_credential(CLI::App& ca, CommandLine line) {
  auto* credential =
      ca.add_subcommand("credential", "make a key of the CA's own and a certificate for it");
  credential->require_subcommand(1);
  for (const auto& kind : kKinds) {
    auto options = std::make_shared<CredentialOptions>();
    options->kind = kind.name;
    auto* command = credential->add_subcommand(kind.name, kind.about);
    command->add_option("--key", options->key,
                        std::string("algorithm (default: ") +
                            (kind.key != nullptr ? kind.key : "that of the present CMP key") + ")");
    command->add_option("--subject", options->subject,
                        kind.use == OwnUse::protection
                            ? "its name (default: that of the present one)"
                            : std::string("its name (default: \"CN=INSTANCE ") + kind.name + "\")");
    command
        ->add_option("--days", options->days,
                     "how long it is valid (default: as long as the CA certificate)")
        ->check(CLI::Range(1, 40 * 366));
    command->add_option(
        "--directory", options->directory,
        std::string("where to put it (default: ") + kind.name + "-DATE beside the CA certificate)");
    if (kind.use == OwnUse::mail) {
      command->add_option("--address", options->address, "the address that the channel sends from")
          ->required();
    } else {
      command->add_option("--key-password-file", options->password_file,
                          "encrypt the key with the password in this file");
    }
    command->callback([=] {
      line.action = [=, common = &line.options] { return make_credential(*options, *common); };
    });
  }
}

}  // namespace cmpost
