#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kTenYears = Duration(24h * 3650);

std::string read_database(Section& table, std::string_view key, const std::string& fallback) {
  auto url = table.text(key, fallback);
  const bool sqlite = url.starts_with("sqlite:") && url.size() > 7;
  if (!sqlite && !url.starts_with("postgresql://")) {
    table.complain(key, "'" + printable(url, 60) + "' is not a database",
                   "\"sqlite:FILE\" or \"postgresql://user@host/name\"");
  }
  return url;
}

std::optional<std::string> optional_secret(Section& table, std::string_view key) {
  auto path = table.path(key, NamedFile::Use::secret);
  return path.empty() ? std::nullopt : std::optional(std::move(path));
}

std::string required_path(Section& table, std::string_view key) {
  table.require(key, "a PEM file");
  return table.path(key, NamedFile::Use::readable);
}

std::string required_key(Section& table, std::string_view key) {
  table.require(key, "a PEM file or a \"pkcs11:\" URI");
  return table.key_reference(key);
}

std::vector<ProtocolKeySettings> read_protocol_keys(Section& ca) {
  std::vector<ProtocolKeySettings> keys;
  for (const auto* item : ca.items("protocol_keys", Value::Kind::table)) {
    Section table(*item, "protocol_keys", ca.reading());
    auto certificate = required_path(table, "certificate");
    auto key = required_key(table, "key");
    keys.push_back(
        {std::move(certificate), std::move(key), optional_secret(table, "key_password_file")});
    table.finish();
  }
  return keys;
}

void read_key_generator(Section& table, CaSettings& ca) {
  if (auto path = table.path("kga_certificate", NamedFile::Use::readable); !path.empty()) {
    ca.kga_certificate = std::move(path);
  }
  if (auto key = table.key_reference("kga_key"); !key.empty()) ca.kga_key = std::move(key);
  ca.kga_key_password_file = optional_secret(table, "kga_key_password_file");
  if (ca.kga_certificate.has_value() != ca.kga_key.has_value()) {
    table.complain(ca.kga_key ? "kga_key" : "kga_certificate",
                   "'kga_certificate' and 'kga_key' belong together");
  }
}

CrlSettings read_crl(Section table) {
  CrlSettings crl;
  crl.lifetime = table.duration("lifetime", crl.lifetime, {1min, kTenYears});
  crl.publish = table.path("publish", NamedFile::Use::published);
  crl.delta = table.duration("delta", crl.delta, {0s, kTenYears});
  crl.publish_delta = table.path("publish_delta", NamedFile::Use::published);
  for (auto* url : {&crl.url, &crl.delta_url}) {
    const auto* key = url == &crl.url ? "url" : "delta_url";
    *url = table.text(key);
    if (!url->empty()) complain_unless_url(table.reading(), table.at(key), *url);
  }
  if (crl.delta >= crl.lifetime / 2) {
    table.complain("delta", "complete CRLs come more often than delta CRLs",
                   "'delta' is less than half of 'lifetime'");
  }
  if (!crl.publish_delta.empty() && crl.publish_delta == crl.publish) {
    table.complain("publish_delta", "'publish' and 'publish_delta' are the same file");
  }
  table.finish();
  return crl;
}

}  // namespace

InstanceSettings read_instance(Section table) {
  constexpr std::array kLevels = {Word<log::Level>{"debug", log::Level::debug},
                                  Word<log::Level>{"info", log::Level::info},
                                  Word<log::Level>{"warning", log::Level::warning},
                                  Word<log::Level>{"error", log::Level::error}};
  constexpr std::array kFormats = {Word<bool>{"text", false}, Word<bool>{"json", true}};
  InstanceSettings instance;
  instance.name = table.name("name");
  instance.spool = read_database(table, "spool", instance.spool);
  instance.ledger = read_database(table, "ledger", instance.ledger);
  instance.state = table.path("state", NamedFile::Use::made);
  instance.workers = static_cast<int>(table.integer("workers", instance.workers, {0, 1024}));
  instance.log.level = table.choice("log_level", instance.log.level, kLevels);
  instance.log.json = table.choice("log_format", instance.log.json, kFormats);
  instance.sealing_key = table.path("sealing_key", NamedFile::Use::secret);
  instance.keep_jobs = table.duration("keep_jobs", instance.keep_jobs, {0s, kTenYears});
  instance.keep_messages = table.duration("keep_messages", instance.keep_messages, {0s, kTenYears});
  instance.keep_refused = table.duration("keep_refused", instance.keep_refused, {0s, kTenYears});
  table.finish();
  return instance;
}

ClockSettings read_clock(Section table) {
  constexpr std::array kTrust = {Word<bool>{"none", false}, Word<bool>{"ntp", true}};
  ClockSettings clock;
  clock.ntp = table.choice("trust", clock.ntp, kTrust);
  clock.usual_off = table.duration("usual_off", clock.usual_off, {1min, kTenYears});
  table.finish();
  return clock;
}

CaSettings read_ca(Section table) {
  CaSettings ca;
  ca.certificate = required_path(table, "certificate");
  ca.key = required_key(table, "key");
  ca.key_password_file = optional_secret(table, "key_password_file");
  ca.cmp_certificate = required_path(table, "cmp_certificate");
  ca.cmp_key = required_key(table, "cmp_key");
  ca.cmp_key_password_file = optional_secret(table, "cmp_key_password_file");
  ca.rollovers = table.paths("rollovers", NamedFile::Use::readable);
  ca.send_root = table.flag("send_root", ca.send_root);
  ca.protocol_keys = read_protocol_keys(table);
  read_key_generator(table, ca);
  ca.crl = read_crl(table.table("crl"));
  if (!ca.key.empty() && ca.key == ca.cmp_key) {
    table.complain("cmp_key", "'cmp_key' is the issuing key",
                   "answers are protected by a key of their own, with id-kp-cmcCA");
  }
  table.finish();
  return ca;
}

RaSettings read_ra(Section table) {
  constexpr std::array kModes = {Word<RaSettings::Mode>{"reprotect", RaSettings::Mode::reprotect},
                                 Word<RaSettings::Mode>{"forward", RaSettings::Mode::forward},
                                 Word<RaSettings::Mode>{"nest", RaSettings::Mode::nest},
                                 Word<RaSettings::Mode>{"batch", RaSettings::Mode::batch}};
  constexpr std::array kConfirm = {
      Word<RaSettings::Confirm>{"forward", RaSettings::Confirm::forward},
      Word<RaSettings::Confirm>{"local", RaSettings::Confirm::local}};
  constexpr std::array kOrphans = {Word<RaSettings::Orphans>{"hold", RaSettings::Orphans::hold},
                                   Word<RaSettings::Orphans>{"revoke", RaSettings::Orphans::revoke},
                                   Word<RaSettings::Orphans>{"keep", RaSettings::Orphans::keep}};
  RaSettings ra;
  ra.cmp_certificate = required_path(table, "cmp_certificate");
  ra.cmp_key = required_key(table, "cmp_key");
  ra.cmp_key_password_file = optional_secret(table, "cmp_key_password_file");
  ra.send_root = table.flag("send_root", ra.send_root);
  ra.protocol_keys = read_protocol_keys(table);
  table.require("upstream", "the name of a channel with direction = \"upstream\"");
  ra.upstream = table.text("upstream");
  ra.mode = table.choice("mode", ra.mode, kModes);
  ra.confirm = table.choice("confirm", ra.confirm, kConfirm);
  ra.orphans = table.choice("orphans", ra.orphans, kOrphans);
  ra.upstream_within = table.duration("upstream_within", ra.upstream_within, {1min, kTenYears});
  if (table.has("renew_before")) {
    ra.renew_before =
        table.duration("renew_before", Duration::zero(), {Duration::zero(), kTenYears});
  }
  constexpr std::array kRenewBy = {
      Word<std::string_view>{"kur", "kur"}, Word<std::string_view>{"ir", "ir"},
      Word<std::string_view>{"cr", "cr"}, Word<std::string_view>{"p10cr", "p10cr"}};
  ra.renew_by = table.choice("renew_by", std::string_view(), kRenewBy);
  ra.renew_profile = table.text("renew_profile");
  table.finish();
  return ra;
}

}  // namespace cmpost
