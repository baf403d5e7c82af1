#include <algorithm>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/spelling.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kYear = Duration(24h * 365);

constexpr std::array kKinds = {Word<ChannelKind>{"directory", ChannelKind::directory},
                               Word<ChannelKind>{"mail", ChannelKind::mail},
                               Word<ChannelKind>{"sftp", ChannelKind::sftp}};

std::optional<std::string> template_mistake(std::string_view name) {
  static const std::vector<std::string> kKnown = {"stem", "body", "tid", "date", "seq"};
  for (auto rest = name; rest.find_first_of("{}") != std::string_view::npos;) {
    const auto open = rest.find_first_of("{}");
    const auto close = rest.find('}', open);
    if (rest[open] == '}' || close == std::string_view::npos) return "a brace has no partner";
    const auto word = rest.substr(open + 1, close - open - 1);
    if (std::find(kKnown.begin(), kKnown.end(), word) == kKnown.end()) {
      return "unknown placeholder '" + printable(word, 40) + "'";
    }
    rest.remove_prefix(close + 1);
  }
  if (name.find('/') != std::string_view::npos) return "a file name has no '/'";
  if (name.find('{') == std::string_view::npos) return "every answer would have the same name";
  if (name.empty() || name.front() == '.') return "a hidden file would be overlooked";
  if (!name.ends_with(".pki")) return "answers end in .pki (RFC 9483 6.4.1)";
  if (name.size() > 100 || printable(name) != name) return "too long or not printable";
  return std::nullopt;
}

std::string read_template(Section& table, const std::string& fallback) {
  auto text = table.text("name_template", fallback);
  if (const auto mistake = template_mistake(text)) {
    table.complain("name_template", "'name_template': " + *mistake,
                   "such as \"{stem}.{body}.pki\"; known are {stem} {body} {tid} {date} {seq}");
  }
  return text;
}

void read_one_way(Section& table, DirectorySettings& settings) {
  enum class OneWay { none, in, out, both };
  constexpr std::array kOneWay = {Word<OneWay>{"none", OneWay::none},
                                  Word<OneWay>{"in", OneWay::in}, Word<OneWay>{"out", OneWay::out},
                                  Word<OneWay>{"both", OneWay::both}};
  const auto one_way = table.choice("one_way", OneWay::none, kOneWay);
  settings.one_way_in = one_way == OneWay::in || one_way == OneWay::both;
  settings.one_way_out = one_way == OneWay::out || one_way == OneWay::both;
  settings.copies = static_cast<std::size_t>(table.integer("copies", 1, {1, 100}));
  settings.repeat_after = table.duration("repeat_after", settings.repeat_after, {0s, kYear});
  settings.batch_keep = table.duration("batch_keep", settings.batch_keep, {0s, 10 * kYear});
  for (const auto* key : {"copies", "repeat_after", "batch_keep"}) {
    if (table.has(key) && !settings.one_way_out) {
      table.complain(key, "'" + std::string(key) + "' is for numbered batches",
                     "one_way = \"out\" makes them");
    }
  }
  if (settings.one_way_in && table.has("ready")) {
    table.complain("ready", "'ready' has no meaning where numbered batches come in",
                   "their manifests tell what is complete");
  }
}

void read_media(Section& table, DirectorySettings& settings) {
  settings.mount_point = table.path("mount_point", NamedFile::Use::removable);
  if (!settings.media) {
    if (table.has("mount_point")) {
      table.complain("mount_point", "'mount_point' is for media", "media = true");
    }
    return;
  }
  for (const auto* key : {"one_way", "ready"}) {
    if (table.has(key)) {
      table.complain(key, "'" + std::string(key) + "' cannot stand beside media = true",
                     "a medium is copied as a whole and verified");
    }
  }
}

// How answers are put where a reader of `out` is particular about it.
void read_manners(Section& table, DirectorySettings& settings) {
  settings.staging = table.path("staging", NamedFile::Use::directory);
  settings.pace = table.duration("pace", settings.pace, {0s, 1h});
  settings.max_outstanding =
      static_cast<std::size_t>(table.integer("max_outstanding", 0, {0, 1'000'000}));
  for (const auto* key : {"pace", "max_outstanding"}) {
    if (table.has(key) && settings.one_way_out) {
      table.complain(key, "'" + std::string(key) + "' has no meaning for numbered batches");
    }
  }
}

DirectorySettings read_directory(Section& table) {
  constexpr std::array kReady = {Word<ReadyRule>{"rename", ReadyRule::rename},
                                 Word<ReadyRule>{"stable", ReadyRule::stable},
                                 Word<ReadyRule>{"marker", ReadyRule::marker},
                                 Word<ReadyRule>{"manifest", ReadyRule::manifest}};
  DirectorySettings settings;
  settings.media = table.flag("media", false);
  const auto use = settings.media ? NamedFile::Use::removable : NamedFile::Use::directory;
  table.require("in", "the directory where requests are put");
  table.require("out", "the directory where answers are put");
  settings.in = table.path("in", use);
  settings.out = table.path("out", use);
  settings.name_template = read_template(table, settings.name_template);
  settings.ready = table.choice("ready", settings.ready, kReady);
  settings.settle = table.duration("settle", settings.settle, {100ms, 1h});
  settings.poll = table.duration("poll", settings.poll, {100ms, 1h});
  settings.done_keep = table.duration("done_keep", settings.done_keep, {0s, 10 * kYear});
  settings.quarantine_keep =
      table.duration("quarantine_keep", settings.quarantine_keep, {0s, 10 * kYear});
  read_media(table, settings);
  read_one_way(table, settings);
  read_manners(table, settings);
  return settings;
}

IntakeLimits read_limits(Section& table) {
  IntakeLimits limits;
  limits.min_free =
      table.size("min_free", limits.min_free, {std::size_t{0}, std::size_t{1} << 40U});
  limits.max_rate = static_cast<std::size_t>(table.integer("max_rate", 0, {0, 1'000'000}));
  limits.max_pending = static_cast<std::size_t>(table.integer(
      "max_pending", static_cast<std::int64_t>(limits.max_pending), {0, 100'000'000}));
  return limits;
}

MacSettings read_mac(Section table) {
  MacSettings mac;
  mac.allow_hmac_sha1 = table.flag("allow_hmac_sha1", mac.allow_hmac_sha1);
  mac.max_iterations = static_cast<std::uint32_t>(
      table.integer("max_iterations", mac.max_iterations, {100, 10'000'000}));
  const auto count = [&](std::string_view key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(table.integer(key, fallback, {0, 1'000'000}));
  };
  mac.lock_after = count("lock_after", mac.lock_after);
  mac.lock_after_all = count("lock_after_all", mac.lock_after_all);
  mac.lock_time = table.duration("lock_time", mac.lock_time, {1min, kYear});
  table.finish();
  return mac;
}

EnvelopeSettings read_envelopes(Section table) {
  EnvelopeSettings envelopes;
  envelopes.authenticated = table.flag("authenticated", envelopes.authenticated);
  envelopes.refuse_after = static_cast<std::uint32_t>(
      table.integer("refuse_after", envelopes.refuse_after, {0, 1'000'000}));
  envelopes.refuse_time = table.duration("refuse_time", envelopes.refuse_time, {1min, kYear});
  table.finish();
  return envelopes;
}

InformationSettings read_information(Section table) {
  using Asker = InformationSettings::Asker;
  constexpr std::array kAskers = {Word<Asker>{"any", Asker::anybody},
                                  Word<Asker>{"signed", Asker::signer},
                                  Word<Asker>{"off", Asker::nobody}};
  InformationSettings information;
  information.asker = table.choice("requests", information.asker, kAskers);
  information.languages = table.texts("languages", information.languages);
  information.caKeyUpdateInfo = table.flag("caKeyUpdateInfo", information.caKeyUpdateInfo);
  table.finish();
  return information;
}

constexpr std::array kProtections = {Word<ProtectionMethod>{"rsa", ProtectionMethod::rsa},
                                     Word<ProtectionMethod>{"rsa-pss", ProtectionMethod::rsa_pss},
                                     Word<ProtectionMethod>{"ecdsa", ProtectionMethod::ecdsa},
                                     Word<ProtectionMethod>{"ed25519", ProtectionMethod::ed25519},
                                     Word<ProtectionMethod>{"ed448", ProtectionMethod::ed448},
                                     Word<ProtectionMethod>{"pbm", ProtectionMethod::pbm},
                                     Word<ProtectionMethod>{"pbmac1", ProtectionMethod::pbmac1},
                                     Word<ProtectionMethod>{"hmac", ProtectionMethod::hmac},
                                     Word<ProtectionMethod>{"kmac", ProtectionMethod::kmac},
                                     Word<ProtectionMethod>{"gmac", ProtectionMethod::gmac},
                                     Word<ProtectionMethod>{"dh", ProtectionMethod::dh},
                                     Word<ProtectionMethod>{"kem", ProtectionMethod::kem}};

ProtectionMethods read_protection(Section& table, const ProtectionMethods& fallback) {
  if (!table.has("protection")) return fallback;
  ProtectionMethods methods;
  for (const auto& word : table.texts("protection")) {
    const auto known = std::ranges::find(kProtections, word, &Word<ProtectionMethod>::word);
    if (known != kProtections.end()) {
      methods.push_back(known->meaning);
      continue;
    }
    std::string words;
    for (const auto& one : kProtections)
      words += (words.empty() ? "" : " ") + std::string(one.word);
    table.complain("protection", "unknown protection '" + printable(word, 40) + "'",
                   "known are " + words);
  }
  if (methods.empty()) table.complain("protection", "nothing could be received", "name some");
  return methods;
}

void read_roles(Section table, ChannelSettings& channel) {
  channel.trust_ra = table.paths("ra", NamedFile::Use::readable);
  channel.trust_ca = table.paths("ca", NamedFile::Use::readable);
  channel.ra_without_purpose = table.flag("ra_without_purpose", false);
  table.finish();
}

AnnouncementSettings read_announcements(Section& table, ChannelKind kind) {
  constexpr std::array kBodies = {
      std::pair("crlann", &AnnouncementSettings::crlann),
      std::pair("ckuann", &AnnouncementSettings::ckuann),
      std::pair("rann", &AnnouncementSettings::rann),
  };
  AnnouncementSettings settings;
  for (const auto* item : table.items("announce")) {
    const auto found = std::find_if(kBodies.begin(), kBodies.end(),
                                    [&](const auto& one) { return one.first == item->text; });
    if (found != kBodies.end()) {
      settings.*(found->second) = true;
    } else {
      table.reading().complain(item->at, "'" + printable(item->text, 60) + "' is not announced",
                               "one of \"crlann\", \"ckuann\", \"rann\"");
    }
  }
  settings.to = table.text("announce_to");
  if (kind == ChannelKind::mail && settings.any() && settings.to.empty()) {
    table.complain("announce", "'announce' needs 'announce_to' on a mail channel",
                   "the address that announcements are sent to");
  }
  return settings;
}

// "never", "always", "after 1h"
void read_interim(Section& table, WaitingSettings& waiting) {
  using Interim = WaitingSettings::Interim;
  constexpr std::array kInterim = {Word<Interim>{"never", Interim::never},
                                   Word<Interim>{"always", Interim::always}};
  constexpr std::string_view kAfter = "after ";
  const auto* value = table.find("waiting");
  if (value == nullptr || !value->text.starts_with(kAfter)) {
    waiting.interim = table.choice("waiting", waiting.interim, kInterim);
    return;
  }
  const auto time = parse_duration(std::string_view(value->text).substr(kAfter.size()));
  if (!time) return table.complain("waiting", time.error().what, time.error().hint);
  waiting.interim = Interim::after;
  waiting.after = *time;
}

void read_approve_for(Section& table, WaitingSettings& waiting) {
  static const std::vector<std::string> kBodies = {"ir", "cr", "p10cr", "kur", "rr", "genm"};
  waiting.approve_for = table.texts("approve_for", waiting.approve_for);
  for (const auto& name : waiting.approve_for) {
    if (std::find(kBodies.begin(), kBodies.end(), name) != kBodies.end()) continue;
    table.complain("approve_for", "'" + printable(name, 40) + "' is no request that can wait",
                   "ir, cr, p10cr, kur, rr, genm");
  }
}

WaitingSettings read_waiting(Section& table) {
  constexpr std::array kApprove = {Word<int>{"auto", 0}, Word<int>{"one", 1}, Word<int>{"two", 2}};
  constexpr std::array kJudge = {Word<bool>{"arrival", true}, Word<bool>{"issue", false}};
  WaitingSettings waiting;
  read_interim(table, waiting);
  waiting.by_error = table.flag("waiting_by_error", waiting.by_error);
  waiting.push = table.flag("push", waiting.push);
  waiting.check_after = table.duration("check_after", waiting.check_after, {0s, kYear});
  waiting.approvals = table.choice("approve", waiting.approvals, kApprove);
  waiting.approve_accounts = table.flag("approve_accounts", waiting.approve_accounts);
  read_approve_for(table, waiting);
  constexpr std::array kByRa = {Word<RaApproval>{"none", RaApproval::none},
                                Word<RaApproval>{"nested", RaApproval::nested},
                                Word<RaApproval>{"any", RaApproval::any}};
  waiting.ra_approval = table.choice("approval_by_ra", waiting.ra_approval, kByRa);
  waiting.decide_within = table.duration("decide_within", waiting.decide_within, {0s, 10 * kYear});
  waiting.judge_on_arrival = table.choice("judge", waiting.judge_on_arrival, kJudge);
  return waiting;
}

Quirks read_quirks(Section& table, bool strict) {
  Quirks quirks;
  for (const auto& name : table.texts("quirks")) {
    if (name == "p10cr_zero") {
      quirks.p10cr_zero = true;
    } else {
      table.complain("quirks", "'" + printable(name, 40) + "' is no quirk that is known here",
                     "\"p10cr_zero\"");
    }
  }
  if (strict && table.find("quirks") != nullptr) {
    table.complain("quirks", "'quirks' and 'strict' exclude each other",
                   "leave one of them out: a strict channel does nothing for single peers");
  }
  return quirks;
}

void read_policy(Section& table, ChannelSettings& channel) {
  constexpr std::array kUnconfirmed = {Word<UnconfirmedRule>{"revoke", UnconfirmedRule::revoke},
                                       Word<UnconfirmedRule>{"keep", UnconfirmedRule::keep},
                                       Word<UnconfirmedRule>{"alarm", UnconfirmedRule::alarm}};
  constexpr std::array kConfirm = {Word<ConfirmRule>{"implicit", ConfirmRule::implicit},
                                   Word<ConfirmRule>{"wait", ConfirmRule::wait}};
  channel.trust = table.paths("trust", NamedFile::Use::readable);
  read_roles(table.table("roles"), channel);
  channel.crls = table.paths("crls", NamedFile::Use::readable);
  channel.protection = read_protection(table, channel.protection);
  constexpr std::array kAnswer = {Word<AnswerProtection>{"mirror", AnswerProtection::mirror},
                                  Word<AnswerProtection>{"kem", AnswerProtection::kem}};
  channel.answer = table.choice("answer", channel.answer, kAnswer);
  channel.archive = table.flag("archive", channel.archive);
  channel.recovery = table.flag("recovery", channel.recovery);
  channel.encrypted_value = table.flag("encrypted_value", channel.encrypted_value);
  channel.profiles = table.texts("profiles");
  channel.trusted_subject = read_subject_rule(table, "trusted_subject");
  channel.trusted_san = read_san_rule(table, "trusted_san");
  read_additional(table, channel);
  channel.holders_of = read_channel_rule(table, "holders_of");
  constexpr std::array kMissing = {
      Word<MissingTime>{"allowed", MissingTime::allowed},
      Word<MissingTime>{"badTime", MissingTime::badTime},
      Word<MissingTime>{"missingTimeStamp", MissingTime::missingTimeStamp}};
  channel.missing_time = table.choice("missing_time", channel.missing_time, kMissing);
  channel.revocation_passphrase =
      table.flag("revocation_passphrase", channel.revocation_passphrase);
  channel.age = table.duration("age", channel.age, {1min, 10 * kYear});
  channel.confirm = table.choice("confirm", channel.confirm, kConfirm);
  channel.confirm_within =
      table.duration("confirm_within", channel.confirm_within, {1min, 10 * kYear});
  channel.unconfirmed = table.choice("unconfirmed", channel.unconfirmed, kUnconfirmed);
  channel.waiting = read_waiting(table);
  channel.out_of_order = table.duration("out_of_order", channel.out_of_order, {0s, 24h * 30});
  channel.strict = table.flag("strict", channel.strict);
  channel.quirks = read_quirks(table, channel.strict);
  channel.mac = read_mac(table.table("mac"));
  channel.envelopes = read_envelopes(table.table("envelopes"));
  channel.announcements = read_announcements(table, channel.kind);
  channel.information = read_information(table.table("information"));
}

}  // namespace

std::string read_name_template(Section& table, const std::string& fallback) {
  return read_template(table, fallback);
}

std::string_view to_string(ChannelKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const auto& w) { return w.meaning == kind; })
      ->word;
}

ChannelSettings read_channel(Section table) {
  constexpr std::array kDirection = {Word<Direction>{"downstream", Direction::downstream},
                                     Word<Direction>{"upstream", Direction::upstream}};
  ChannelSettings channel;
  channel.name = table.name("name");
  table.require("kind", "kind = \"directory\", kind = \"mail\" or kind = \"sftp\"");
  channel.kind = table.choice("kind", channel.kind, kKinds);
  channel.direction = table.choice("direction", channel.direction, kDirection);
  switch (channel.kind) {
    case ChannelKind::directory:
      channel.directory = read_directory(table);
      break;
    case ChannelKind::mail:
      channel.mail = read_mail_settings(table);
      break;
    case ChannelKind::sftp:
      channel.sftp = read_sftp_settings(table);
      break;
  }
  channel.limits = read_limits(table);
  channel.max_message = table.size("max_message", channel.max_message,
                                   {std::size_t{1} << 10U, std::size_t{16} << 20U});
  read_policy(table, channel);
  table.finish();
  return channel;
}

}  // namespace cmpost
