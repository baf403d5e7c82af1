#include "app/instance/instance.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/instance/announcements.h"
#include "app/instance/lifetimes.h"
#include "app/instance/operator_act.h"
#include "app/instance/own_renewal.h"
#include "app/schemas/ledger_schemas.h"
#include "app/terminal/output.h"
#include "base/at_work.h"
#include "base/files.h"
#include "base/log.h"
#include "base/start_thread.h"
#include "ca/crl_publisher.h"
#include "ca/ledger/clock_record.h"
#include "processor/admission/credential_files.h"
#include "processor/ra_role/ra_role.h"
#include "processor/timers.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/retention.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

constexpr const char* kSystemConfig = "/etc/cmpost/cmpost.toml";

CrlTime crl_time(const Instance& instance) {
  return {instance.sure_clock().now(), instance.likely_clock().now()};
}

// Issues what is due, or mends the published files.
Result<void> keep_crls(Instance& instance) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(const auto due,
                   crl_due(*reader, authority->issuer, instance.ca().crl, crl_time(instance)));
  if (due == CrlDue::none) return publish_newest_crl(*reader, instance.ca().crl);
  if (due == CrlDue::complete) {
    TRY(issue_crl(instance));
  } else {
    TRY(issue_delta_crl(instance));
  }
  return {};
}

Result<void> forget_old_jobs(Instance& instance) {
  const auto keep = instance.settings().instance.keep_jobs;
  if (keep == Duration::zero()) return {};
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  const auto before = instance.sure_clock().now() - keep;
  TRY(spool->requests().purge(before));
  TRY(spool->replies().purge(before));
  return {};
}

Result<void> forget_old_messages(Instance& instance) {
  constexpr std::size_t kAtATime = 10'000;  // transactions, which takes a moment at most
  const auto keep = instance.settings().instance.keep_messages;
  if (keep == Duration::zero()) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto count,
                   forget_messages(*ledger, instance.sure_clock().now() - keep, kAtATime));
  if (count > 0) log::info("messages.removed", {{"transactions", count}});
  return {};
}

Result<void> forget_old_refusals(Instance& instance) {
  const auto keep = instance.settings().instance.keep_refused;
  if (keep == Duration::zero()) return {};
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const auto before = instance.sure_clock().now() - keep;
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  ASSIGN_OR_RETURN(const auto oldest, RefusalTable(reader->connection()).oldest());
  if (!oldest || *oldest >= before) return {};
  return ledger->write([&](LedgerWriter& writer) -> Result<void> {
    TRY(RefusalTable(writer.connection()).forget(before));
    return {};
  });
}

}  // namespace

Result<std::string> find_config(const CommonOptions& options) {
  if (!options.config.empty()) return options.config;
  for (const std::string path : {"cmpost.toml", kSystemConfig}) {
    if (exists(path)) return path;
  }
  return wrong_settings(
      std::string("there is no cmpost.toml here and no ") + kSystemConfig,
      "go to the instance's directory, name the file with --config, or make an instance "
      "with `cmpost init DIR`");
}

void configure_log(const Settings& settings, const CommonOptions& options) {
  auto log_settings = settings.instance.log;
  if (options.quiet) log_settings.level = std::max(log_settings.level, log::Level::error);
  log::configure(log_settings);
}

Result<Loaded> read_settings(const CommonOptions& options) {
  ASSIGN_OR_RETURN(const auto path, find_config(options));
  auto loaded = load(path);
  if (!loaded) return loaded;
  configure_log(*loaded, options);
  CHECK(loaded->ca || loaded->ra);  // load() takes nothing else
  return loaded;
}

Result<std::unique_ptr<Instance>> Instance::open(const CommonOptions& options) {
  ASSIGN_OR_RETURN(auto loaded, read_settings(options));
  if (!loaded) {
    for (const auto& complaint : loaded.error()) print_warning(to_string(complaint));
    return wrong_settings("the settings have mistakes",
                          "docs/configuration.md describes every key");
  }
  auto instance = std::make_unique<Instance>(std::move(*loaded));
  instance->person_ = present_person(options);
  return instance;
}

Result<LegibleInstance> open_legible(const CommonOptions& options) {
  ASSIGN_OR_RETURN(const auto path, find_config(options));
  auto legible = load_legible(path);
  LegibleInstance opened{nullptr, std::move(legible.complaints)};
  if (!legible.settings) return opened;
  configure_log(*legible.settings, options);
  if (!legible.settings->ca && !legible.settings->ra) legible.settings->ca.emplace();
  opened.instance = std::make_unique<Instance>(std::move(*legible.settings));
  return opened;
}

Result<void> Instance::refuse_open_secrets() const {
  const auto complaints = check_secrets(settings_);
  for (const auto& complaint : complaints) print_warning(to_string(complaint));
  if (complaints.empty()) return {};
  return wrong_settings("others may read keys or passwords", "`cmpost check` says the same");
}

// Each may have a long log to take in.
void Instance::close_databases() {
  const auto other = start_thread([this] { spool_.reset(); });
  ledger_.reset();
  if (!other) spool_.reset();
}

Result<Spool*> Instance::spool() {
  if (!spool_) {
    ASSIGN_OR_RETURN(spool_, open_spool({.url = settings_.instance.spool,
                                         .base_directory = settings_.directory,
                                         .mode = databases_,
                                         .scope = scope_},
                                        SpoolClocks{watched_.likely(), since_boot_}));
  }
  return spool_.get();
}

Result<Ledger*> Instance::ledger() {
  if (!ledger_) {
    ASSIGN_OR_RETURN(ledger_, Ledger::open(settings_.instance.ledger, settings_.directory, clock_,
                                           ledger_schemas(), databases_));
    TRY(look_at_clock(*ledger_, watched_));
  }
  return ledger_.get();
}

Result<std::unique_ptr<LedgerReader>> Instance::look_into_ledger() {
  return Ledger::look_into(settings_.instance.ledger, settings_.directory, ledger_schemas());
}

Result<std::unique_ptr<Spool>> Instance::look_into_spool() {
  return open_spool({.url = settings_.instance.spool,
                     .base_directory = settings_.directory,
                     .mode = OpenMode::read_only},
                    SpoolClocks{clock_, since_boot_});
}

Result<Certificate> Instance::certificate_in(const std::string& file) {
  constexpr std::size_t kLargest = 1 << 20;
  ASSIGN_OR_RETURN(const auto pem, of_settings(read_file(file, kLargest)));
  ASSIGN_OR_RETURN(auto certificates, of_settings(Certificate::from_pem(text_of(pem))));
  if (!certificates.empty()) return std::move(certificates.front());
  return of_settings(Result<Certificate>(hold(file + " has no certificate in it")));
}

Result<void> Instance::require_ca() const {
  if (is_ca()) return {};
  return wrong_usage("this instance is a registration authority, which issues nothing itself",
                     "do it at the CA");
}

const std::string& Instance::cmp_certificate_file() const {
  return is_ca() ? ca().cmp_certificate : settings_.ra->cmp_certificate;
}

bool Instance::may_not_read_keys() const {
  std::vector<std::string> files;
  const auto add = [&](const std::optional<std::string>& file) {
    if (file) files.push_back(*file);
  };
  if (is_ca()) {
    for (const auto* file : {&ca().key, &ca().cmp_key}) files.push_back(*file);
    for (const auto* file : {&ca().key_password_file, &ca().cmp_key_password_file, &ca().kga_key,
                             &ca().kga_key_password_file}) {
      add(*file);
    }
  } else {
    files.push_back(settings_.ra->cmp_key);
    add(settings_.ra->cmp_key_password_file);
  }
  for (const auto& pair : is_ca() ? ca().protocol_keys : settings_.ra->protocol_keys) {
    files.push_back(pair.key);
    if (pair.key_password_file) files.push_back(*pair.key_password_file);
  }
  return std::ranges::any_of(
      files, [](const auto& file) { return ::access(file.c_str(), R_OK) != 0 && errno == EACCES; });
}

Result<const Authority*> Instance::authority() {
  TRY(require_ca());
  if (!authority_) {
    ASSIGN_OR_RETURN(auto loaded, of_settings(load_authority(ca(), random_, clock_)));
    authority_.emplace(std::move(loaded));
    role_ = std::make_unique<CaRole>(*authority_);
  }
  return &*authority_;
}

Result<const Identity*> Instance::identity() {
  if (is_ca()) {
    ASSIGN_OR_RETURN(const auto* const authority, this->authority());
    return &authority->identity;
  }
  if (!ra_identity_) {
    const auto& ra = *settings_.ra;
    ASSIGN_OR_RETURN(auto loaded,
                     of_settings(load_identity({.certificate = ra.cmp_certificate,
                                                .key = ra.cmp_key,
                                                .key_password_file = ra.cmp_key_password_file,
                                                .protocol_keys = ra.protocol_keys,
                                                .send_root = ra.send_root,
                                                .links = {},
                                                .issuers = {},
                                                .may_be_over = true},
                                               clock_)));
    ra_identity_.emplace(std::move(loaded));
    role_ = std::make_unique<RaRole>(ra, *ra_identity_, channels_);
  }
  return &*ra_identity_;
}

Result<void> Instance::recall_former(std::vector<std::shared_ptr<const Identity>> former) {
  TRY(identity());
  ra_identity_->former = std::move(former);
  return {};
}

Result<const SealingKey*> Instance::sealing_key() {
  if (!sealing_key_) {
    const auto& path = settings_.instance.sealing_key;
    ASSIGN_OR_RETURN(const auto contents, of_settings(read_file(path, 4096)));
    auto key = of_settings(SealingKey::from_hex(text_of(contents)));
    if (!key) return failure(std::move(key).error().within(path));
    sealing_key_.emplace(std::move(*key));
  }
  return &*sealing_key_;
}

// Whose certificates are those of this PKI: our own, or of the CAs above.
Result<std::vector<Certificate>> Instance::issuing_roots() {
  if (is_ca()) {
    ASSIGN_OR_RETURN(const auto* const authority, this->authority());
    return authority->own_roots();
  }
  std::vector<Certificate> roots;
  for (const auto& channel : settings_.channels) {
    if (channel.direction != Direction::upstream) continue;
    for (const auto& file : channel.trust) {
      ASSIGN_OR_RETURN(auto certificates, read_certificates(file));
      std::ranges::copy_if(certificates, std::back_inserter(roots), &Certificate::is_ca);
    }
  }
  return roots;
}

Result<ProcessorServices> Instance::services() {
  ASSIGN_OR_RETURN(const auto* const identity, this->identity());
  ASSIGN_OR_RETURN(const auto* const key, sealing_key());
  if (channels_.empty()) {
    ASSIGN_OR_RETURN(const auto roots, of_settings(issuing_roots()));
    ASSIGN_OR_RETURN(channels_, of_settings(load_channel_policies(settings_, roots)));
  }
  return ProcessorServices{*identity, *role_, channels_,    *key,
                           random_,   clock_, sure_clock(), likely_clock()};
}

Result<CertificateList> issue_crl(Instance& instance) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(auto crl,
                   issue_crl(*ledger, authority->issuer, instance.ca().crl, crl_time(instance)));
  TRY(announce_crls(instance));
  return crl;
}

Result<CertificateList> issue_delta_crl(Instance& instance) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  ASSIGN_OR_RETURN(const auto* const authority, instance.authority());
  ASSIGN_OR_RETURN(
      auto crl, issue_delta_crl(*ledger, authority->issuer, instance.ca().crl, crl_time(instance)));
  TRY(announce_crls(instance));
  return crl;
}

Result<void> crl_after_revocation(Instance& instance) {
  if (!instance.is_ca()) return {};
  TRY(issue_crl_after_revocation(instance));
  return {};
}

Result<CertificateList> issue_crl_after_revocation(Instance& instance) {
  return instance.ca().crl.delta == Duration::zero() ? issue_crl(instance)
                                                     : issue_delta_crl(instance);
}

Result<void> maintain(Instance& instance) {
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  const AtWork at_work("timers and CRLs");
  ASSIGN_OR_RETURN(const auto services, instance.services());
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  TRY(look_at_clock(*ledger, instance.watched_clock()));
  TRY(run_timers(*spool, *ledger, services));
  const auto renewed = instance.is_ca() ? keep_crls(instance) : Result<void>();
  // The rest is done all the same.
  if (const auto tended = tend_own_certificate(instance); !tended) {
    log::error("ra.certificate_not_tended", {{"error", to_string(tended.error())}});
  }
  // Above all when the CRL could not be renewed.
  TRY(log_lifetime_warnings(instance));
  TRY(renewed);
  if (instance.is_ca()) TRY(announce_news(instance));
  TRY(forget_old_jobs(instance));
  TRY(forget_old_refusals(instance));
  return forget_old_messages(instance);
}

}  // namespace cmpost
