// The whole of cmpost.toml, typed and checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config/channel_settings.h"
#include "config/device_settings.h"
#include "config/officer_settings.h"
#include "config/profile_settings.h"
#include "config/rule_settings.h"
#include "config/text/complaint.h"
#include "config/text/cron.h"
#include "config/text/named_file.h"

namespace cmpost {

// Every path below is absolute: relative ones are taken from the directory of the file.

struct InstanceSettings {
  std::string name;                       // in logs, reports, Message-IDs
  std::string spool = "sqlite:spool.db";  // as written; relative to Settings::directory
  std::string ledger = "sqlite:ledger.db";
  // The key that seals the secrets in the ledger, 64 hex digits; default: secrets/seal.key beside
  // the settings.
  std::string sealing_key;
  std::string state;  // directory for what channels remember; default: state beside the settings
  int workers = 0;    // signing threads, 0 = one per core
  log::Settings log;  // log_level, log_format = "text" | "json"
  Duration keep_jobs = std::chrono::hours(24 * 30);     // done jobs in the spool; zero: for ever
  Duration keep_refused = std::chrono::hours(24 * 30);  // what became no transaction; same
  Duration keep_messages =
      std::chrono::hours(24 * 400);  // requests and answers in the ledger; same
};

// Whom to believe about the time, see base/watched_clock.h.
struct ClockSettings {
  bool ntp = false;                             // trust = "ntp": the kernel's word for it
  Duration usual_off = std::chrono::hours(24);  // how long the machine may be switched off
};

struct CrlSettings {
  Duration lifetime = std::chrono::hours(24 * 14);  // nextUpdate - thisUpdate
  std::string publish;                              // file to write; empty: only in the ledger
  // Delta CRLs: how often, and what a revocation brings instead of a complete CRL. Zero: none.
  Duration delta{};
  std::string publish_delta;   // as `publish`
  std::string url, delta_url;  // where relying parties find the two; empty: not said
};

// A key pair that neither issues nor signs: Diffie-Hellman, key encapsulation, decryption.
struct ProtocolKeySettings {
  std::string certificate;
  std::string key;  // as CaSettings::key
  std::optional<std::string> key_password_file;
};

struct CaSettings {
  std::string certificate;
  std::string key;  // a PEM file, or a "pkcs11:" URI (RFC 7512), which stays as it is
  std::optional<std::string> key_password_file;
  std::string cmp_certificate;  // protects answers; not the issuing key
  std::string cmp_key;          // as `key`
  std::optional<std::string> cmp_key_password_file;
  // PEM files that `cmpost ca rollover` has made, each with the four certificates of one change of
  // the CA key; in any order.
  std::vector<std::string> rollovers;
  bool send_root = false;  // self-signed certificates in extraCerts, too
  std::vector<ProtocolKeySettings> protocol_keys;
  // Signs the private keys that are made here for others; both or neither.
  std::optional<std::string> kga_certificate, kga_key, kga_key_password_file;
  CrlSettings crl;
};

struct RaSettings {
  // A wish: what a request allows decides (processor/ra_role/choose_mode.h).
  enum class Mode { reprotect, forward, nest, batch };
  // Who says to the CA that a certificate has been accepted: its requester, or we at once.
  enum class Confirm { forward, local };
  // Certificates that come when nobody waits for them any more.
  enum class Orphans { hold, revoke, keep };
  std::string cmp_certificate;  // protects what we send, up and down
  std::string cmp_key;          // a PEM file, or a "pkcs11:" URI
  std::optional<std::string> cmp_key_password_file;
  bool send_root = false;  // self-signed certificates in extraCerts, too
  std::vector<ProtocolKeySettings> protocol_keys;
  std::string
      upstream;  // a channel with direction = "upstream": where what no other one is for goes
  Mode mode = Mode::reprotect;
  Confirm confirm = Confirm::forward;
  Orphans orphans = Orphans::hold;
  // From its departure; then the requester hears systemUnavail.
  Duration upstream_within = std::chrono::hours(24 * 30);
  // Before cmp_certificate ends; nullopt: a third of its life, 30 days at most. Zero: not by
  // itself.
  std::optional<Duration> renew_before;
  std::string renew_by;       // "kur", "ir", "cr", "p10cr"; "": kur where the CA has issued it
  std::string renew_profile;  // certProfile; "": that of the CA
};

// What ends a run early: `rejected > 2% of at least 100`, `held > 20`, `issued > 12500`.
struct StopRule {
  enum class What { rejected, held, issued };
  What what = What::rejected;
  double limit = 0;  // of requests in the run; more than that stops it
  bool percent = false;
  std::uint64_t at_least = 50;  // percent: of so many requests; before nothing is judged
  std::string text;             // as it was written
};

struct RunSettings {
  std::string name;
  std::optional<CronTime> at;         // nullopt: started by hand, or by a timer of others
  std::vector<std::string> channels;  // of the settings; all of them where none is named
  std::string report;                 // directory; empty: none
  std::vector<StopRule> stop_if;
  std::optional<double> rate;  // at most so many requests a second
};

struct Settings {
  std::string file;       // as given to load()
  std::string directory;  // of the file, absolute
  InstanceSettings instance;
  ClockSettings clock;
  std::optional<CaSettings> ca;  // exactly one of ca and ra
  std::optional<RaSettings> ra;
  std::optional<BundleSettings> bundle;
  std::vector<ProfileSettings> profiles;
  std::vector<ChannelSettings> channels;
  std::vector<RunSettings> runs;
  std::vector<VendorSettings> vendors;
  std::vector<OfficerSettings> officers;  // none: everybody may decide who can write the ledger
  std::vector<RuleSettings> rules;        // the first that fits decides
  std::vector<NamedFile> files;

  const ProfileSettings* profile(std::string_view name) const;  // nullptr: no such
  const ChannelSettings* channel(std::string_view name) const;
  const RunSettings* run(std::string_view name) const;
};

// Settings, or everything that is wrong with the file: each mistake has its own complaint, in the
// order of the file. Only a TOML syntax error ends the reading early. Looks at nothing but the
// file itself.
using Loaded = tl::expected<Settings, Complaints>;
Loaded load(const std::string& path);
// The same for text; `file` is for complaints and for relative paths.
Loaded parse_settings(std::string_view text, const std::string& file);

// The same for who only looks: what can be read stands beside what is wrong. Where there is a
// complaint its default stands, or nothing; nobody may work by that.
struct Legible {
  std::optional<Settings> settings;  // nullopt: no file, or no TOML
  Complaints complaints;             // as load()
};
Legible load_legible(const std::string& path);

// What the file system says: files that are missing or cannot be read, secrets that others may
// read (mode & 077), directories that are missing, that cannot be written or that are the same by
// another name. Empty: all is well. Call it as the user that will run the service.
Complaints check_files(const Settings& settings);
// Of these, keys and passwords that others may read or write: with them nobody works. What cannot
// be seen is not complained of here: a stage may run as a user who has no right to it.
Complaints check_secrets(const Settings& settings);

}  // namespace cmpost
