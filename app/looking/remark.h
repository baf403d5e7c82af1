// What is to be said of an instance: one list for people, for programs and for the exit code.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/terminal/exit_code.h"
#include "base/result.h"
#include "config/text/complaint.h"

namespace cmpost {

enum class Severity {
  note,     // to be known
  warning,  // to be looked at, exit code 2
  error     // something does not work, or is about to stop; exit code 1
};
std::string_view to_string(Severity severity);

// What is wrong, for programs: to_string() is stable.
enum class RemarkKind {
  settings,         // the file, or what it names; exit code 78
  permissions,      // somebody may read or exchange what is not theirs
  database,         // cannot be used, or lies where it should not
  credential,       // a key or certificate of this CA
  lifetime,         // a certificate or a list is over or about to be
  crl,              // what is published is not what it should be
  rights,           // who may do more than somebody may think
  clock,            // what time it is
  service,          // nobody works
  maintenance,      // a part of the service waits out trouble
  channel,          // a way in or out rests, or nobody looks at it
  input,            // input that stays where it is
  without_request,  // mails for people
  batch,            // missing or torn
  bundle,           // the same of those that people carry, overdue, or waiting for them
  server,           // that cannot be logged in at
  disk,             // below its mark
  waiting,          // jobs that nobody takes
  deferred,
  held,
  lease,        // jobs of somebody who is gone
  transaction,  // not confirmed in time
  order,        // a person has to revoke at a CA
  run,          // it waits for people, or is not what it should be
  request_set,  // a batch of requests that is half made, or that nobody runs
  device,       // a row of the list of devices by which nobody can ask
  ledger        // knows less than what has left the house
};
std::string_view to_string(RemarkKind kind);

// What a finding is about.
struct RemarkSubject {
  // Implicit: a text is a subject; without one it is the instance.
  RemarkSubject(std::string what = {}) : text(std::move(what)) {}
  RemarkSubject(const char* what) : text(what) {}
  static RemarkSubject of_channel(const std::string& name) {
    RemarkSubject subject("channel " + name);
    subject.channel = name;
    return subject;
  }
  std::string text;
  std::optional<std::string> channel;
  friend bool operator==(const RemarkSubject&, const RemarkSubject&) = default;
};

struct Remark {
  Severity severity = Severity::warning;
  RemarkKind kind = RemarkKind::settings;
  RemarkSubject subject;
  std::string text;   // one sentence without a full stop
  std::string hint;   // what to do; may be empty, then Remarks gives a trouble that of its kind
  std::string place;  // in the settings, "cmpost.toml:12:1"; may be empty
};

class Remarks {
 public:
  // What was said already is not said again.
  void add(Remark finding);
  void add(RemarkKind kind, const RemarkSubject& subject, const Error& error);
  void add(const Complaint& complaint, RemarkKind kind = RemarkKind::settings);
  // That this file cannot be opened: the Error of who tries is not added from now on.
  void told_of(std::string file) { told_.push_back(std::move(file)); }

  const std::vector<Remark>& all() const { return all_; }
  bool any(Severity severity) const;
  std::vector<Remark> of_channel(const std::string& name) const;
  // 78, 1, 2 or 0, by the worst of them.
  ExitCode exit_code() const;

 private:
  std::vector<Remark> all_;
  std::vector<std::string> told_;
};

// "channel depots: the way in rests ..."
std::string to_string(const Remark& finding);
nlohmann::json to_json(const Remark& finding);
nlohmann::json to_json(const Remarks& findings);

}  // namespace cmpost
