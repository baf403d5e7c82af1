#include "app/looking/remark.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cmpost {
namespace {

struct KindRow {
  std::string_view name;
  std::string_view advice;  // for a finding that has none of its own
};

KindRow row_of(RemarkKind kind) {
  switch (kind) {
    case RemarkKind::settings:
      return {"settings", "docs/configuration.md describes every key"};
    case RemarkKind::permissions:
      return {"permissions", "mend it with `chmod` or `chown`"};
    case RemarkKind::database:
      return {"database", "docs/operations.md, \"Restore\", says how a backup comes home"};
    case RemarkKind::credential:
      return {"credential",
              "`cmpost ca show` lists what there is, `cmpost ca credential` makes one"};
    case RemarkKind::lifetime:
      return {
          "lifetime",
          "the service, or `cmpost run`, renews CRLs; certificates: docs/operations.md, \"A new "
          "CA key\" and \"Keys that do not issue\""};
    case RemarkKind::crl:
      return {"crl", "`cmpost crl issue` makes one and publishes it"};
    case RemarkKind::rights:
      return {"rights", "docs/configuration.md, \"Who may have what\", says how to narrow it"};
    case RemarkKind::clock:
      return {"clock",
              "compare with a watch: `date -u`, `cmpost clock`; docs/operations.md, \"The clock\""};
    case RemarkKind::service:
      return {"service", "its log says more; `cmpost serve` starts it"};
    case RemarkKind::maintenance:
      return {"maintenance", "its log says more; it is tried again by itself"};
    case RemarkKind::channel:
      return {"channel", "it is tried again by itself; `cmpost check --connect` tries it now"};
    case RemarkKind::input:
      return {"input", "look at it where it lies; what cannot be mended has to be taken away"};
    case RemarkKind::without_request:
      return {"without_request", "somebody should read them"};
    case RemarkKind::batch:
      return {"batch",
              "at the sending side `cmpost resend`, or `cmpost skip` what is lost for good"};
    case RemarkKind::bundle:
      return {"bundle",
              "`cmpost bundle list` shows all; where one is missing its sender has `cmpost bundle "
              "resend`, and `cmpost bundle skip` gives up what is lost for good"};
    case RemarkKind::server:
      return {"server", "look whether it is there, and into its log"};
    case RemarkKind::disk:
      return {"disk", "look at the disk with `df`, and at what mounts it"};
    case RemarkKind::waiting:
      return {"waiting", "`cmpost serve`, or `cmpost run` now and then, takes them"};
    case RemarkKind::deferred:
      return {"deferred", "they are tried again by themselves; `cmpost queue retry` does it now"};
    case RemarkKind::held:
      return {"held", "`cmpost queue retry`, `release` or `drop` ends it"};
    case RemarkKind::lease:
      return {"lease", "the next service or `cmpost run` takes them again"};
    case RemarkKind::transaction:
      return {"transaction", "`cmpost transaction list --state open` shows them"};
    case RemarkKind::order:
      return {"order", "`cmpost order list` shows them; `cmpost order revoked ID` when it is done"};
    case RemarkKind::run:
      return {"run", "`cmpost report list` shows the runs"};
    case RemarkKind::request_set:
      return {"request_set", "`cmpost batch list` shows the batches"};
    case RemarkKind::device:
      return {"device", "`cmpost device list` shows the devices"};
    case RemarkKind::ledger:
      return {"ledger", "`cmpost restore-check` says what it lacks"};
  }
  return {"", ""};
}

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

std::string_view to_string(RemarkKind kind) { return row_of(kind).name; }

void Remarks::add(Remark finding) {
  if (finding.hint.empty() && finding.severity != Severity::note) {
    finding.hint = row_of(finding.kind).advice;
  }
  const auto same = [&](const Remark& other) {
    return other.text == finding.text && other.place == finding.place &&
           other.subject == finding.subject;
  };
  if (std::ranges::none_of(all_, same)) all_.push_back(std::move(finding));
}

void Remarks::add(RemarkKind kind, const RemarkSubject& subject, const Error& error) {
  const auto of_settings = error.blame == Blame::settings;
  // One that several looks meet is one; a server that two channels have is the trouble of both.
  const auto same = [&](const Remark& other) {
    const auto& theirs = other.subject.channel;
    const bool elsewhere = theirs && subject.channel && *theirs != *subject.channel;
    return other.text == error.what && !elsewhere;
  };
  const bool told = std::ranges::find(told_, error.path) != told_.end();
  if (told || std::ranges::any_of(all_, same)) return;
  add({Severity::error,
       of_settings ? RemarkKind::settings : kind,
       subject,
       error.what,
       error.hint,
       {}});
}

void Remarks::add(const Complaint& complaint, RemarkKind kind) {
  add({Severity::error, kind, {}, complaint.message, complaint.hint, place_of(complaint)});
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
