#include <charconv>
#include <string_view>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

using What = StopRule::What;

constexpr const char* kRuleHint =
    "\"rejected > 2%\", \"rejected > 2% of at least 100\", \"held > 20\" or \"issued > 12500\"";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<What> what_of(std::string_view word) {
  if (word == "rejected") return What::rejected;
  if (word == "held") return What::held;
  if (word == "issued") return What::issued;
  return std::nullopt;
}

std::optional<std::uint64_t> count_of(std::string_view text) {
  std::uint64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return count;
}

// "2%", "20"
bool take_limit(std::string_view text, StopRule& rule) {
  rule.percent = text.ends_with('%');
  if (rule.percent) {
    const auto percent = parse_percentage(text);
    if (percent) rule.limit = *percent;
    return percent && *percent < 100;  // more than all of them there never are
  }
  const auto count = count_of(text);
  if (count) rule.limit = static_cast<double>(*count);
  return count.has_value();
}

std::optional<StopRule> stop_rule(std::string_view text) {
  constexpr std::string_view kOf = " of at least ";
  StopRule rule;
  rule.text = text;
  const auto sign = text.find('>');
  if (sign == std::string_view::npos) return std::nullopt;
  const auto what = what_of(trimmed(text.substr(0, sign)));
  auto limit = trimmed(text.substr(sign + 1));
  if (const auto of = limit.find(kOf); of != std::string_view::npos) {
    const auto least = count_of(trimmed(limit.substr(of + kOf.size())));
    if (!least || *least == 0) return std::nullopt;
    rule.at_least = *least;
    limit = trimmed(limit.substr(0, of));
    if (!limit.ends_with('%')) return std::nullopt;
  }
  if (!what || !take_limit(limit, rule)) return std::nullopt;
  if (rule.percent && *what == What::issued) return std::nullopt;
  rule.what = *what;
  return rule;
}

std::vector<StopRule> read_stop_rules(Section& table) {
  std::vector<StopRule> rules;
  const auto* const value = table.find("stop_if");
  if (value == nullptr) return rules;
  const bool one = value->kind == Value::Kind::text;
  for (const auto& text : one ? std::vector{table.text("stop_if")} : table.texts("stop_if")) {
    if (auto rule = stop_rule(text)) {
      rules.push_back(std::move(*rule));
    } else {
      table.complain("stop_if", "'" + printable(text, 60) + "' is not a condition", kRuleHint);
    }
  }
  return rules;
}

// "50/s"
std::optional<double> read_rate(Section& table) {
  if (!table.has("rate")) return std::nullopt;
  constexpr std::uint64_t kMost = 100'000;
  const auto text = table.text("rate");
  const auto slash = text.find('/');
  const auto unit = slash == std::string::npos ? std::string() : text.substr(slash + 1);
  const auto count = count_of(std::string_view(text).substr(0, std::min(slash, text.size())));
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (count && *count > 0 && *count <= kMost && seconds > 0) {
    return static_cast<double>(*count) / seconds;
  }
  table.complain("rate", "'" + printable(text, 60) + "' is no rate",
                 "requests in a time: \"50/s\", \"600/m\" or \"10000/h\"");
  return std::nullopt;
}

}  // namespace

RunSettings read_run(Section table) {
  RunSettings run;
  run.name = table.name("name");
  if (table.has("at")) {
    if (auto time = CronTime::parse(table.text("at"))) {
      run.at = std::move(*time);
    } else {
      table.complain("at", "'at': " + time.error().what, time.error().hint);
    }
  }
  run.channels = table.texts("channels");
  run.report = table.path("report", NamedFile::Use::directory);
  run.stop_if = read_stop_rules(table);
  run.rate = read_rate(table);
  table.finish();
  return run;
}

}  // namespace cmpost
