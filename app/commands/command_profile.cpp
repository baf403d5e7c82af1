#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/looking/wide_rights.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "base/files.h"
#include "base/joined.h"
#include "ca/lint/lint.h"
#include "cmp/inspect/inspect.h"
#include "processor/ca_role/certificate_request.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxSample = 16 << 20;

struct ProfileOptions {
  std::string name, sample, out;
};

// One certificate that the sample asks for.
struct Sample {
  std::int64_t certReqId = 0;
  CertificateWish wish;
};

Result<PublicKey> key_of(const std::optional<SubjectPublicKeyInfo>& key) {
  if (!key || key->key.empty()) {
    return hold("the sample has no public key", "the profile's rules begin with the key");
  }
  return PublicKey::from_spki(*key);
}

Result<std::vector<Sample>> samples_of(const CertReqMessages& requests) {
  std::vector<Sample> samples;
  for (const auto& request : requests) {
    const auto& wanted = request.certReq.certTemplate;
    ASSIGN_OR_RETURN(auto key, key_of(wanted.publicKey));
    Sample sample{request.certReq.certReqId,
                  {wanted.subject.value_or(Name()),
                   std::move(key),
                   wanted.extensions.value_or(Extensions()),
                   {},
                   {}}};
    if (wanted.validity) {
      sample.wish.not_before = wanted.validity->notBefore;
      sample.wish.not_after = wanted.validity->notAfter;
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

Result<std::vector<Sample>> samples_of(const CertificationRequest& request) {
  ASSIGN_OR_RETURN(auto key, PublicKey::from_spki(request.spki));
  return std::vector<Sample>{{-1, {request.subject, std::move(key), request.extensions, {}, {}}}};
}

// A PKIMessage or a PKCS#10 request, whichever it is.
Result<std::vector<Sample>> read_sample(const std::string& path) {
  ASSIGN_OR_RETURN(const auto contents, read_file(path, kMaxSample));
  if (const auto request = certification_request_from_pem_or_der(contents)) {
    return samples_of(*request);
  }
  const auto unwrapped = unwrap(contents);
  if (unwrapped.what != Unwrapped::What::message) {
    return hold(path + " is neither a PKIMessage nor a PKCS#10 request: " + unwrapped.reason,
                unwrapped.hint);
  }
  const auto message = decode(unwrapped.message, {.max_message = kMaxSample});
  if (!message) return hold(path + " is not a PKIMessage: " + message.error().text());
  if (const auto* requests = cert_requests(message->body)) return samples_of(*requests);
  if (const auto* p10cr = std::get_if<body::p10cr>(&message->body)) {
    return samples_of(p10cr->request);
  }
  return hold("a message with the body " + std::string(body_name(message->body)) +
                  " asks for no certificate",
              "take an ir, cr, kur or p10cr");
}

// What would become of one sample.
struct TrialVerdict {
  std::int64_t certReqId = 0;
  std::optional<Rejection> rejection;
  std::vector<std::string> changes;
  LintFindings findings;
  std::optional<Certificate> certificate;  // signed by a key that is forgotten at once
};

// The CA key signs nothing: what is shown carries the signature of a throw-away key of its kind.
Result<TrialVerdict> try_out(const Sample& sample, const Profile& profile,
                             const Authority& authority, Time now) {
  TrialVerdict verdict{sample.certReqId, {}, {}, {}, {}};
  const auto& issuer = authority.issuer;
  auto plan = profile.plan(sample.wish, now, issuer.latest_not_after());
  if (!plan) {
    verdict.rejection = to_rejection(plan.error());
    return verdict;
  }
  verdict.changes = plan->changes;
  ASSIGN_OR_RETURN(const Bytes tbs, issuer.prepare(*plan));
  verdict.findings = lint_certificate(tbs, issuer.certificate());
  if (const auto passed = lint_for(profile.settings(), tbs, issuer.certificate()); !passed) {
    verdict.rejection = to_rejection(passed.error());
  }
  ASSIGN_OR_RETURN(const auto ca_key, issuer.certificate().public_key());
  ASSIGN_OR_RETURN(const auto throw_away, PrivateKey::generate(ca_key.description()));
  ASSIGN_OR_RETURN(const auto signer, Signer::create(throw_away));
  ASSIGN_OR_RETURN(const Bytes der, sign_tbs(tbs, signer));
  ASSIGN_OR_RETURN(verdict.certificate, Certificate::from_der(der));
  return verdict;
}

std::string_view level_name(LintFinding::Level level) {
  switch (level) {
    case LintFinding::Level::warning:
      return "warning";
    case LintFinding::Level::error:
      return "error";
    case LintFinding::Level::fatal:
      break;
  }
  return "fatal";
}

std::string outcome_of(const TrialVerdict& verdict) {
  if (verdict.rejection) return "rejection";
  return verdict.changes.empty() ? "accepted" : "grantedWithMods";
}

json to_json(const TrialVerdict& verdict) {
  json value = {{"certReqId", verdict.certReqId},
                {"status", outcome_of(verdict)},
                {"changes", verdict.changes},
                {"lint", json::array()}};
  if (verdict.rejection) {
    value["failInfo"] = to_string(verdict.rejection->failInfo);
    value["reason"] = verdict.rejection->text;
  }
  for (const auto& finding : verdict.findings) {
    value["lint"].push_back(
        {{"level", level_name(finding.level)}, {"rule", finding.rule}, {"text", finding.text}});
  }
  if (verdict.certificate) {
    value["certificate"] = json::parse(inspect_certificate_json(verdict.certificate->der()));
  }
  return value;
}

void print(const TrialVerdict& verdict) {
  print_line("request " + std::to_string(verdict.certReqId) + ": " + outcome_of(verdict));
  if (verdict.rejection) {
    print_line("  " + std::string(to_string(verdict.rejection->failInfo)) + ": " +
               printable(verdict.rejection->text, 2000));
  }
  for (const auto& change : verdict.changes) print_line("  changed: " + printable(change, 2000));
  for (const auto& finding : verdict.findings) {
    print_line("  lint " + std::string(level_name(finding.level)) + ": " +
               std::string(finding.rule) + ": " + printable(finding.text, 2000));
  }
  if (verdict.certificate) print_line(inspect_certificate_text(verdict.certificate->der()));
}

Result<Profile> make_profile(const Instance& instance, const std::string& name) {
  ASSIGN_OR_RETURN(const auto* const settings, profile_named(instance.settings(), name));
  return Profile::create(*settings);
}

Result<ExitCode> test_profile(const ProfileOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto profile, make_profile(*instance, options.name));
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  ASSIGN_OR_RETURN(const auto samples, read_sample(options.sample));
  auto all = json::array();
  std::string pem;
  std::size_t refused = 0;
  for (const auto& sample : samples) {
    ASSIGN_OR_RETURN(const auto verdict,
                     try_out(sample, profile, *authority, instance->clock().now()));
    refused += verdict.rejection ? 1 : 0;
    if (verdict.certificate) pem += verdict.certificate->to_pem();
    common.json ? all.push_back(to_json(verdict)) : print(verdict);
  }
  if (common.json) print_json(all);
  if (!options.out.empty()) {
    TRY(write_file(options.out, view_of(pem), 0644, IfExists::replace));
  }
  return refused == 0 ? ExitCode::ok : ExitCode::partly;
}

Result<ExitCode> list_profiles(const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  auto all = json::array();
  Table table({"profile", "validity", "who", "channels"});
  for (const auto& profile : instance->settings().profiles) {
    std::vector<std::string> channels;
    for (const auto& channel : instance->settings().channels) {
      const auto& names = channel.profiles;
      if (std::ranges::find(names, profile.name) == names.end()) continue;
      channels.push_back(channel.name);
    }
    ASSIGN_OR_RETURN(const auto made, Profile::create(profile));
    auto who = json::array();
    for (const auto kind : made.who()) who.push_back(to_string(kind));
    all.push_back(
        {{"profile", profile.name},
         {"validity_seconds", std::chrono::floor<std::chrono::seconds>(profile.validity).count()},
         {"who", std::move(who)},
         {"powers", made.powers()},
         {"channels", channels}});
    table.add({profile.name, in_words(profile.validity), choosers_of(made), joined(channels, " ")});
  }
  common.json ? print_json(all) : table.print("no profiles");
  return ExitCode::ok;
}

}  // namespace

void add_profile(CommandLine line) {
  auto* profile = line.app.add_subcommand("profile", "certificate profiles");
  profile->require_subcommand(1);
  auto* common = &line.options;
  profile
      ->add_subcommand("list", "their names, who may choose them, and the channels that offer them")
      ->callback([=] { line.action = [=] { return list_profiles(*common); }; });
  auto options = std::make_shared<ProfileOptions>();
  auto* testing = profile->add_subcommand(
      "test", "show the certificate that a request would get; the CA key signs nothing");
  testing->add_option("NAME", options->name, "the profile")->required();
  testing->add_option("--sample", options->sample, "a PKIMessage or a PKCS#10 request")->required();
  testing->add_option("--out", options->out,
                      "also write it as PEM, signed by a key that is thrown away");
  testing->callback([=] { line.action = [=] { return test_profile(*options, *common); }; });
}

}  // namespace cmpost
