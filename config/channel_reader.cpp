#include <algorithm>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/spelling.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kYear = Duration(24h * 365);

template <auto read>
Transport read_as(Section& table) {
  return read(table);
}

using ReadTransport = Transport (*)(Section&);
constexpr std::array kKinds = {
    Word<ReadTransport>{DirectorySettings::kKind, read_as<read_directory_settings>},
    Word<ReadTransport>{MailSettings::kKind, read_as<read_mail_settings>},
    Word<ReadTransport>{SftpSettings::kKind, read_as<read_sftp_settings>},
    Word<ReadTransport>{HttpSettings::kKind, read_as<read_http_settings>},
    Word<ReadTransport>{OrdersSettings::kKind, read_as<read_orders_settings>},
    Word<ReadTransport>{CourierSettings::kKind, read_as<read_courier_settings>}};
static_assert(kKinds.size() == std::variant_size_v<Transport>, "a kind has no reader");

// kind = "a", kind = "b" or kind = "c"
std::string all_kinds() {
  std::string text;
  for (const auto& one : kKinds) {
    const auto* before = &one == &kKinds.front() ? "" : &one == &kKinds.back() ? " or " : ", ";
    text += before + ("kind = \"" + std::string(one.word) + "\"");
  }
  return text;
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

AnnouncementSettings read_announcements(Section& table, bool by_mail) {
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
  settings.to = by_mail ? read_mail_address(table, "announce_to") : table.text("announce_to");
  if (by_mail && settings.any() && settings.to.empty()) {
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
  constexpr std::array kDevices = {Word<bool>{"any", false}, Word<bool>{"listed", true}};
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
  channel.listed_devices = table.choice("devices", false, kDevices);
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
  channel.announcements = read_announcements(table, channel.mail() != nullptr);
  channel.information = read_information(table.table("information"));
}

// All that comes from the CA above comes from one sender.
void read_budget(Section& table, MailSettings& mail) {
  if (!table.has("per_sender_per_hour")) mail.per_sender_per_hour = MailSettings::kMostPerHour;
}

UpstreamSettings read_upstream(Section& table, ChannelSettings& channel) {
  UpstreamSettings upstream;
  if (channel.orders() != nullptr) return upstream;  // these are about messages
  upstream.recipient = table.text("recipient");
  upstream.secret = table.text("secret");
  upstream.signers = table.texts("signers");
  upstream.batch_most = static_cast<std::size_t>(
      table.integer("batch_most", static_cast<std::int64_t>(upstream.batch_most), {1, 20'000}));
  upstream.batch_within = table.duration("batch_within", upstream.batch_within, {0s, kYear});
  if (channel.mail() == nullptr) return upstream;
  read_budget(table, *channel.mail());
  table.require("to", "the mail address of the CA");
  upstream.to = read_mail_address(table, "to");
  return upstream;
}

}  // namespace

ChannelSettings read_channel(Section table) {
  constexpr std::array kDirection = {Word<Direction>{"downstream", Direction::downstream},
                                     Word<Direction>{"upstream", Direction::upstream}};
  ChannelSettings channel;
  channel.name = table.name("name");
  table.require("kind", all_kinds());
  const auto read_transport = table.choice("kind", kKinds.front().meaning, kKinds);
  channel.direction = table.choice("direction", channel.direction, kDirection);
  channel.transport = read_transport(table);
  const bool asks = channel.http() != nullptr || channel.orders() != nullptr;
  if (asks && channel.direction != Direction::upstream) {
    table.complain("direction",
                   "a channel of kind \"" + std::string(channel.kind()) +
                       "\" asks another CA: it has no server here",
                   "direction = \"upstream\"");
  }
  channel.limits = read_limits(table);
  channel.max_message = table.size("max_message", channel.max_message,
                                   {std::size_t{1} << 10U, std::size_t{16} << 20U});
  read_policy(table, channel);
  if (channel.direction == Direction::upstream) channel.upstream = read_upstream(table, channel);
  table.finish();
  return channel;
}

}  // namespace cmpost
