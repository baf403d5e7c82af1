// Who may have what.
#include <algorithm>

#include "base/bytes.h"
#include "base/joined.h"
#include "config/readers.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

constexpr std::array kRequesterKinds = {Word<RequesterKind>{"secret", RequesterKind::secret},
                                        Word<RequesterKind>{"holder", RequesterKind::holder},
                                        Word<RequesterKind>{"vendor", RequesterKind::vendor},
                                        Word<RequesterKind>{"ra", RequesterKind::ra},
                                        Word<RequesterKind>{"ca", RequesterKind::ca}};

constexpr auto kWhoHint =
    "\"anybody\", \"nobody\", or a list of \"secret\", \"holder\", \"vendor\", \"ra\", \"ca\"";

bool is_text(const Value* value) { return value != nullptr && value->kind == Value::Kind::text; }

}  // namespace

RequesterKinds anybody() {
  RequesterKinds kinds;
  for (const auto& one : kRequesterKinds) kinds.insert(one.meaning);
  return kinds;
}

std::string_view to_string(RequesterKind kind) {
  return std::ranges::find(kRequesterKinds, kind, &Word<RequesterKind>::meaning)->word;
}

std::string in_words(const SubjectRule& rule) {
  if (rule.kind == SubjectRule::Kind::pattern) return rule.pattern;
  return rule.kind == SubjectRule::Kind::own ? "own" : "any";
}

std::string in_words(const SanRule& rule) {
  switch (rule.kind) {
    case SanRule::Kind::none:
      return "none";
    case SanRule::Kind::own:
      return "own";
    case SanRule::Kind::pattern:
      return joined(rule.patterns);
    default:
      return "any";
  }
}

SubjectRule subject_rule(const std::string& text) {
  if (text == "own") return {};
  if (text == "any") return {SubjectRule::Kind::any};
  return {SubjectRule::Kind::pattern, text};
}

std::optional<SanRule> san_rule(const std::vector<std::string>& texts) {
  if (texts.size() == 1) {
    if (texts.front() == "none") return SanRule{SanRule::Kind::none};
    if (texts.front() == "own") return SanRule{};
    if (texts.front() == "any") return SanRule{SanRule::Kind::any};
  }
  const bool are_patterns = std::ranges::all_of(
      texts, [](const auto& text) { return text.find(':') != std::string::npos; });
  if (texts.empty() || !are_patterns) return std::nullopt;
  return SanRule{SanRule::Kind::pattern, texts};
}

SubjectRule read_subject_rule(Section& table, std::string_view key) {
  if (!table.has(key)) {
    table.find(key);
    return {};
  }
  const auto text = table.text(key);
  if (text.empty())
    table.complain(key, "'" + std::string(key) + "' is empty", "\"own\" or \"any\"");
  return subject_rule(text);
}

SanRule read_san_rule(Section& table, std::string_view key) {
  const auto* value = table.find(key);
  if (value == nullptr) return {};
  const auto texts = is_text(value) ? std::vector<std::string>{table.text(key)} : table.texts(key);
  if (auto rule = san_rule(texts)) return *std::move(rule);
  table.complain(key, "'" + std::string(key) + "' does not say which names",
                 "\"own\", \"any\", \"none\", or a list such as [\"DNS:*.grid.example\"]");
  return {};
}

ChannelRule read_channel_rule(Section& table, std::string_view key) {
  const auto* value = table.find(key);
  if (value == nullptr) return {};
  if (!is_text(value)) return {.any = false, .names = table.texts(key)};
  constexpr std::array kAny = {Word<bool>{"any", true}};
  return {.any = table.choice(key, false, kAny), .names = {}};
}

void read_additional(Section& channel, ChannelSettings& settings) {
  const auto* value = channel.find("additional");
  if (value == nullptr) return;
  if (value->kind == Value::Kind::table) {
    auto table = channel.table("additional");
    settings.additional_subject = read_subject_rule(table, "subject");
    settings.additional_san = read_san_rule(table, "san");
    table.finish();
    return;
  }
  constexpr std::array kAny = {Word<bool>{"own", false}, Word<bool>{"any", true}};
  if (!channel.choice("additional", false, kAny)) return;
  settings.additional_subject = {SubjectRule::Kind::any};
  settings.additional_san = {SanRule::Kind::any};
}

std::optional<RequesterKinds> read_who(Section& table) {
  const auto* value = table.find("who");
  if (value == nullptr) return std::nullopt;
  if (is_text(value)) {
    if (value->text == "anybody") return anybody();
    if (value->text != "nobody") {
      table.complain("who", "'" + printable(value->text, 60) + "' is not a value of 'who'",
                     kWhoHint);
    }
    return RequesterKinds{};
  }
  RequesterKinds kinds;
  for (const auto* item : table.items("who")) {
    const auto known = std::ranges::find(kRequesterKinds, item->text, &Word<RequesterKind>::word);
    if (known != kRequesterKinds.end()) {
      kinds.insert(known->meaning);
    } else {
      table.reading().complain(item->at, "'" + printable(item->text, 60) + "' is no requester",
                               kWhoHint);
    }
  }
  return kinds;
}

}  // namespace cmpost
