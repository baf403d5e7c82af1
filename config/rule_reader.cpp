#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/spelling.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using Words = std::vector<std::string>;
using Sign = RuleBound::Sign;

constexpr std::array kVerdicts = {
    Word<RuleVerdict>{"approve", RuleVerdict::approve}, Word<RuleVerdict>{"one", RuleVerdict::one},
    Word<RuleVerdict>{"two", RuleVerdict::two}, Word<RuleVerdict>{"reject", RuleVerdict::reject},
    Word<RuleVerdict>{"hold", RuleVerdict::hold}};
const Words kBodies = {"ir", "cr", "p10cr", "kur", "rr"};
const Words kRequesters = {"secret", "holder", "vendor", "ra"};
const Words kDevices = {"listed", "unlisted"};
const Words kAgainstOld = {"unchanged", "changed"};
const Words kKeys = {"new", "same"};
const Words kCurves = {"ec",      "ec:P-256", "ec:P-384", "ec:P-521", "rsa",
                       "ed25519", "ed448",    "x25519",   "x448"};

// One word or a list of them. Empty: absent, or after a complaint.
Words texts_or_one(Section& table, std::string_view key) {
  const auto* value = table.find(key);
  if (value == nullptr) return {};
  if (value->kind == Value::Kind::text) return {table.text(key)};
  auto words = table.texts(key);
  if (value->kind == Value::Kind::array && value->items.empty()) {
    table.complain(key, "'" + std::string(key) + "' is an empty list, so that nothing is of it");
  }
  return words;
}

bool is_of(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

// "rsa:3072"
bool is_rsa(const std::string& word) {
  constexpr std::string_view kRsa = "rsa:";
  const auto is_digit = [](char one) { return one >= '0' && one <= '9'; };
  return word.starts_with(kRsa) && word.size() > kRsa.size() && word.size() < 10 &&
         std::ranges::all_of(word.substr(kRsa.size()), is_digit);
}

class Conditions {
 public:
  Conditions(Section& table, RuleSettings& rule) : table_(table), rule_(rule) {}

  void read_names(std::string_view key, RuleField field) { add(field, texts_or_one(table_, key)); }
  void read_words(std::string_view key, RuleField field, const Words& known) {
    auto words = texts_or_one(table_, key);
    for (const auto& word : words) {
      const bool is_key = field == RuleField::key_type && is_rsa(word);
      if (is_of(known, word) || is_key || told_apart(key, field, word)) continue;
      table_.complain(key,
                      "'" + printable(word, 60) + "' is not a value of '" + std::string(key) + "'",
                      suggestion(word, known));
    }
    add(field, std::move(words));
  }
  void read_bound(std::string_view key, RuleField field) {
    const auto* value = table_.find(key);
    if (value == nullptr) return;
    const auto bound = bound_of(*value, field);
    if (bound) {
      rule_.when.push_back({field, *bound});
    } else {
      table_.complain(key, "'" + std::string(key) + "' is no comparison with a number",
                      field == RuleField::validity ? "\"<= 400d\"" : "\"< 2\"");
    }
  }
  void read_flag(std::string_view key, RuleField field) {
    if (table_.has(key)) rule_.when.push_back({field, table_.flag(key, false)});
  }

 private:
  void add(RuleField field, Words words) {
    if (!words.empty()) rule_.when.push_back({field, std::move(words)});
  }

  // What no rule decides has words of its own.
  bool told_apart(std::string_view key, RuleField field, const std::string& word) {
    if (field != RuleField::body || (word != "krr" && word != "ccr" && word != "genm")) {
      return false;
    }
    table_.complain(key, word + " is never decided by a rule",
                    word == "genm" ? "approve_for of the channel says who is asked about it"
                                   : "people decide about it, whatever the settings say");
    return true;
  }

  static std::optional<std::int64_t> number_of(std::string_view text, RuleField field) {
    if (field == RuleField::validity) {
      const auto time = parse_duration(text);
      if (!time) return std::nullopt;
      return std::chrono::duration_cast<std::chrono::seconds>(*time).count();
    }
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number < 0) return std::nullopt;
    return number;
  }

  static std::optional<RuleBound> bound_of(const Value& value, RuleField field) {
    if (value.kind == Value::Kind::integer && field != RuleField::validity && value.integer >= 0) {
      return RuleBound{Sign::equal, value.integer};
    }
    if (value.kind != Value::Kind::text) return std::nullopt;
    std::string_view text = value.text;
    constexpr std::array<std::pair<std::string_view, Sign>, 5> kSigns = {
        std::pair{"<=", Sign::at_most}, std::pair{">=", Sign::at_least}, std::pair{"<", Sign::less},
        std::pair{">", Sign::more}, std::pair{"=", Sign::equal}};
    RuleBound bound;
    for (const auto& [sign, meaning] : kSigns) {
      if (!text.starts_with(sign)) continue;
      bound.sign = meaning;
      text.remove_prefix(sign.size());
      break;
    }
    while (text.starts_with(' ')) text.remove_prefix(1);
    const auto number = number_of(text, field);
    if (!number) return std::nullopt;
    bound.number = *number;
    return bound;
  }

  Section& table_;
  RuleSettings& rule_;
};

// Each line has the key that the file has: the documents are held against these.
void read_when(Section table, RuleSettings& rule) {
  Conditions read(table, rule);
  read.read_words("body", RuleField::body, kBodies);
  read.read_names("channel", RuleField::channel);
  read.read_names("profile", RuleField::profile);
  read.read_words("requester", RuleField::requester, kRequesters);
  read.read_words("device", RuleField::device, kDevices);
  read.read_names("vendor", RuleField::vendor);
  read.read_names("site", RuleField::site);
  read.read_names("batch", RuleField::batch);
  read.read_words("subject", RuleField::subject, kAgainstOld);
  read.read_words("san", RuleField::san, kAgainstOld);
  read.read_words("key", RuleField::key, kKeys);
  read.read_words("key_type", RuleField::key_type, kCurves);
  read.read_bound("validity", RuleField::validity);
  read.read_bound("active_certificates", RuleField::active_certificates);
  read.read_flag("revoked", RuleField::revoked);
  table.finish();
}

// "200 a day"
std::optional<std::int64_t> read_limit(Section& table, RuleVerdict verdict) {
  if (!table.has("limit")) {
    table.find("limit");
    return std::nullopt;
  }
  const auto text = table.text("limit");
  std::int64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  const bool is_limit = read.ec == std::errc() && std::string_view(read.ptr, end) == " a day";
  if (!is_limit || count < 0) {
    table.complain("limit", "'" + printable(text, 60) + "' is no limit", "\"200 a day\"");
  } else if (count == 0) {
    table.complain("limit", "a rule with the limit 0 approves nothing",
                   "verdict = \"one\" asks a person each time");
  } else if (verdict != RuleVerdict::approve) {
    table.complain("limit",
                   "a limit is for verdict = \"approve\": the rule '" +
                       std::string(to_string(verdict)) + "' approves nothing",
                   "remove it");
  } else {
    return count;
  }
  return std::nullopt;
}

}  // namespace

RuleSettings read_rule(Section table) {
  RuleSettings rule;
  rule.name = table.name("name");
  if (table.find("when") != nullptr) read_when(table.table("when"), rule);
  table.require("verdict", "\"approve\", \"one\", \"two\", \"reject\" or \"hold\"");
  rule.verdict = table.choice("verdict", RuleVerdict::one, kVerdicts);
  rule.limit = read_limit(table, rule.verdict);
  rule.reason = table.text("reason");
  if (!rule.reason.empty() && rule.verdict != RuleVerdict::reject) {
    table.complain("reason", "'reason' is told to who is refused, and this rule refuses nobody",
                   "remove it, or say verdict = \"reject\"");
  }
  table.finish();
  return rule;
}

}  // namespace cmpost
