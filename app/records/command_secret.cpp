#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/instance/operator_act.h"
#include "app/records/record_commands.h"
#include "app/records/secret_listing.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "config/text/units.h"
#include "processor/credentials/name_pattern.h"
#include "processor/credentials/secret_store.h"
#include "processor/officers/officer.h"
#include "processor/records/secret_digest.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct SecretOptions {
  std::vector<std::string> references;
  std::string secret_file, expires, purpose = "mac";
  std::optional<std::string> subject;
  std::vector<std::string> san, profiles, channels;
  std::optional<std::int64_t> uses;
  bool hex = false;
  ListOptions list;
};

SecretPurpose purpose_of(const SecretOptions& options) {
  return secret_purpose(options.purpose).value_or(SecretPurpose::mac);
}

// 128 bits in letters and digits that survive a telephone: no 0, 1, I, O.
std::string make_secret(Random& random) {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string text;
  for (const auto octet : random.bytes(26)) {
    if (text.size() % 6 == 5) text += '-';
    text += kLetters[octet % kLetters.size()];
  }
  return text;
}

Result<Bytes> read_secret(const std::string& path, bool as_hex) {
  ASSIGN_OR_RETURN(auto contents, read_file(path, 4096));
  while (!contents.empty() && (contents.back() == '\n' || contents.back() == '\r'))
    contents.pop_back();
  if (contents.empty()) return hold(path + " has no secret in it");
  if (!as_hex) return contents;
  auto octets = from_hex(text_of(contents));
  if (!octets) return hold(path + " is not hexadecimal");
  return *std::move(octets);
}

// "2027-01-31", "2027-01-31T12:00:00Z" or a time from now: "30d".
Result<Time> read_expiry(const std::string& text, Time now) {
  if (const auto time = from_iso8601(text)) return *time;
  if (const auto day = from_iso8601(text + "T23:59:59Z")) return *day;
  const auto duration = parse_duration(text);
  if (duration) return now + *duration;
  return wrong_usage("\"" + printable(text, 40) + "\" is no time",
                     "write 2027-01-31, 2027-01-31T12:00:00Z or 30d");
}

constexpr std::string_view kAny = "any";
constexpr std::size_t kLeastKey = 14;  // octets, 112 bits; nobody types a password as octets

Result<std::string> subject_of(const SecretOptions& options) {
  if (!options.subject) return subject_of_reference(options.references.front());
  if (*options.subject == kAny) return std::string();
  TRY(of_usage(SubjectPattern::parse(*options.subject)));
  return *options.subject;
}

Result<SanRule> san_of(const SecretOptions& options) {
  if (options.san.empty()) return SanRule{};
  if (auto rule = san_rule(options.san)) {
    for (const auto& pattern : rule->patterns)
      TRY(of_usage(AlternativeNamePattern::parse(pattern)));
    return *std::move(rule);
  }
  return wrong_usage("--san does not say which names",
                     "write own, any, none, or patterns such as \"DNS:*.grid.example\"");
}

// What it may ask for; narrow where nothing is said.
Result<void> limit(Secret& secret, const SecretOptions& options, const Settings& settings) {
  ASSIGN_OR_RETURN(secret.subject, subject_of(options));
  ASSIGN_OR_RETURN(secret.san, san_of(options));
  for (const auto& name : options.profiles) TRY(profile_named(settings, name));
  secret.profiles = options.profiles;
  secret.channels.any = options.channels == std::vector<std::string>{std::string(kAny)};
  if (secret.channels.any) return {};
  secret.channels.names = options.channels;
  for (const auto& name : options.channels) TRY(channel_named(settings, name));
  return {};
}

// Of what is known to others, or can be: one request that was listened to is enough to try guesses.
void warn_of_weakness(const Secret& secret, const SecretOptions& options) {
  struct stat found {};
  if (::stat(options.secret_file.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    print_warning("cmpost: others may read " + options.secret_file + ": chmod 600 it");
  }
  if (secret.value.size() < kLeastKey) {
    print_warning("cmpost: a secret of " + std::to_string(secret.value.size()) +
                  " octets can be guessed from one request; without --secret-file a good one is "
                  "made");
  }
}

Result<ExitCode> add(const SecretOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const key, instance->sealing_key());
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  Secret secret;
  secret.reference = options.references.front();
  TRY(limit(secret, options, instance->settings()));
  secret.purpose = purpose_of(options);
  secret.max_uses = options.uses;
  // "one-time" (RFC 4211 6.1).
  if (secret.purpose == SecretPurpose::regToken && !secret.max_uses) secret.max_uses = 1;
  secret.added = instance->clock().now();
  if (!options.expires.empty()) {
    ASSIGN_OR_RETURN(secret.expires, read_expiry(options.expires, secret.added));
    if (*secret.expires <= secret.added) {
      return wrong_usage("the secret would have expired at " + to_iso8601(*secret.expires),
                         "name a time that is still to come");
    }
  }
  std::string made;
  if (options.secret_file.empty()) {
    made = make_secret(instance->random());
    secret.value = to_bytes(std::string_view(made));
    secret.is_key = true;
  } else {
    ASSIGN_OR_RETURN(secret.value, read_secret(options.secret_file, options.hex));
    secret.is_key = options.hex && secret.value.size() >= kLeastKey;
    warn_of_weakness(secret, options);
  }
  bool added = false;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(added, SecretStore(writer.connection(), *key).add(secret, instance->random()));
    if (!added) return {};
    TRY(MakerTable(writer.connection())
            .note_secret(secret_key(secret.purpose, secret.reference), instance->person()));
    ASSIGN_OR_RETURN(
        const auto digest,
        secret_digest(writer.connection(), secret_key(secret.purpose, secret.reference)));
    const auto detail = by(instance->person(), {{"reference", printable(secret.reference)},
                                                {"for", to_string(secret.purpose)},
                                                {"columns", digest.columns},
                                                {"sha256", digest.sha256}});
    return writer.audit("secret.added", detail.dump());
  }));
  if (!added) {
    const auto purpose = secret.purpose == SecretPurpose::mac
                             ? std::string()
                             : " --for " + std::string(to_string(secret.purpose));
    return hold("there is a secret " + secret.reference + " already",
                "`cmpost secret remove " + printable(secret.reference) + purpose +
                    "` first, or choose another reference");
  }
  if (common.json) {
    json value = {{"reference", secret.reference}};
    if (!made.empty()) value["secret"] = made;
    print_json(value);
  } else if (!made.empty()) {
    print_line("secret of " + secret.reference + " (shown only now): " + made);
  } else if (!common.quiet) {
    print_line("secret of " + secret.reference + " is stored");
  }
  return ExitCode::ok;
}

Result<ExitCode> remove(const SecretOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const key, instance->sealing_key());
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  std::size_t removed = 0;
  TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
    for (const auto& reference : options.references) {
      ASSIGN_OR_RETURN(
          const bool was_there,
          SecretStore(writer.connection(), *key).remove(reference, purpose_of(options)));
      if (!was_there) {
        print_error(Error{Recovery::hold, "there is no secret " + reference, {}});
        continue;
      }
      ++removed;
      TRY(writer.audit(
          "secret.removed",
          by(instance->person(), {{"reference", printable(reference)}, {"for", options.purpose}})
              .dump()));
    }
    return {};
  }));
  if (removed == options.references.size()) return ExitCode::ok;
  return removed == 0 ? ExitCode::failed : ExitCode::partly;
}

// Believes the secrets again that wrong MACs have locked.
Result<ExitCode> unlock(const SecretOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(auto* const ledger, instance->ledger());
  for (const auto& reference : options.references) {
    SecretStore::Forgiven forgiven;
    TRY(ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(forgiven, SecretStore::forgive(writer.connection(), reference));
      return writer.audit("secret.unlocked",
                          by(instance->person(), {{"reference", printable(reference)}}).dump());
    }));
    if (!common.quiet) {
      print_line(reference + ": " + std::to_string(forgiven.macs) + " wrong MACs and " +
                 std::to_string(forgiven.envelopes) + " wrong envelopes forgotten");
    }
  }
  return ExitCode::ok;
}

}  // namespace

void add_secret(CommandLine line) {
  auto* secret = line.app.add_subcommand("secret", "shared secrets of requesters");
  secret->require_subcommand(1);
  auto options = std::make_shared<SecretOptions>();

  auto* adding = secret->add_subcommand("add", "store a secret, or make one and show it once");
  adding
      ->add_option("REF", options->references,
                   "reference: what the requester sends as senderKID or CN")
      ->required()
      ->expected(1);
  adding->add_option("--secret-file", options->secret_file,
                     "file with the secret (default: one is made)");
  adding->add_flag("--hex", options->hex, "the file has hexadecimal digits: a key for a bare MAC");
  adding->add_option("--uses", options->uses, "certificates that it may get (default: any number)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  adding->add_option("--expires", options->expires, "2027-01-31, 2027-01-31T12:00:00Z or 30d");
  adding->add_option("--subject", options->subject,
                     "subject that may be asked for, '*' for any characters: \"CN=dev-*,O=Grid\"; "
                     "or any (default: CN=REF)");
  adding
      ->add_option("--san", options->san,
                   "names in subjectAltName, '*' for a label: \"DNS:*.grid.example\"; own (the "
                   "CN, default), none or any")
      ->allow_extra_args(false);
  adding
      ->add_option("--profile", options->profiles,
                   "the only profiles that may be asked for (default: those for secrets)")
      ->allow_extra_args(false);
  adding
      ->add_option("--channel", options->channels,
                   "channels where it counts, or any (default: the first)")
      ->allow_extra_args(false);
  const auto add_purpose = [&](CLI::App* command) {
    command
        ->add_option("--for", options->purpose,
                     "mac (default), or the control that it is compared with: regToken (used up, "
                     "once unless --uses says more), authenticator; REF is the CN of the subject")
        ->check(one_of("purpose", {"mac", "regToken", "authenticator"}));
  };
  add_purpose(adding);
  adding->callback(
      [=] { line.action = [=, common = &line.options] { return add(*options, *common); }; });

  auto* listing = secret->add_subcommand(
      "list", "what is stored, without the secrets; a column that is as usual for all is left out");
  options->list.offer(*listing, {.filters = {FilterBy::time, FilterBy::subject, FilterBy::requester,
                                             FilterBy::expiry},
                                 .sorts = {"added", "expires", "subject", "uses"}});
  listing->callback([=] {
    line.action = [=, common = &line.options] { return list_secrets(options->list, *common); };
  });

  auto* unlocking = secret->add_subcommand("unlock", "believe secrets again after wrong MACs");
  unlocking->add_option("REF", options->references)->required();
  unlocking->callback(
      [=] { line.action = [=, common = &line.options] { return unlock(*options, *common); }; });

  auto* removing = secret->add_subcommand("remove", "forget secrets");
  removing->add_option("REF", options->references)->required();
  add_purpose(removing);
  removing->callback(
      [=] { line.action = [=, common = &line.options] { return remove(*options, *common); }; });
}

}  // namespace cmpost
