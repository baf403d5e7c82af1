#include "mime/header_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "mime/charset.h"
#include "mime/message_id.h"
#include "mime/text.h"
#include "mime/words.h"

namespace cmpost {

namespace {

constexpr std::size_t kUsualLine = 76;
constexpr std::string_view kFold = "\r\n ";

bool is_control_octet(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

Result<void> check_text(std::string_view name, std::string_view text) {
  if (std::ranges::any_of(text, is_control_octet)) {
    return hold(std::string(name) + " contains a line break or another control character");
  }
  if (!is_utf8(text)) return hold(std::string(name) + " is not UTF-8");
  return {};
}

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_visible(c) || c == ' '; });
}

// As it is: readers must not take it for encoded words, and nothing may be lost at its ends.
bool may_stand_as_it_is(std::string_view text) {
  return is_printable_ascii(text) && text.find("=?") == text.npos && trimmed(text) == text;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

// The octets of the last line of `text`.
std::size_t column_of(std::string_view text) {
  const auto feed = text.rfind('\n');
  return feed == text.npos ? text.size() : text.size() - feed - 1;
}

// In the same line, or in the next one where it has no room.
void append_word(std::string& field, std::string_view word) {
  const auto first_line = word.substr(0, word.find('\r'));
  field += column_of(field) + 1 + first_line.size() > kUsualLine ? kFold : " ";
  field += word;
}

}  // namespace

Result<std::string> address_field(std::string_view name, std::string_view display_name,
                                  const Mailbox& mailbox) {
  TRY(check_text(name, display_name));
  const auto address = mailbox.text();
  if (address.find_first_of(" \t<>\"") != address.npos || !read_mailbox(address)) {
    return hold(std::string(name) + " is not a plain address: " + printable(address));
  }
  std::string field = std::string(name) + ":";
  if (display_name.empty()) {
    append_word(field, address);
    return field + "\r\n";
  }
  const auto plain = in_quotes(display_name);
  const bool short_enough = field.size() + 1 + plain.size() <= kUsualLine;
  const bool as_it_is = may_stand_as_it_is(display_name) && short_enough;
  append_word(field, as_it_is ? plain : encode_words(display_name));
  append_word(field, "<" + address + ">");
  return field + "\r\n";
}

Result<std::string> text_field(std::string_view name, std::string_view text) {
  TRY(check_text(name, text));
  std::string field = std::string(name) + ":";
  const bool short_enough = field.size() + 1 + text.size() <= kUsualLine;
  if (may_stand_as_it_is(text) && short_enough) return field + " " + std::string(text) + "\r\n";
  append_word(field, encode_words(text));
  return field + "\r\n";
}

Result<std::string> message_ids_field(std::string_view name, const std::vector<std::string>& ids) {
  std::string field = std::string(name) + ":";
  for (const auto& id : ids) {
    if (!is_message_id(id)) {
      return hold(std::string(name) + " is not of the form <x@y>: " + printable(id));
    }
    append_word(field, id);
  }
  return field + "\r\n";
}

Result<std::string> date_field(Time date) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(date);
  const std::chrono::year_month_day day(days);
  const int year = static_cast<int>(day.year());
  if (year < 1900 || year > 9999) return hold("Date is not between the years 1900 and 9999");
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(date - days));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "Date: %s, %u %s %04d %02d:%02d:%02d +0000\r\n",
                kDays[std::chrono::weekday(days).c_encoding()], static_cast<unsigned>(day.day()),
                kMonths[static_cast<unsigned>(day.month()) - 1], year,
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return std::string(text.data());
}

}  // namespace cmpost
