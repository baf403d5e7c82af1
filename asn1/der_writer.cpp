#include <algorithm>
#include <cstring>

#include "asn1/der.h"
#include "base/result.h"

namespace cmpost::der {
namespace {

// Octets behind the first length octet, for content of `size`.
std::size_t extra_length_octets(std::size_t size) {
  if (size < 0x80) return 0;
  std::size_t count = 0;
  for (; size != 0; size >>= 8) ++count;
  return count;
}

void add_two_digits(std::string& text, unsigned value) {
  text += static_cast<char>('0' + value / 10);
  text += static_cast<char>('0' + value % 10);
}

// "YYYYMMDDHHMMSSZ". By hand, because several are written for each answer.
std::string basic_form(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto seconds =
      static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(
                                std::chrono::floor<std::chrono::seconds>(time) - day)
                                .count());
  auto text = std::to_string(static_cast<int>(date.year()));
  if (text.size() < 4) text.insert(0, 4 - text.size(), '0');
  add_two_digits(text, static_cast<unsigned>(date.month()));
  add_two_digits(text, static_cast<unsigned>(date.day()));
  add_two_digits(text, seconds / 3600);
  add_two_digits(text, seconds / 60 % 60);
  add_two_digits(text, seconds % 60);
  text += 'Z';
  return text;
}

}  // namespace

Writer::Mark Writer::open(Tag tag, std::size_t expected) {
  out_.push_back(tag);
  const Mark mark{out_.size(), extra_length_octets(expected)};
  out_.resize(out_.size() + 1 + mark.reserved);
  return mark;
}

Writer::Mark Writer::open_again() {
  CHECK(out_.size() >= 2);
  return {1, out_[1] < 0x80 ? std::size_t{0} : out_[1] & std::size_t{0x7f}};
}

void Writer::close(Mark mark) {
  const std::size_t from = mark.length_at + 1 + mark.reserved;
  CHECK(from <= out_.size());
  std::size_t size = out_.size() - from;
  const std::size_t extra = extra_length_octets(size);
  if (extra != mark.reserved) {
    const std::size_t to = mark.length_at + 1 + extra;
    if (to > from) out_.resize(to + size);
    std::memmove(out_.data() + to, out_.data() + from, size);
    out_.resize(to + size);
  }
  out_[mark.length_at] = static_cast<std::uint8_t>(extra == 0 ? size : 0x80 | extra);
  for (std::size_t i = extra; i > 0; --i, size >>= 8) {
    out_[mark.length_at + i] = static_cast<std::uint8_t>(size);
  }
}

void Writer::raw(ByteView whole_elements) { append(out_, whole_elements); }

void Writer::raw(const std::vector<Bytes>& whole_elements) {
  constexpr std::size_t kLengths = 64;  // of what is around them
  std::size_t size = out_.size() + kLengths;
  for (const auto& element : whole_elements) size += element.size();
  if (size > out_.capacity()) out_.reserve(std::max(size, 2 * out_.capacity()));
  for (const auto& element : whole_elements) append(out_, element);
}

void Writer::primitive(Tag tag, ByteView content) {
  const std::size_t extra = extra_length_octets(content.size());
  out_.push_back(tag);
  out_.push_back(static_cast<std::uint8_t>(extra == 0 ? content.size() : 0x80 | extra));
  for (std::size_t i = extra; i > 0; --i) {
    out_.push_back(static_cast<std::uint8_t>(content.size() >> (8 * (i - 1))));
  }
  append(out_, content);
}

void Writer::integer(std::int64_t value, Tag tag) {
  std::uint8_t octets[sizeof value];
  auto rest = static_cast<std::uint64_t>(value);
  for (std::size_t i = sizeof value; i-- > 0; rest >>= 8) {
    octets[i] = static_cast<std::uint8_t>(rest);
  }
  ByteView content(octets);
  const std::uint8_t sign = value < 0 ? 0xff : 0x00;
  while (content.size() > 1 && content[0] == sign && ((content[1] ^ sign) & 0x80) == 0) {
    content = content.subspan(1);
  }
  primitive(tag, content);
}

void Writer::big_integer(ByteView content, Tag tag) {
  CHECK(!content.empty());
  primitive(tag, content);
}

void Writer::unsigned_integer(ByteView magnitude, Tag tag) {
  while (!magnitude.empty() && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  if (!magnitude.empty() && magnitude[0] < 0x80) return primitive(tag, magnitude);
  Bytes content(1, 0);
  append(content, magnitude);
  primitive(tag, content);
}

void Writer::boolean(bool value, Tag tag) {
  const std::uint8_t octet = value ? 0xff : 0x00;
  primitive(tag, ByteView(&octet, 1));
}

void Writer::octet_string(ByteView content, Tag tag) { primitive(tag, content); }

void Writer::bit_string(ByteView octets, unsigned unused_bits, Tag tag) {
  CHECK(unused_bits < 8);
  const auto mark = open(tag);
  out_.push_back(static_cast<std::uint8_t>(unused_bits));
  append(out_, octets);
  close(mark);
}

void Writer::named_bits(std::uint64_t bits, Tag tag) {
  std::uint8_t octets[sizeof bits] = {};
  std::size_t used = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((bits >> i & 1) == 0) continue;
    octets[i / 8] = static_cast<std::uint8_t>(octets[i / 8] | 0x80 >> i % 8);
    used = i + 1;
  }
  const std::size_t size = (used + 7) / 8;
  bit_string(ByteView(octets, size), static_cast<unsigned>(size * 8 - used), tag);
}

void Writer::object_identifier(const Oid& oid, Tag tag) {
  CHECK(!oid.empty());
  primitive(tag, oid.content());
}

void Writer::null(Tag tag) { primitive(tag, {}); }

void Writer::utf8_string(std::string_view text, Tag tag) { primitive(tag, view_of(text)); }

void Writer::generalized_time(Time time, Tag tag) { primitive(tag, view_of(basic_form(time))); }

void Writer::x509_time(Time time) {
  const auto text = basic_form(time);
  // RFC 5280 4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity
  // dates through the year 2049 as UTCTime". UTCTime begins in 1950.
  const bool utc = text.size() == 15 && text >= "1950" && text < "2050";
  if (!utc) return primitive(kGeneralizedTime, view_of(text));
  primitive(kUtcTime, view_of(std::string_view(text).substr(2)));
}

}  // namespace cmpost::der
