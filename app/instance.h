// One instance: its settings and what they name, opened as far as a command needs it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/command.h"
#include "base/clock.h"
#include "base/random.h"
#include "ca/ledger.h"
#include "config/settings.h"
#include "processor/authority.h"
#include "processor/channel_policy.h"
#include "processor/respond.h"
#include "queue/spool.h"

namespace cmpost {

// How the Error of wrong settings begins; it becomes exit code 78.
inline constexpr std::string_view kWrongSettings = "the settings have mistakes";

// Finds and reads the settings; complaints go to standard error, one a line. Configures the log.
Result<Settings> load_settings(const CommonOptions& options);

// The parts are opened on first use. Not thread safe itself; what it hands out is as its own header
// says, and lives as long as the instance.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> open(const CommonOptions& options);
  explicit Instance(Settings settings) : settings_(std::move(settings)) {}

  const Settings& settings() const { return settings_; }
  const CaSettings& ca() const { return *settings_.ca; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }

  Result<Spool*> spool();
  Result<Ledger*> ledger();
  Result<const Authority*> authority();
  Result<const SealingKey*> sealing_key();
  Result<ProcessorServices> services();

 private:
  Settings settings_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Ledger> ledger_;
  std::optional<Authority> authority_;
  std::optional<SealingKey> sealing_key_;
  ChannelPolicies channels_;
};

// A new CRL in ledger and file.
Result<CertificateList> issue_crl(Instance& instance);
// What has to be done now and then: runs the timers of transactions, issues a CRL that is missing,
// half through its life or behind the ledger, writes the CRL file anew if it differs, announces
// what is new, forgets old jobs.
Result<void> maintain(Instance& instance);

}  // namespace cmpost
