#include "app/remark.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace cmpost {
namespace {

constexpr auto kKindNames = std::to_array<std::string_view>(
    {"settings",    "permissions", "database",        "credential", "lifetime",
     "crl",         "rights",      "clock",           "service",    "maintenance",
     "channel",     "input",       "without_request", "batch",      "server",
     "disk",        "waiting",     "deferred",        "held",       "lease",
     "transaction", "ledger"});

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

std::string_view to_string(RemarkKind kind) {
  static_assert(kKindNames.size() == static_cast<std::size_t>(RemarkKind::ledger) + 1);
  return kKindNames.at(static_cast<std::size_t>(kind));
}

void Remarks::add(Remark finding) {
  const auto same = [&](const Remark& other) {
    return other.text == finding.text && other.place == finding.place &&
           other.subject == finding.subject;
  };
  if (std::ranges::none_of(all_, same)) all_.push_back(std::move(finding));
}

void Remarks::add(RemarkKind kind, const RemarkSubject& subject, const Error& error) {
  const auto of_settings = error.blame == Blame::settings;
  // One that several looks meet is one.
  const auto same = [&](const Remark& other) {
    const auto& theirs = other.subject.channel;
    const bool elsewhere = theirs && subject.channel && *theirs != *subject.channel;
    return other.text == error.what && !elsewhere;
  };
  if (std::ranges::any_of(all_, same)) return;
  add({Severity::error,
       of_settings ? RemarkKind::settings : kind,
       subject,
       error.what,
       error.hint,
       {}});
}

void Remarks::add(const Complaint& complaint, RemarkKind kind) {
  auto place = to_string(Complaint{complaint.file, complaint.at, {}, {}});
  place.resize(place.size() - 2);  // ": "
  add({Severity::error, kind, {}, complaint.message, complaint.hint, std::move(place)});
}

bool Remarks::any(Severity severity) const {
  return std::ranges::any_of(all_, [&](const auto& one) { return one.severity == severity; });
}

std::vector<Remark> Remarks::of_channel(const std::string& name) const {
  std::vector<Remark> some;
  for (const auto& finding : all_) {
    if (finding.subject.channel == name) some.push_back(finding);
  }
  return some;
}

ExitCode Remarks::exit_code() const {
  const bool settings = std::ranges::any_of(all_, [](const auto& one) {
    return one.kind == RemarkKind::settings && one.severity == Severity::error;
  });
  if (settings) return ExitCode::configuration;
  if (any(Severity::error)) return ExitCode::failed;
  return any(Severity::warning) ? ExitCode::partly : ExitCode::ok;
}

std::string to_string(const Remark& finding) {
  const auto& before = finding.place.empty() ? finding.subject.text : finding.place;
  return before.empty() ? finding.text : before + ": " + finding.text;
}

nlohmann::json to_json(const Remark& finding) {
  nlohmann::json value = {{"severity", to_string(finding.severity)},
                          {"kind", to_string(finding.kind)},
                          {"subject", finding.subject.text},
                          {"text", finding.text},
                          {"hint", finding.hint}};
  if (finding.subject.channel) value["channel"] = *finding.subject.channel;
  if (!finding.place.empty()) value["place"] = finding.place;
  return value;
}

nlohmann::json to_json(const Remarks& findings) {
  auto value = nlohmann::json::array();
  for (const auto& finding : findings.all()) value.push_back(to_json(finding));
  return value;
}

}  // namespace cmpost
