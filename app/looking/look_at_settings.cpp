// The settings and what they name.
#include <sys/stat.h>

#include <filesystem>

#include "app/instance/rollover_state.h"
#include "app/looking/inspection.h"
#include "app/looking/role_warnings.h"
#include "app/looking/wide_rights.h"
#include "base/files.h"
#include "carrier/file_system_kind.h"
#include "config/check_permissions.h"
#include "mail/answer_signer.h"
#include "mail/smime_files.h"
#include "mail/smime_opener.h"
#include "processor/credentials/secret_store.h"

namespace cmpost {
namespace {

class SettingsLook {
 public:
  SettingsLook(Instance& instance, Remarks& findings)
      : instance_(instance), settings_(instance.settings()), findings_(findings) {}

  void look() {
    look_at_files();
    look_at_permissions();
    look_at_databases();
    if (const auto services = instance_.services()) {
      look_at_anchors(*services);
    } else {
      findings_.add(RemarkKind::credential, {}, services.error());
    }
    for (const auto& channel : settings_.channels) look_at_mail(channel);
    look_at_sealing_key();
    look_at_unfinished();
    look_at_rights();
  }

 private:
  void look_at_files() {
    for (const auto& complaint : check_files(settings_)) {
      findings_.add(complaint);
      // Who opens it would say so once more.
      if (!complaint.unopened.empty()) findings_.told_of(complaint.unopened);
    }
  }

  void look_at_permissions() {
    const auto report = check_permissions(settings_);
    for (const auto& complaint : report.complaints) {
      findings_.add(complaint, RemarkKind::permissions);
    }
    for (const auto& text : report.warnings) {
      say(Severity::warning, RemarkKind::permissions, {}, text);
    }
  }

  void look_at_databases() {
    if (const auto spool = instance_.look_into_spool(); !spool) {
      findings_.add(RemarkKind::database, "the spool", spool.error());
    }
    if (const auto ledger = instance_.look_into_ledger(); !ledger) {
      findings_.add(RemarkKind::database, "the ledger", ledger.error());
    }
    const auto spool = path_of_database(settings_.instance.spool);
    const auto ledger = path_of_database(settings_.instance.ledger);
    if (is_same_file(spool, ledger)) {
      say(Severity::error, RemarkKind::settings, {}, "spool and ledger are the same file " + spool,
          "each needs one of its own: what is under way is not what has been signed");
    }
    look_at_file_system(spool, "the spool");
    look_at_file_system(ledger, "the ledger");
  }

  std::string path_of_database(const std::string& url) const {
    constexpr std::string_view kSqlite = "sqlite:";
    if (!url.starts_with(kSqlite)) return {};
    return path_below(settings_.directory, url.substr(kSqlite.size()));
  }

  static bool is_same_file(const std::string& a, const std::string& b) {
    struct stat first {
    }, second{};
    if (::stat(a.c_str(), &first) != 0 || ::stat(b.c_str(), &second) != 0) return a == b;
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }

  void look_at_file_system(const std::string& database, const std::string& what) {
    if (database.empty()) return;
    const auto place = std::filesystem::path(database).parent_path().string();
    if (auto finding = finding_of_place(what, place, file_system_kind(place))) {
      findings_.add(std::move(*finding));
    }
  }

  void look_at_anchors(const ProcessorServices& services) {
    for (const auto& [name, channel] : services.channels) {
      for (const auto& [setting, store] :
           {std::pair("trust", &channel.vendors), std::pair("roles.ra", &channel.ras),
            std::pair("roles.ca", &channel.cas)}) {
        for (const auto& anchor : store->anchors()) look_at_anchor(name, setting, anchor);
      }
    }
  }

  void look_at_anchor(const std::string& channel, const std::string& setting,
                      const Certificate& anchor) {
    if (anchor.not_after() > instance_.clock().now()) return;
    say(Severity::warning, RemarkKind::lifetime, RemarkSubject::of_channel(channel),
        setting + " names " + printable(anchor.subject_text()) + ", which is over since " +
            to_iso8601(anchor.not_after()),
        "nobody below it is believed: take its successor in, or remove it");
  }

  void look_at_mail(const ChannelSettings& channel) {
    const auto subject = RemarkSubject::of_channel(channel.name);
    if (channel.mail() == nullptr) return;
    const auto& smime = channel.mail()->smime;
    const auto opener = of_settings(SmimeOpener::load(smime, instance_.clock(), channel.crls));
    if (!opener) findings_.add(RemarkKind::credential, subject, opener.error());
    const auto signer = of_settings(AnswerSigner::load(smime));
    if (!signer) findings_.add(RemarkKind::credential, subject, signer.error());
    const auto trust = read_smime_trust(smime);
    if (!trust) return;  // SmimeOpener has said it
    for (const auto& anchor : *trust) look_at_anchor(channel.name, "smime.trust", anchor);
  }

  // One that is not that of the secrets opens none of them.
  void look_at_sealing_key() {
    const auto key = instance_.sealing_key();
    const auto ledger = instance_.look_into_ledger();
    if (!key || !ledger) return;  // said above
    auto& connection = (*ledger)->connection();
    SecretStore store(connection, **key);
    std::size_t foreign = 0;
    const auto all =
        SecretStore::for_each(connection, {}, [&](const Secret& secret) -> Result<void> {
          if (!store.find(secret.reference, secret.purpose)) ++foreign;
          return {};
        });
    if (!all) return findings_.add(RemarkKind::database, "the ledger", all.error());
    if (foreign == 0) return;
    say(Severity::error, RemarkKind::credential, {},
        settings_.instance.sealing_key + " does not open " + std::to_string(foreign) + " of " +
            std::to_string(*all) + " secrets",
        "restore the sealing key that they were added with; without it they have to be added anew");
  }

  void look_at_unfinished() {
    const auto unfinished = find_unfinished_commands(instance_);
    if (!unfinished) return findings_.add(RemarkKind::credential, {}, unfinished.error());
    for (const auto& text : *unfinished) {
      say(Severity::warning, RemarkKind::credential, {}, text);
    }
  }

  void look_at_rights() {
    if (!instance_.services()) return;
    const auto roles = find_role_warnings(instance_);
    if (!roles) return findings_.add(RemarkKind::rights, {}, roles.error());
    for (const auto& text : *roles) say(Severity::warning, RemarkKind::rights, {}, text);
    const auto wide = find_wide_rights(instance_);
    if (!wide) return findings_.add(RemarkKind::rights, {}, wide.error());
    for (const auto& text : *wide) {
      say(Severity::note, RemarkKind::rights, {}, "wide rights: " + text);
    }
  }

  void say(Severity severity, RemarkKind kind, const RemarkSubject& subject, std::string text,
           std::string hint = {}) {
    findings_.add({severity, kind, subject, std::move(text), std::move(hint), {}});
  }

  Instance& instance_;
  const Settings& settings_;
  Remarks& findings_;
};

}  // namespace

// Several machines that write it would not see each other's locks.
std::optional<Remark> finding_of_place(const std::string& database, const std::string& directory,
                                       const FileSystemKind& kind) {
  if (!kind.mistake.empty()) {
    return Remark{Severity::warning,
                  RemarkKind::database,
                  database,
                  "the file system of " + directory + " cannot be examined: " + kind.mistake,
                  "a database must lie on a disk of this machine",
                  {}};
  }
  if (!kind.network) return std::nullopt;
  return Remark{Severity::error,
                RemarkKind::database,
                database,
                directory + " is on a file system of the kind " + kind.name +
                    ", where locks and shared memory cannot be relied on",
                "move the database to a disk of this machine",
                {}};
}

void look_at_settings(Instance& instance, Remarks& findings) {
  SettingsLook(instance, findings).look();
}

}  // namespace cmpost
