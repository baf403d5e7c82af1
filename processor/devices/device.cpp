#include "processor/devices/device.h"

#include <algorithm>
#include <charconv>

#include "asn1/name.h"
#include "base/ascii.h"
#include "base/bytes.h"
#include "base/joined.h"
#include "processor/credentials/name_pattern.h"
#include "processor/credentials/secret_store.h"
#include "processor/devices/device_text.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestName = 200, kLongestCell = 1000;
constexpr std::size_t kShortestSecret = 8;  // octets; from 14 on nobody warns any more
constexpr std::string_view kGiven = "given", kNone = "none";

constexpr std::array<std::string_view, kDeviceColumns> kNames = {
    "name",    "vendor", "serial",     "mac",         "profile", "subject", "san",     "site",
    "channel", "secret", "valid_from", "valid_until", "uses",    "batch",   "contact", "note"};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  std::string word;
  for (const char c : text) {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      all.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) all.push_back(std::move(word));
  return all;
}

TextUse use_of(DeviceColumn column) {
  switch (column) {
    case DeviceColumn::name:
      return TextUse::name;
    case DeviceColumn::site:
    case DeviceColumn::contact:
    case DeviceColumn::note:
      return TextUse::prose;
    default:
      return TextUse::key;
  }
}

Result<std::optional<Time>> time_in(const std::string& text, std::string_view of_day) {
  if (text.empty()) return std::nullopt;
  if (const auto time = from_iso8601(text)) return time;
  if (const auto day = from_iso8601(text + std::string(of_day))) return day;
  return hold("\"" + printable(text, 40) + "\" is no time",
              "write 2027-01-31 or 2027-01-31T12:00:00Z");
}

Result<std::optional<std::int64_t>> count_in(const std::string& text) {
  constexpr std::int64_t kMost = 1'000'000'000;
  if (text.empty()) return std::nullopt;
  std::int64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec == std::errc() && read.ptr == end && count > 0 && count <= kMost) return count;
  return hold("\"" + printable(text, 40) + "\" is no number of certificates",
              "write a whole number from 1");
}

Result<std::string> san_in(const std::string& text) {
  const auto all = words(text);
  if (all.empty()) return std::string();
  const auto rule = san_rule(all);
  if (!rule) {
    return hold("\"" + printable(text, 60) + "\" does not say which names",
                "write own, any, none, or patterns such as DNS:gw-1.example, a blank between them");
  }
  for (const auto& pattern : rule->patterns) TRY(AlternativeNamePattern::parse(pattern));
  return joined(all, " ");
}

std::string in_groups_of_two(const std::string& digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += digits[i];
  }
  return text;
}

std::string cell(const std::optional<Time>& time) { return time ? to_iso8601(*time) : ""; }

std::string_view word_of(DeviceSecret secret) {
  switch (secret) {
    case DeviceSecret::made:
      return "";
    case DeviceSecret::given:
      return kGiven;
    case DeviceSecret::none:
      return kNone;
  }
  return "";
}

std::string Device::*plain_field(DeviceColumn column) {
  switch (column) {
    case DeviceColumn::name:
      return &Device::name;
    case DeviceColumn::vendor:
      return &Device::vendor;
    case DeviceColumn::serial:
      return &Device::serial;
    case DeviceColumn::profile:
      return &Device::profile;
    case DeviceColumn::subject:
      return &Device::subject;
    case DeviceColumn::site:
      return &Device::site;
    case DeviceColumn::channel:
      return &Device::channel;
    case DeviceColumn::batch:
      return &Device::batch;
    case DeviceColumn::contact:
      return &Device::contact;
    case DeviceColumn::note:
      return &Device::note;
    default:
      return nullptr;
  }
}

}  // namespace

std::string_view to_string(DeviceState state) {
  switch (state) {
    case DeviceState::listed:
      return "listed";
    case DeviceState::invited:
      return "invited";
    case DeviceState::requested:
      return "requested";
    case DeviceState::issued:
      return "issued";
    case DeviceState::confirmed:
      return "confirmed";
    case DeviceState::revoked:
      return "revoked";
    case DeviceState::retired:
      return "retired";
  }
  return "";
}

std::optional<DeviceState> device_state(std::string_view text) {
  for (const auto state :
       {DeviceState::listed, DeviceState::invited, DeviceState::requested, DeviceState::issued,
        DeviceState::confirmed, DeviceState::revoked, DeviceState::retired}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_string(DeviceColumn column) { return kNames[static_cast<std::size_t>(column)]; }

std::optional<DeviceColumn> device_column(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<DeviceColumn>(found - kNames.begin());
}

DeviceColumn device_column_at(std::size_t index) { return static_cast<DeviceColumn>(index); }

Result<SecretCell> secret_cell(std::string_view cell) {
  auto value = without_outer_blanks(cell);
  TRY(check_text(value, TextUse::key, kLongestCell));
  if (value.empty()) return SecretCell{};
  if (same_letters(value, kNone)) return SecretCell{DeviceSecret::none, {}};
  if (same_letters(value, kGiven)) return SecretCell{DeviceSecret::given, {}};
  // Not shown: it may be one all the same.
  const std::string hint = "leave the cell empty and one is made, or write 'none'";
  if (has_blank(value)) return hold("has a blank in it", hint);
  if (value.size() < kShortestSecret) {
    return hold("has fewer than " + std::to_string(kShortestSecret) +
                    " octets, so that whoever sees one request finds it at once",
                hint);
  }
  return SecretCell{DeviceSecret::given, std::move(value)};
}

std::string cell_of(const Device& device, DeviceColumn column) {
  if (const auto field = plain_field(column)) return device.*field;
  switch (column) {
    case DeviceColumn::mac:
      return in_groups_of_two(device.mac);
    case DeviceColumn::san:
      return device.san;
    case DeviceColumn::secret:
      return std::string(word_of(device.secret));
    case DeviceColumn::valid_from:
      return cell(device.valid_from);
    case DeviceColumn::valid_until:
      return cell(device.valid_until);
    default:
      return device.uses ? std::to_string(*device.uses) : "";
  }
}

Result<void> set_cell(Device& device, DeviceColumn column, const std::string& text) {
  const auto value = without_outer_blanks(text);
  TRY(check_text(value, use_of(column),
                 column == DeviceColumn::name ? kLongestName : kLongestCell));
  if (const auto field = plain_field(column)) {
    if (column == DeviceColumn::subject && !value.empty()) TRY(SubjectPattern::parse(value));
    if (column == DeviceColumn::name && value.empty()) return hold("is empty");
    device.*field = value;
    return {};
  }
  switch (column) {
    case DeviceColumn::mac: {
      const auto mac = mac_address(value);
      if (!mac && !value.empty()) {
        return hold("\"" + printable(value, 40) + "\" is no MAC address",
                    "write 00:11:22:AA:BB:CC, 00-11-22-AA-BB-CC, 0011.22aa.bbcc or 001122AABBCC");
      }
      device.mac = mac.value_or("");
      return {};
    }
    case DeviceColumn::san: {
      ASSIGN_OR_RETURN(device.san, san_in(value));
      return {};
    }
    case DeviceColumn::secret: {
      ASSIGN_OR_RETURN(const auto secret, secret_cell(value));
      device.secret = secret.kind;
      return {};
    }
    case DeviceColumn::valid_from: {
      ASSIGN_OR_RETURN(device.valid_from, time_in(value, "T00:00:00Z"));
      return {};
    }
    case DeviceColumn::valid_until: {
      ASSIGN_OR_RETURN(device.valid_until, time_in(value, "T23:59:59Z"));
      return {};
    }
    default: {
      ASSIGN_OR_RETURN(device.uses, count_in(value));
      return {};
    }
  }
}

void copy_cell(Device& device, DeviceColumn column, const Device& from) {
  if (const auto field = plain_field(column)) {
    device.*field = from.*field;
    return;
  }
  switch (column) {
    case DeviceColumn::mac:
      device.mac = from.mac;
      return;
    case DeviceColumn::san:
      device.san = from.san;
      return;
    case DeviceColumn::secret:
      device.secret = from.secret;
      return;
    case DeviceColumn::valid_from:
      device.valid_from = from.valid_from;
      return;
    case DeviceColumn::valid_until:
      device.valid_until = from.valid_until;
      return;
    default:
      device.uses = from.uses;
  }
}

SanRule san_of(const Device& device) {
  if (device.san.empty()) return {};
  // What is none was refused when the row came.
  return san_rule(words(device.san)).value_or(SanRule{SanRule::Kind::none});
}

std::string subject_key_of(const Device& device) {
  const auto subject = subject_of(device);
  if (!subject) return {};
  const auto pattern = SubjectPattern::parse(*subject);
  return pattern && pattern->is_exact() ? pattern->name().comparison_key() : std::string();
}

std::optional<Time> secret_ends(const Device& device) {
  if (device.secret == DeviceSecret::given || !device.letter_until) return device.valid_until;
  return std::min(*device.letter_until, device.valid_until.value_or(*device.letter_until));
}

Result<std::string> subject_of(const Device& device) {
  if (!device.subject.empty()) return device.subject;
  auto subject = subject_of_reference(device.name);
  if (!subject) {
    return hold("cannot be the common name of the device", "write its subject in the row");
  }
  return *std::move(subject);
}

}  // namespace cmpost
