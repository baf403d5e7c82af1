#include <algorithm>

#include "base/bytes.h"
#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

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

void read_one_way(Section& table, DirectorySettings& settings) {
  enum class OneWay { none, in, out, both };
  constexpr std::array kOneWay = {Word<OneWay>{"none", OneWay::none},
                                  Word<OneWay>{"in", OneWay::in}, Word<OneWay>{"out", OneWay::out},
                                  Word<OneWay>{"both", OneWay::both}};
  const auto one_way = table.choice("one_way", OneWay::none, kOneWay);
  settings.one_way_in = one_way == OneWay::in || one_way == OneWay::both;
  settings.one_way_out = one_way == OneWay::out || one_way == OneWay::both;
  settings.copies = static_cast<std::size_t>(table.integer("copies", 1, {1, 100}));
  settings.repeat_after = table.duration("repeat_after", settings.repeat_after, {0s, 24h * 365});
  settings.batch_keep = table.duration("batch_keep", settings.batch_keep, {0s, 24h * 3650});
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
  settings.staging = table.path("staging", NamedFile::Use::exchanged);
  settings.pace = table.duration("pace", settings.pace, {0s, 1h});
  settings.max_outstanding =
      static_cast<std::size_t>(table.integer("max_outstanding", 0, {0, 1'000'000}));
  for (const auto* key : {"pace", "max_outstanding"}) {
    if (table.has(key) && settings.one_way_out) {
      table.complain(key, "'" + std::string(key) + "' has no meaning for numbered batches");
    }
  }
}

}  // namespace

std::string read_name_template(Section& table, const std::string& fallback) {
  auto text = table.text("name_template", fallback);
  if (const auto mistake = template_mistake(text)) {
    table.complain("name_template", "'name_template': " + *mistake,
                   "such as \"{stem}.{body}.pki\"; known are {stem} {body} {tid} {date} {seq}");
  }
  return text;
}

DirectorySettings read_directory_settings(Section& table) {
  constexpr std::array kReady = {Word<ReadyRule>{"rename", ReadyRule::rename},
                                 Word<ReadyRule>{"stable", ReadyRule::stable},
                                 Word<ReadyRule>{"marker", ReadyRule::marker},
                                 Word<ReadyRule>{"manifest", ReadyRule::manifest}};
  DirectorySettings settings;
  settings.media = table.flag("media", false);
  const auto use = settings.media ? NamedFile::Use::removable : NamedFile::Use::exchanged;
  table.require("in", "the directory where requests are put");
  table.require("out", "the directory where answers are put");
  settings.in = table.path("in", use);
  settings.out = table.path("out", use);
  settings.name_template = read_name_template(table, settings.name_template);
  settings.ready = table.choice("ready", settings.ready, kReady);
  settings.settle = table.duration("settle", settings.settle, {100ms, 1h});
  settings.poll = table.duration("poll", settings.poll, {100ms, 1h});
  settings.done_keep = table.duration("done_keep", settings.done_keep, {0s, 24h * 3650});
  settings.quarantine_keep =
      table.duration("quarantine_keep", settings.quarantine_keep, {0s, 24h * 3650});
  read_media(table, settings);
  read_one_way(table, settings);
  read_manners(table, settings);
  return settings;
}

}  // namespace cmpost
