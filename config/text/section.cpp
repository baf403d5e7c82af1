#include "config/text/section.h"

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "base/files.h"
#include "config/text/spelling.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

const Value kEmptyTable;

std::string in_quotes(std::string_view text) { return "'" + printable(text, 60) + "'"; }

bool is_name(std::string_view text) {
  constexpr auto kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

void Reading::complain(Position at, std::string message, std::string hint) {
  complaints.push_back({file, at, std::move(message), std::move(hint)});
}

Section::Section(const Value& table, std::string where, Reading& reading)
    : table_(table.kind == Value::Kind::table ? table : kEmptyTable),
      where_(std::move(where)),
      reading_(reading) {}

Position Section::at(std::string_view key) const {
  const auto* member = table_.find(key);
  return member == nullptr ? table_.at : member->value.at;
}

std::string Section::key_of(std::string_view key) const {
  return where_.empty() ? "[" + std::string(key) + "]" : where_ + "." + std::string(key);
}

void Section::complain(std::string_view key, std::string message, std::string hint) {
  reading_.complain(at(key), std::move(message), std::move(hint));
}

void Section::require(std::string_view key, std::string hint) {
  if (find(key) != nullptr) return;
  reading_.complain(table_.at, where() + " needs " + in_quotes(key), std::move(hint));
}

const Value* Section::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const auto* member = table_.find(key);
  return member == nullptr ? nullptr : &member->value;
}

const Value* Section::expect(std::string_view key, Value::Kind kind) {
  const auto* value = find(key);
  if (value == nullptr || value->kind == kind) return value;
  reading_.complain(value->at, in_quotes(key) + " must be " + std::string(describe(kind)) +
                                   ", not " + std::string(describe(value->kind)));
  return nullptr;
}

void Section::complain_about_word(const Value& value, std::string_view key,
                                  const std::vector<std::string>& known) {
  reading_.complain(value.at, in_quotes(value.text) + " is not a value of " + in_quotes(key),
                    suggestion(value.text, known));
}

std::string Section::text(std::string_view key, std::string fallback) {
  const auto* value = expect(key, Value::Kind::text);
  if (value == nullptr) return fallback;
  if (value->text.empty()) complain(key, in_quotes(key) + " must not be empty");
  if (value->text.find('\0') != std::string::npos)
    complain(key, in_quotes(key) + " has a NUL in it");
  return value->text;
}

std::string Section::name(std::string_view key) {
  require(key);
  const auto value = text(key);
  if (!value.empty() && !is_name(value)) {
    complain(key, in_quotes(value) + " cannot be a name",
             "up to 64 of letters, digits, '_', '-' and '.', starting with a letter, digit or '_'");
  }
  return value;
}

std::vector<const Value*> Section::items(std::string_view key, Value::Kind kind) {
  std::vector<const Value*> result;
  const auto* list = expect(key, Value::Kind::array);
  if (list == nullptr) return result;
  for (const auto& item : list->items) {
    if (item.kind == kind) {
      result.push_back(&item);
    } else {
      reading_.complain(item.at, "each item of " + in_quotes(key) + " must be " +
                                     std::string(describe(kind)) + ", not " +
                                     std::string(describe(item.kind)));
    }
  }
  return result;
}

std::vector<std::string> Section::texts(std::string_view key, std::vector<std::string> fallback) {
  if (find(key) == nullptr) return fallback;
  std::vector<std::string> result;
  for (const auto* item : items(key)) {
    if (std::find(result.begin(), result.end(), item->text) != result.end()) {
      reading_.complain(item->at, in_quotes(item->text) + " stands twice in " + in_quotes(key));
    }
    result.push_back(item->text);
  }
  return result;
}

bool Section::flag(std::string_view key, bool fallback) {
  const auto* value = expect(key, Value::Kind::boolean);
  return value == nullptr ? fallback : value->boolean;
}

std::int64_t Section::integer(std::string_view key, std::int64_t fallback,
                              Range<std::int64_t> range) {
  const auto* value = expect(key, Value::Kind::integer);
  if (value == nullptr) return fallback;
  if (value->integer >= range.least && value->integer <= range.most) return value->integer;
  complain(key, in_quotes(key) + " is out of range",
           std::to_string(range.least) + " to " + std::to_string(range.most));
  return fallback;
}

Duration Section::duration(std::string_view key, Duration fallback, Range<Duration> range) {
  const auto* value = expect(key, Value::Kind::text);
  if (value == nullptr) return fallback;
  const auto parsed = parse_duration(value->text);
  if (!parsed) {
    complain(key, in_quotes(key) + ": " + parsed.error().what, parsed.error().hint);
    return fallback;
  }
  if (*parsed >= range.least && *parsed <= range.most) return *parsed;
  complain(key, in_quotes(key) + " is out of range",
           spell_duration(range.least) + " to " + spell_duration(range.most));
  return fallback;
}

std::size_t Section::size(std::string_view key, std::size_t fallback, Range<std::size_t> range) {
  const auto* value = expect(key, Value::Kind::text);
  if (value == nullptr) return fallback;
  const auto parsed = parse_size(value->text);
  if (!parsed) {
    complain(key, in_quotes(key) + ": " + parsed.error().what, parsed.error().hint);
    return fallback;
  }
  if (*parsed >= range.least && *parsed <= range.most) return *parsed;
  complain(key, in_quotes(key) + " is out of range",
           spell_size(range.least) + " to " + spell_size(range.most));
  return fallback;
}

std::string Section::resolve(const Value& value, std::string_view key, NamedFile::Use use) {
  if (value.text.empty() || value.text.find('\0') != std::string::npos) {
    reading_.complain(value.at, in_quotes(key) + " must be the path of a file or directory");
    return {};
  }
  auto path =
      std::filesystem::path(path_below(reading_.directory, value.text)).lexically_normal().string();
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  reading_.files.push_back({path, use, key_of(key), value.at});
  return path;
}

std::string Section::path(std::string_view key, NamedFile::Use use) {
  const auto* value = expect(key, Value::Kind::text);
  return value == nullptr ? std::string() : resolve(*value, key, use);
}

std::vector<std::string> Section::paths(std::string_view key, NamedFile::Use use) {
  std::vector<std::string> result;
  for (const auto* item : items(key)) result.push_back(resolve(*item, key, use));
  return result;
}

std::string Section::key_reference(std::string_view key) {
  const auto* value = find(key);
  const bool uri =
      value != nullptr && value->kind == Value::Kind::text && value->text.starts_with("pkcs11:");
  return uri ? value->text : path(key, NamedFile::Use::secret);
}

Section Section::table(std::string_view key) {
  const auto* value = expect(key, Value::Kind::table);
  return {value == nullptr ? kEmptyTable : *value, key_of(key), reading_};
}

void Section::finish() {
  for (const auto& member : table_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    reading_.complain(member.at, "unknown key " + in_quotes(member.key) + " in " + where(),
                      suggestion(member.key, known_));
  }
}

}  // namespace cmpost
