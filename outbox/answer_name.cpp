#include "outbox/answer_name.h"

#include <algorithm>
#include <cstdint>

#include "base/printable.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestName = 200;  // leaves room for the temporary name and other suffixes
constexpr std::size_t kLongestPart = 80;   // of what is no request's name

std::uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<std::uint8_t>(character.front());
  std::uint32_t value = character.size() == 2   ? lead & 0x1fU
                        : character.size() == 3 ? lead & 0x0fU
                                                : lead & 0x07U;
  for (const char octet : character.substr(1))
    value = value << 6U | (static_cast<std::uint8_t>(octet) & 0x3fU);
  return value;
}

// What may not be shown, and in a file name blanks and characters without a meaning for all,
// either: by such a name may look like another one.
bool is_deceptive(std::string_view character) {
  if (printable_length(character) == 0) return true;
  const auto c = code_point(character);
  return c == 0xa0 || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
         (c >= 0x205f && c <= 0x206f) || c == 0x3000 || (c >= 0xfff0 && c <= 0xffff) ||
         c >= 0xe0000;
}

bool is_allowed(std::string_view character) {
  constexpr std::string_view kPunctuation = "._-+=@,()~";
  if (character.size() > 1) return !is_deceptive(character);
  const char c = character.front();
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kPunctuation.find(c) != std::string_view::npos;
}

std::string date_of(Time time) {
  auto text = to_iso8601(time).substr(0, 10);
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  return text;
}

std::string value_of(std::string_view placeholder, const Lease& lease) {
  const auto& envelope = lease.job.envelope;
  const auto id = lease.job.id.text();
  if (placeholder == "body") return file_name_part(envelope.body, kLongestPart);
  if (placeholder == "tid") return file_name_part(envelope.tid, kLongestPart);
  if (placeholder == "date") return date_of(lease.arrived);
  if (placeholder == "seq") return id.substr(0, 8);
  const auto& stem = envelope.reply.name;
  return file_name_part(stem.empty() ? id : stem, kLongestName);
}

std::string fill_in(std::string_view name_template, const Lease& lease) {
  std::string name;
  while (!name_template.empty()) {
    const auto open = name_template.find('{');
    name += name_template.substr(0, open);
    if (open == std::string_view::npos) break;
    name_template.remove_prefix(open + 1);
    const auto close = std::min(name_template.find('}'), name_template.size());
    name += value_of(name_template.substr(0, close), lease);
    name_template.remove_prefix(std::min(close + 1, name_template.size()));
  }
  return name;
}

// "dev1.ip-MARK.pki" of "dev1.ip.pki", of at most kLongestName octets.
std::string marked(const std::string& name, const std::string& mark) {
  const auto dot = std::min(name.rfind('.'), name.size());
  const auto ending = (mark.empty() ? "" : "-" + mark) + name.substr(dot);
  return file_name_part(std::string_view(name).substr(0, dot), kLongestName - ending.size()) +
         ending;
}

}  // namespace

std::string file_name_part(std::string_view text, std::size_t limit) {
  std::string part;
  while (!text.empty()) {
    const auto character = text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
    part += is_allowed(character) ? character : std::string_view("_");
    text.remove_prefix(character.size());
  }
  if (part.empty()) return "_";
  part = shortened(part, limit);
  if (part.front() == '.' || part.front() == '-' || part.front() == '~') part.front() = '_';
  return part;
}

std::vector<std::string> answer_names(const std::string& name_template, const Lease& lease) {
  const auto name = fill_in(name_template, lease);
  const auto id = lease.job.id.text();
  return {marked(name, ""), marked(name, id.substr(0, 8)), marked(name, id)};
}

}  // namespace cmpost
