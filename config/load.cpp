#include <algorithm>
#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/files.h"
#include "config/readers.h"
#include "config/rule_checks.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

// One [[table]] of a list after the other; `read` gets each with a name for messages.
template <typename T>
std::vector<T> read_list(Section& top, std::string_view key, T (*read)(Section)) {
  std::vector<T> result;
  for (const auto* item : top.items(key, Value::Kind::table)) {
    const auto* name = item->find("name");
    const std::string where = name != nullptr && name->value.kind == Value::Kind::text
                                  ? std::string(key) + " '" + printable(name->value.text, 64) + "'"
                                  : "[[" + std::string(key) + "]]";
    result.push_back(read(Section(*item, where, top.reading())));
  }
  return result;
}

// Where `key` stands in the index-th [[list]]; the table itself when it has no such key.
Position position_of(Section& top, std::string_view list, std::size_t index,
                     std::string_view key = {}) {
  const auto* tables = top.find(list);
  if (tables == nullptr) return top.at();
  for (const auto& item : tables->items) {
    if (item.kind != Value::Kind::table || index-- != 0) continue;
    const auto* member = item.find(key);
    return member == nullptr ? item.at : member->value.at;
  }
  return top.at();
}

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& list) {
  std::vector<std::string> names;
  for (const auto& entry : list) names.push_back(entry.name);
  return names;
}

template <typename T>
void complain_about_doubles(Section& top, std::string_view key, const std::vector<T>& list) {
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].name.empty() || seen[list[i].name]++ == 0) continue;
    top.reading().complain(position_of(top, key, i), "there are two [[" + std::string(key) +
                                                         "]] with the name '" + list[i].name + "'");
  }
}

// `names` as written in `key` of one table must be among `known`.
void complain_about_unknown(Section& top, Position at, const std::string& user,
                            const std::vector<std::string>& names, std::string_view what,
                            const std::vector<std::string>& known) {
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    top.reading().complain(at,
                           user + " names the " + std::string(what) + " '" + printable(name, 60) +
                               "', which does not exist",
                           suggestion(name, known));
  }
}

// A channel that names no profile uses the only one there is.
void settle_profiles(Section& top, Settings& settings) {
  const auto known = names_of(settings.profiles);
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    auto& channel = settings.channels[i];
    const auto at = position_of(top, "channel", i, "profiles");
    const auto user = "channel '" + channel.name + "'";
    complain_about_unknown(top, at, user, channel.profiles, "profile", known);
    if (!channel.profiles.empty() || channel.direction == Direction::upstream) continue;
    if (known.size() == 1) {
      channel.profiles = known;
    } else if (known.size() > 1) {
      top.reading().complain(at, user + " does not say which profiles it may use",
                             "profiles = [\"" + known.front() + "\"]");
    }
  }
}

using KeyedPath = std::pair<const char*, std::string>;

// Where others write and read.
std::vector<KeyedPath> exchanged_directories(const ChannelSettings& channel) {
  if (const auto* own = channel.directory()) {
    return {{"in", own->in}, {"out", own->out}, {"staging", own->staging}};
  }
  if (const auto* own = channel.orders()) return {{"in", own->in}, {"out", own->out}};
  return {};
}

// Two channels on one directory would take each other's files; an `out` that is an `in` would read
// its own answers.
void complain_about_shared_directories(Section& top, const Settings& settings) {
  std::map<std::string, std::string> users;
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const auto& channel = settings.channels[i];
    for (const auto& [key, path] : exchanged_directories(channel)) {
      if (path.empty()) continue;
      const auto user = "'" + std::string(key) + "' of channel '" + channel.name + "'";
      const auto [other, fresh] = users.emplace(path, user);
      if (fresh) continue;
      top.reading().complain(position_of(top, "channel", i, key),
                             user + " is the same directory as " + other->second, path);
    }
  }
}

// RFC 5280 6.3.3 (b)(2): a relying party uses a CRL with a distribution point only for certificates
// that have the same one.
void complain_about_other_crl_urls(Section& top, const Settings& settings) {
  if (!settings.ca || settings.ca->crl.url.empty()) return;
  const auto& url = settings.ca->crl.url;
  for (std::size_t i = 0; i < settings.profiles.size(); ++i) {
    if (std::ranges::find(settings.profiles[i].crl_urls, url) !=
        settings.profiles[i].crl_urls.end())
      continue;
    top.reading().complain(position_of(top, "profile", i, "crl_urls"),
                           "the CRL does not count for certificates of profile '" +
                               settings.profiles[i].name + "', which do not have its 'url'",
                           "crl_urls = [\"" + url + "\"]");
  }
}

void check_roles(Section& top, Settings& settings) {
  auto& reading = top.reading();
  if (!settings.ca && !settings.ra) {
    reading.complain({1, 1}, "the file has neither [ca] nor [ra]",
                     "`cmpost init DIR` writes a complete file");
  }
  if (settings.ca && settings.ra) {
    reading.complain(top.at("ra"), "[ca] and [ra] cannot stand in one file",
                     "an instance has one role");
  }
  if ((settings.ca || settings.ra) && settings.profiles.empty() && !top.has("profile")) {
    reading.complain({1, 1}, "the file has no [[profile]]",
                     "add one: [[profile]] name = \"device\"");
  }
}

// Private keys that are made here or given back leave signed by a key of their own.
void complain_about_missing_kga_key(Section& top, const Settings& settings) {
  if (!settings.ca || settings.ca->kga_key) return;
  constexpr auto kHint = "`cmpost init` makes none: issue a certificate with id-kp-cmKGA for it";
  for (std::size_t i = 0; i < settings.profiles.size(); ++i) {
    const auto& profile = settings.profiles[i];
    if (profile.generate.empty()) continue;
    top.reading().complain(position_of(top, "profile", i, "generate"),
                           "'generate' of profile '" + profile.name + "' needs [ca] kga_key",
                           kHint);
  }
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const auto& channel = settings.channels[i];
    if (!channel.recovery) continue;
    top.reading().complain(position_of(top, "channel", i, "recovery"),
                           "'recovery' of channel '" + channel.name + "' needs [ca] kga_key",
                           kHint);
  }
}

// Each channel of couriers has its own peer, by whose name a bundle finds it.
void settle_couriers(Section& top, Settings& settings) {
  std::map<std::string, std::string> users;
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    auto& channel = settings.channels[i];
    auto* own = channel.courier();
    if (own == nullptr || own->peer.empty()) continue;
    const auto at = position_of(top, "channel", i, "peer");
    const auto user = "channel '" + channel.name + "'";
    if (!settings.bundle) {
      top.reading().complain(at, user + " needs [bundle], which says who " + own->peer + " is",
                             "[bundle] peer = [{ name = \"" + own->peer + "\", trust = [...] }]");
      continue;
    }
    const auto& peers = settings.bundle->peers;
    complain_about_unknown(top, at, user, {own->peer}, "peer", names_of(peers));
    own->bundle = *settings.bundle;
    std::erase_if(own->bundle.peers, [&](const auto& one) { return one.name != own->peer; });
    const auto [other, fresh] = users.emplace(own->peer, channel.name);
    if (fresh) continue;
    top.reading().complain(at, user + " has the peer of channel '" + other->second + "'",
                           "a bundle finds its channel by the name of its sender");
  }
}

// What is read and would do nothing: who sets it trusts in it.
void complain_about_unbuilt(Section& top, const Settings& settings) {
  auto& reading = top.reading();
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    if (settings.channels[i].direction != Direction::upstream || settings.ra) continue;
    reading.complain(position_of(top, "channel", i, "direction"),
                     "direction = \"upstream\" of channel '" + settings.channels[i].name +
                         "' does nothing: a CA asks no other CA",
                     "remove the channel, or configure an [ra] instead of the [ca]");
  }
}

// Whom a CA above may ask to wait polls it, or hears nothing: where the messages are not ours, our
// own `waiting` would put a nonce of ours where the CA expects its own (RFC 9483 4.4).
void complain_about_two_who_wait(Section& top, const Settings& settings) {
  using Mode = RaSettings::Mode;
  if (settings.ra->mode != Mode::forward && settings.ra->mode != Mode::nest) return;
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const auto& channel = settings.channels[i];
    const bool waits = channel.waiting.interim != WaitingSettings::Interim::never;
    if (channel.direction == Direction::upstream || !waits) continue;
    top.reading().complain(
        position_of(top, "channel", i, "waiting"),
        "'waiting' of channel '" + channel.name +
            "' cannot go with a mode of [ra] that leaves requests as they are: the requester would "
            "poll with a nonce that the CA does not know",
        "waiting = \"never\", or mode = \"reprotect\"");
  }
}

void check_upstreams(Section& top, Settings& settings, const std::vector<std::string>& channels) {
  if (!settings.ra || settings.ra->upstream.empty()) return;
  const auto at = top.at("ra");
  complain_about_unknown(top, at, "[ra]", {settings.ra->upstream}, "channel", channels);
  const auto* upstream = settings.channel(settings.ra->upstream);
  if (upstream != nullptr && upstream->direction != Direction::upstream) {
    top.reading().complain(at, "the channel '" + upstream->name + "' is not an upstream channel",
                           "direction = \"upstream\"");
  }
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    auto& channel = settings.channels[i];
    if (channel.direction != Direction::upstream) continue;
    channel.upstream.answer_within = settings.ra->upstream_within;
    if (channel.trust.empty() && channel.upstream.secret.empty()) {
      const auto* what = channel.orders() != nullptr ? "' does not say who issues its certificates"
                                                     : "' does not say who signs its answers";
      top.reading().complain(position_of(top, "channel", i), "channel '" + channel.name + what,
                             "trust = [\"trust/ca.pem\"]");
    }
  }
  complain_about_two_who_wait(top, settings);
}

// A row of the list names its vendor, which `trust` has not.
void complain_about_nameless_vendors(Section& top, const Settings& settings) {
  for (std::size_t i = 0; i < settings.channels.size(); ++i) {
    const auto& channel = settings.channels[i];
    if (!channel.listed_devices) continue;
    if (channel.direction == Direction::upstream) {
      top.reading().complain(position_of(top, "channel", i, "devices"),
                             "devices = \"listed\" of channel '" + channel.name +
                                 "' does nothing: requests do not come by an upstream channel");
    } else if (!channel.trust.empty()) {
      top.reading().complain(position_of(top, "channel", i, "trust"),
                             "'trust' of channel '" + channel.name +
                                 "' cannot go with devices = \"listed\": no row of the list could "
                                 "name who has such a certificate",
                             "name these files in [[vendor]] roots");
    }
  }
}

// Who is who would not be known.
void complain_about_shared_accounts(Section& top, const Settings& settings) {
  std::map<std::string, std::string> users;
  for (std::size_t i = 0; i < settings.officers.size(); ++i) {
    const auto& officer = settings.officers[i];
    const auto [other, fresh] = users.emplace(officer.account, officer.name);
    if (fresh || officer.account.empty()) continue;
    top.reading().complain(
        position_of(top, "officer", i, "account"),
        "officer '" + officer.name + "' has the account of '" + other->second + "'",
        "each person has an account");
  }
}

void complain_about_rules(Section& top, const Settings& settings) {
  for (const auto& fault : faults_of_rules(settings)) {
    top.reading().complain(position_of(top, "rule", fault.rule), fault.text, fault.hint);
  }
}

void check_references(Section& top, Settings& settings) {
  complain_about_doubles(top, "profile", settings.profiles);
  complain_about_doubles(top, "channel", settings.channels);
  complain_about_doubles(top, "run", settings.runs);
  complain_about_doubles(top, "vendor", settings.vendors);
  complain_about_doubles(top, "rule", settings.rules);
  complain_about_doubles(top, "officer", settings.officers);
  complain_about_shared_accounts(top, settings);
  complain_about_nameless_vendors(top, settings);
  complain_about_shared_directories(top, settings);
  complain_about_other_crl_urls(top, settings);
  complain_about_missing_kga_key(top, settings);
  settle_profiles(top, settings);
  settle_couriers(top, settings);
  complain_about_unbuilt(top, settings);
  const auto channels = names_of(settings.channels);
  for (std::size_t i = 0; i < settings.runs.size(); ++i) {
    complain_about_unknown(top, position_of(top, "run", i, "channels"),
                           "run '" + settings.runs[i].name + "'", settings.runs[i].channels,
                           "channel", channels);
  }
  for (auto& run : settings.runs) {
    if (run.channels.empty()) run.channels = channels;
  }
  check_upstreams(top, settings, channels);
  complain_about_rules(top, settings);
}

Settings read_top(Section& top) {
  Settings settings;
  top.require("instance", "[instance] name = \"...\"");
  settings.instance =
      top.has("instance") ? read_instance(top.table("instance")) : InstanceSettings{};
  if (top.find("clock") != nullptr) settings.clock = read_clock(top.table("clock"));
  if (top.find("ca") != nullptr) settings.ca = read_ca(top.table("ca"));
  if (top.find("ra") != nullptr) settings.ra = read_ra(top.table("ra"));
  settings.profiles = read_list(top, "profile", read_profile);
  settings.channels = read_list(top, "channel", read_channel);
  settings.runs = read_list(top, "run", read_run);
  settings.vendors = read_list(top, "vendor", read_vendor);
  settings.rules = read_list(top, "rule", read_rule);
  settings.officers = read_list(top, "officer", read_officer);
  if (top.find("bundle") != nullptr) {
    settings.bundle = read_bundle(top.table("bundle"), settings.instance.name);
  }
  check_roles(top, settings);
  check_references(top, settings);
  top.finish();
  return settings;
}

// What every channel gets from the instance: a place for its memory, and the disks not to fill.
void settle_places(Settings& settings) {
  constexpr std::string_view kSqlite = "sqlite:";
  auto& instance = settings.instance;
  if (instance.state.empty()) instance.state = path_below(settings.directory, "state");
  for (auto& channel : settings.channels) {
    channel.state = path_below(instance.state, channel.name);
    auto* sftp = channel.sftp();
    if (sftp != nullptr && sftp->ledger.empty()) sftp->ledger = taken_file(channel);
    channel.limits.disks = {settings.directory};
    if (instance.spool.starts_with(kSqlite)) {
      const auto file = path_below(settings.directory, instance.spool.substr(kSqlite.size()));
      channel.limits.disks = {std::filesystem::path(file).parent_path().string()};
    }
  }
}

template <typename T>
const T* by_name(const std::vector<T>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const T& entry) { return entry.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

const ProfileSettings* Settings::profile(std::string_view name) const {
  return by_name(profiles, name);
}
const ChannelSettings* Settings::channel(std::string_view name) const {
  return by_name(channels, name);
}
const RunSettings* Settings::run(std::string_view name) const { return by_name(runs, name); }

namespace {

Legible parse_legible(std::string_view text, const std::string& file) {
  const auto document = parse_document(text, file);
  if (!document) return {std::nullopt, {document.error()}};
  std::error_code ignored;
  Reading reading;
  reading.file = file;
  reading.directory = std::filesystem::absolute(file, ignored).lexically_normal().parent_path();
  Section top(*document, "", reading);
  auto settings = read_top(top);
  std::stable_sort(reading.complaints.begin(), reading.complaints.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  settings.file = file;
  settings.directory = reading.directory;
  settings.files = std::move(reading.files);
  if (settings.instance.sealing_key.empty()) {
    settings.instance.sealing_key = path_below(settings.directory, "secrets/seal.key");
  }
  settle_places(settings);
  return {std::move(settings), std::move(reading.complaints)};
}

Loaded without_mistakes(Legible legible) {
  if (!legible.complaints.empty()) return tl::unexpected(std::move(legible.complaints));
  return std::move(*legible.settings);
}

}  // namespace

Loaded parse_settings(std::string_view text, const std::string& file) {
  return without_mistakes(parse_legible(text, file));
}

Legible load_legible(const std::string& path) {
  const auto contents = read_file(path, kLargestFile);
  if (contents) return parse_legible(text_of(*contents), path);
  return {std::nullopt, {{path, {}, contents.error().what, contents.error().hint}}};
}

Loaded load(const std::string& path) { return without_mistakes(load_legible(path)); }

}  // namespace cmpost
