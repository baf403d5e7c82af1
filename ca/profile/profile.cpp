#include "ca/profile/profile.h"

#include <algorithm>
#include <array>

#include "ca/lint/lint.h"
#include "ca/profile/extension_rules.h"
#include "ca/profile/key_rules.h"
#include "ca/profile/subject_rules.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

// X.509 knows whole seconds only.
Time whole_seconds(Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

struct Span {
  Time notBefore{};
  Time notAfter{};
  std::vector<std::string> changes;
};

// When it begins: as asked for, but not earlier than the profile would have it begin.
void grant_begin(const ProfileSettings& profile, const CertificateWish& wish, Time now,
                 Span& span) {
  const Time earliest = whole_seconds(now - profile.not_before_slack);
  span.notBefore = wish.not_before ? whole_seconds(*wish.not_before) : earliest;
  if (span.notBefore >= earliest) return;
  span.notBefore = earliest;
  span.changes.push_back("notBefore: " + to_iso8601(*wish.not_before) + " asked for, " +
                         to_iso8601(earliest) + " granted");
}

// When it ends: the profile's validity counts from the beginning, but for a certificate that
// begins later than now, from now.
void grant_end(const ProfileSettings& profile, const CertificateWish& wish, Time now, Time latest,
               Span& span) {
  const Time end =
      whole_seconds(std::min(std::min(span.notBefore, now) + profile.validity, latest));
  span.notAfter = wish.not_after ? whole_seconds(*wish.not_after) : end;
  if (span.notAfter <= end) return;
  span.notAfter = end;
  span.changes.push_back("notAfter: " + to_iso8601(*wish.not_after) + " asked for, " +
                         to_iso8601(end) + " granted");
}

Allowed<Span> grant_span(const ProfileSettings& profile, const CertificateWish& wish, Time now,
                         Time latest) {
  if (latest <= now) {
    return refuse(Refusal::Reason::validity,
                  "the CA's own certificate ended " + to_iso8601(latest));
  }
  Span span;
  grant_begin(profile, wish, now, span);
  grant_end(profile, wish, now, latest, span);
  const bool ends_too_early = span.notAfter <= now || span.notAfter <= span.notBefore;
  if (!ends_too_early) return span;
  if (wish.not_after && *wish.not_after <= now) {
    return refuse(Refusal::Reason::validity,
                  "the notAfter asked for, " + to_iso8601(*wish.not_after) + ", is past");
  }
  return refuse(Refusal::Reason::validity,
                "the certificate would begin " + to_iso8601(span.notBefore) +
                    " and end no later than " + to_iso8601(span.notAfter));
}

// RFC 5280 4.1.2.6: "If subject naming information is present only in the subjectAltName extension
// [...], then the subject name MUST be an empty sequence and the subjectAltName extension MUST be
// critical."
Allowed<void> complete_null_dn(CertificatePlan& plan, bool ca) {
  const auto found = std::find_if(
      plan.extensions.begin(), plan.extensions.end(),
      [](const Extension& extension) { return extension.extnID == oid::id_ce_subjectAltName; });
  if (found == plan.extensions.end() || ca) {
    return refuse(Refusal::Reason::subject,
                  ca ? "a CA certificate needs a subject"
                     : "the subject is empty and there is no subjectAltName instead");
  }
  if (!found->critical) plan.changes.push_back("subjectAltName: made critical");
  found->critical = true;
  return {};
}

void take(std::vector<std::string>& target, std::vector<std::string> more) {
  std::move(more.begin(), more.end(), std::back_inserter(target));
}

bool has_name_placeholder(std::string_view pattern) {
  return std::ranges::any_of(std::array{"{dns}", "{email}", "{ip}", "{uri}"}, [&](auto word) {
    return pattern.find(word) != std::string_view::npos;
  });
}

// Whether some value is derived from the names that are asked for.
bool derives_from_names(const ProfileSettings& settings) {
  const auto& fields = settings.subject.fields;
  const auto rule = settings.extensions.rule_for(oid::id_ce_subjectAltName.dotted());
  return std::ranges::any_of(rule.names, has_name_placeholder) ||
         std::ranges::any_of(fields, [](const SubjectField& field) {
           return field.rule.kind == FieldRule::Kind::derive &&
                  has_name_placeholder(field.rule.value);
         });
}

std::vector<std::string> powers_of(const ProfileSettings& settings,
                                   const ExtensionPolicy& extensions) {
  auto powers = extensions.powers();
  if (settings.ca) powers.insert(powers.begin(), "ca = true");
  return powers;
}

RequesterKinds choosers(const ProfileSettings& settings, const std::vector<std::string>& powers) {
  if (settings.who) return *settings.who;
  return powers.empty() ? anybody() : RequesterKinds{};
}

}  // namespace

struct Profile::State {
  ProfileSettings settings;
  SubjectPolicy subject;
  ExtensionPolicy extensions;
  std::vector<std::string> powers;
  RequesterKinds who;
  bool derives_from_names = false;
};

Result<Profile> Profile::create(const ProfileSettings& settings) {
  if (settings.keys.empty()) return hold("profile " + settings.name + " allows no keys");
  if (settings.validity < std::chrono::seconds(1)) {
    return hold("profile " + settings.name + " has no validity");
  }
  for (const auto& rule : settings.lint_allow) {
    const auto& fatal = fatal_rules();
    if (std::find(fatal.begin(), fatal.end(), rule) != fatal.end()) {
      return hold("profile " + settings.name + ": lint_allow names \"" + rule +
                      "\", which nothing allows to break",
                  "others could not read such a certificate");
    }
    const auto& known = lint_rules();
    if (std::find(known.begin(), known.end(), rule) == known.end()) {
      return hold(
          "profile " + settings.name + ": lint_allow names \"" + rule + "\", which is no rule",
          "docs/configuration.md lists them");
    }
  }
  ASSIGN_OR_RETURN(SubjectPolicy subject, SubjectPolicy::create(settings));
  ASSIGN_OR_RETURN(ExtensionPolicy extensions, ExtensionPolicy::create(settings));
  auto powers = powers_of(settings, extensions);
  auto who = choosers(settings, powers);
  Profile profile;
  profile.state_ = std::make_shared<const State>(
      State{settings, std::move(subject), std::move(extensions), std::move(powers), std::move(who),
            cmpost::derives_from_names(settings)});
  return profile;
}

const std::string& Profile::name() const { return state_->settings.name; }
const ProfileSettings& Profile::settings() const { return state_->settings; }
const std::vector<std::string>& Profile::powers() const { return state_->powers; }
const RequesterKinds& Profile::who() const { return state_->who; }

bool Profile::heeds(const Oid& extension) const {
  if (extension == oid::id_ce_subjectAltName && state_->derives_from_names) return true;
  using Kind = ExtensionRule::Kind;
  const auto kind = state_->settings.extensions.rule_for(extension.dotted()).kind;
  return kind == Kind::copy || kind == Kind::require || kind == Kind::default_;
}

bool Profile::derives_subject() const {
  return std::ranges::any_of(state_->settings.subject.fields, [](const SubjectField& field) {
    return field.rule.kind == FieldRule::Kind::derive;
  });
}

bool Profile::lists(const Oid& extension) const {
  const auto& fields = state_->settings.extensions.fields;
  return std::ranges::find(fields, extension.dotted(), &ExtensionField::oid) != fields.end();
}

Allowed<CertificatePlan> Profile::plan(const CertificateWish& wish, Time now, Time latest) const {
  TRY(check_key(state_->settings, wish.key));
  const DerivedValues derived(wish.subject, wish.extensions, wish.key);
  ASSIGN_OR_RETURN(auto subject, state_->subject.apply(wish.subject, derived));
  ASSIGN_OR_RETURN(auto extensions, state_->extensions.apply(wish.extensions, wish.key, derived));
  ASSIGN_OR_RETURN(auto span, grant_span(state_->settings, wish, now, latest));

  CertificatePlan plan{std::move(subject.subject),
                       to_bytes(wish.key.spki()),
                       span.notBefore,
                       span.notAfter,
                       std::move(extensions.extensions),
                       std::move(subject.changes),
                       {}};
  plan.chosen_subject = std::move(subject.chosen);
  plan.keeps_subject = subject.keeps_requested;
  take(plan.changes, std::move(extensions.changes));
  if (plan.subject.is_null_dn()) TRY(complete_null_dn(plan, state_->settings.ca));
  plan.changes_of_validity = span.changes.size();
  take(plan.changes, std::move(span.changes));
  return plan;
}

}  // namespace cmpost
