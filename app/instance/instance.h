// One instance: its settings and what they name, opened as far as a command needs it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "app/terminal/command_line.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/watched_clock.h"
#include "ca/ledger/ledger.h"
#include "ca/ledger/person.h"
#include "config/settings.h"
#include "processor/ca_role/ca_role.h"
#include "processor/dialogue/respond.h"
#include "processor/rights/channel_policy.h"
#include "queue/spool.h"

namespace cmpost {

// The file that the options name, or the first that is where they are looked for.
Result<std::string> find_config(const CommonOptions& options);
// Finds and reads the settings, and configures the log. An Error: there is no file. All of them are
// Blame::settings, which becomes exit code 78.
Result<Loaded> read_settings(const CommonOptions& options);

// The log as the settings and the command line say.
void configure_log(const Settings& settings, const CommonOptions& options);

// The parts are opened on first use. Not thread safe itself; what it hands out is as its own header
// says, and lives as long as the instance.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> open(const CommonOptions& options);
  // `clock` must outlive the instance; nullptr: the system's. One that is given never jumps.
  explicit Instance(Settings settings, const Clock* clock = nullptr)
      : settings_(std::move(settings)),
        clock_(clock != nullptr ? *clock : system_clock_),
        since_boot_(clock != nullptr ? *clock : boot_clock_),
        watched_(clock_, since_boot_, clock != nullptr ? "given" : boot_id(),
                 trust(settings_.clock), {.usual_off = settings_.clock.usual_off}) {}

  // Both databases at the same time: each takes its log in.
  ~Instance() { close_databases(); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Settings& settings() const { return settings_; }
  // Who has started the process.
  const Person& person() const { return person_; }
  // For one that goes on in the same process.
  void take_over(const Instance& before) { person_ = before.person_; }
  bool is_ca() const { return settings_.ca.has_value(); }
  // Of a CA; whoever asks has looked.
  const CaSettings& ca() const { return *settings_.ca; }
  // For what a CA alone can do. Blame::usage.
  Result<void> require_ca() const;
  // The wall clock, whatever it says.
  const Clock& clock() const { return clock_; }
  // The same under watch. Opening the ledger and maintain() look at it; whoever only looks judges
  // it himself.
  WatchedClock& watched_clock() { return watched_; }
  const Clock& sure_clock() const { return watched_.sure(); }
  const Clock& likely_clock() const { return watched_.likely(); }
  Random& random() { return random_; }

  // Which channels this process works on; before spool(). All, unless somebody says otherwise.
  void work_on(ChannelScope scope) { scope_ = std::move(scope); }
  const ChannelScope& scope() const { return scope_; }

  // Before any work: refuses keys and passwords that others may read, with a line for each on
  // standard error.
  Result<void> refuse_open_secrets() const;
  // For whoever writes; hold when the database does not exist.
  Result<Spool*> spool();
  Result<Ledger*> ledger();
  // For whoever only looks: nothing is written, also not on a medium that could not take it.
  Result<std::unique_ptr<LedgerReader>> look_into_ledger();
  Result<std::unique_ptr<Spool>> look_into_spool();
  // Both, if open. Whatever was handed out before is gone; the next use opens them again.
  void close_databases();
  // For `init` alone: the databases are made where they do not exist.
  void may_make_databases() { databases_ = OpenMode::create; }
  // What the settings name for these: what is wrong with it is Blame::settings.
  Result<const Authority*> authority();  // of a CA: require_ca()
  Result<const Identity*> identity();    // of either role
  // Of the settings; needs no key. The first of the file is the CA's.
  Result<Certificate> ca_certificate() const { return certificate_in(ca().certificate); }
  // What protects our messages.
  const std::string& cmp_certificate_file() const;
  static Result<Certificate> certificate_in(const std::string& file);
  // Whether this account may not read all keys of the CA with their passwords, as those who only
  // look and decide need not.
  bool may_not_read_keys() const;
  // What identity() has taken the place of; before anybody works.
  Result<void> recall_former(std::vector<std::shared_ptr<const Identity>> former);
  Result<const SealingKey*> sealing_key();
  Result<ProcessorServices> services();
  // True the first time that this text comes.
  bool say_once(const std::string& text) { return said_.insert(text).second; }

 private:
  Result<std::vector<Certificate>> issuing_roots();
  static std::function<bool()> trust(const ClockSettings& settings) {
    return settings.ntp ? system_clock_is_synchronized : std::function<bool()>();
  }

  Settings settings_;
  Person person_;
  SystemClock system_clock_;
  BootClock boot_clock_;
  const Clock& clock_;
  const Clock& since_boot_;
  WatchedClock watched_;
  SystemRandom random_;
  ChannelScope scope_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Ledger> ledger_;
  std::optional<Authority> authority_;
  std::optional<Identity> ra_identity_;
  std::unique_ptr<Role> role_;
  std::optional<SealingKey> sealing_key_;
  ChannelPolicies channels_;
  OpenMode databases_ = OpenMode::read_write;
  std::set<std::string> said_;
};

// For who only looks: an instance by what can be read of the settings, and what is wrong with them.
struct LegibleInstance {
  std::unique_ptr<Instance> instance;  // nullptr: no file, or no TOML
  Complaints complaints;
};
// An Error: nobody says which file.
Result<LegibleInstance> open_legible(const CommonOptions& options);

// A new CRL in ledger and file, announced where the settings say.
Result<CertificateList> issue_crl(Instance& instance);
Result<CertificateList> issue_delta_crl(Instance& instance);
// One of the two: a delta CRL where the instance has them.
Result<CertificateList> issue_crl_after_revocation(Instance& instance);
// The same where the instance has CRLs: an RA only notes what the CA has revoked.
Result<void> crl_after_revocation(Instance& instance);
// What has to be done now and then: looks at the clock, runs the timers of transactions, issues a
// CRL that is missing, half through its life or behind the ledger, writes the CRL files anew if
// they differ, announces what is new, forgets old jobs and messages. Warns in the log of what is
// about to end.
Result<void> maintain(Instance& instance);

}  // namespace cmpost
