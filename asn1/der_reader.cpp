#include "asn1/der.h"

#include <algorithm>
#include <array>

#include "base/result.h"

namespace cmpost::der {
namespace {

constexpr std::uint8_t kConstructed = 0x20;
constexpr std::uint8_t kClassBits = 0xc0;
constexpr std::uint8_t kNumberBits = 0x1f;
// More than four octets of length announce more than any input that we hold.
constexpr std::size_t kMaxLengthOctets = 4;

// Why a tag cannot begin a DER value; nullptr when it can.
const char* wrong_with_tag(Tag tag) {
  const unsigned number = tag & kNumberBits;
  if (number == kNumberBits) return "tag number is above 30";
  if ((tag & kClassBits) != 0) return nullptr;
  if (number == 0 || number == 15) return "tag is reserved";
  // EXTERNAL, EMBEDDED PDV, SEQUENCE and SET; X.690 10.2: "the constructed form of encoding shall
  // not be used" for the string types.
  const bool structured = number == 8 || number == 11 || number == 16 || number == 17;
  const bool constructed = (tag & kConstructed) != 0;
  if (structured && !constructed) return "primitive encoding of a constructed type";
  if (!structured && constructed) return "constructed encoding of a primitive type";
  return nullptr;
}

struct Length {
  std::size_t value = 0;
  std::size_t octets = 0;  // of the length field itself
  const char* wrong = nullptr;
};

Length wrong_length(const char* what) { return {0, 0, what}; }

Length read_length(ByteView input) {
  if (input.empty()) return wrong_length("length is cut off");
  if (input[0] < 0x80) return {input[0], 1, nullptr};
  if (input[0] == 0x80) return wrong_length("length is indefinite");
  const std::size_t count = input[0] & 0x7fU;
  if (count > kMaxLengthOctets) return wrong_length("length is too large");
  if (input.size() < 1 + count) return wrong_length("length is cut off");
  std::size_t value = 0;
  for (std::size_t i = 1; i <= count; ++i) value = value << 8 | input[i];
  if (input[1] == 0 || value < 0x80) return wrong_length("length is not minimal");
  return {value, 1 + count, nullptr};
}

bool is_minimal_integer(ByteView content) {
  if (content.size() < 2) return true;
  const bool sign_of_next = (content[1] & 0x80) != 0;
  return !(content[0] == 0x00 && !sign_of_next) && !(content[0] == 0xff && sign_of_next);
}

// Cuts `count` decimal digits off the front.
std::optional<int> cut_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

// "MMDDHHMMSS" of a year.
std::optional<Time> cut_time_of_year(int year, std::string_view& text) {
  std::array<int, 5> field{};
  for (auto& value : field) {
    const auto number = cut_number(text, 2);
    if (!number) return std::nullopt;
    value = *number;
  }
  const auto [month, day, hour, minute, second] = field;
  const auto date = std::chrono::year(year) / month / day;
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

// ".5": X.690 11.7.3, "the fractional-seconds elements, if present, shall omit all trailing 0's".
std::optional<Duration> fraction(std::string_view text) {
  if (text.empty()) return Duration(0);
  if (text.size() < 2 || text[0] != '.' || text.back() == '0') return std::nullopt;
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    micros += unit * (c - '0');
    unit /= 10;
  }
  return Duration(micros);
}

std::optional<Time> parse_generalized_time(std::string_view text) {
  if (text.empty() || text.back() != 'Z') return std::nullopt;
  text.remove_suffix(1);
  const auto year = cut_number(text, 4);
  if (!year) return std::nullopt;
  const auto time = cut_time_of_year(*year, text);
  if (!time) return std::nullopt;
  const auto rest = fraction(text);
  if (!rest) return std::nullopt;
  return *time + *rest;
}

std::optional<Time> parse_utc_time(std::string_view text) {
  const auto year = cut_number(text, 2);
  if (!year) return std::nullopt;
  // RFC 5280 4.1.2.5.1: "Where YY is greater than or equal to 50, the year SHALL be interpreted as
  // 19YY".
  const auto time = cut_time_of_year(*year >= 50 ? 1900 + *year : 2000 + *year, text);
  if (!time || text != "Z") return std::nullopt;
  return time;
}

tl::unexpected<Fault> fault_at(std::size_t offset, std::string what) {
  return tl::unexpected<Fault>(Fault{offset, std::move(what)});
}

std::string tag_text(Tag tag) { return "0x" + to_hex(ByteView(&tag, 1)); }

}  // namespace

std::string to_string(const Fault& fault) {
  return fault.what + " at octet " + std::to_string(fault.offset);
}

std::size_t Reader::offset() const { return static_cast<std::size_t>(input_.data() - base_); }

tl::unexpected<Fault> Reader::fault(std::string what) const {
  return fault_at(offset(), std::move(what));
}

Parsed<Element> Reader::any() {
  if (input_.empty()) return fault("an element is missing");
  const Tag tag = input_[0];
  if (const char* wrong = wrong_with_tag(tag)) return fault(wrong);
  const auto length = read_length(input_.subspan(1));
  if (length.wrong != nullptr) return fault(length.wrong);
  const std::size_t header = 1 + length.octets;
  if (input_.size() - header < length.value) return fault("content is cut off");
  const Element element{tag, input_.subspan(header, length.value),
                        input_.first(header + length.value)};
  input_ = input_.subspan(header + length.value);
  return element;
}

Parsed<Element> Reader::expect(Tag tag) {
  if (input_.empty()) return fault("an element with tag " + tag_text(tag) + " is missing");
  if (input_[0] != tag) {
    return fault("tag is " + tag_text(input_[0]) + " where " + tag_text(tag) + " belongs");
  }
  return any();
}

Parsed<std::optional<Element>> Reader::optional(Tag tag) {
  if (input_.empty() || input_[0] != tag) return std::optional<Element>();
  ASSIGN_OR_RETURN(const Element element, any());
  return std::optional(element);
}

Reader Reader::inside(const Element& element) const { return {element.content, base_}; }

Parsed<Reader> Reader::enter(Tag tag) {
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  return inside(element);
}

Parsed<std::optional<Reader>> Reader::enter_optional(Tag tag) {
  if (input_.empty() || input_[0] != tag) return std::optional<Reader>();
  ASSIGN_OR_RETURN(const Element element, any());
  return std::optional(inside(element));
}

Parsed<void> Reader::finish() const {
  if (!input_.empty()) return fault("unexpected octets behind the last element");
  return {};
}

Parsed<ByteView> Reader::integer_content(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  if (element.content.empty()) return fault_at(start, "INTEGER is empty");
  if (!is_minimal_integer(element.content)) return fault_at(start, "INTEGER is not minimal");
  return element.content;
}

Parsed<std::int64_t> Reader::integer(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const ByteView content, integer_content(tag));
  if (content.size() > sizeof(std::int64_t)) return fault_at(start, "INTEGER is too large");
  std::uint64_t value = (content[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const auto octet : content) value = value << 8 | octet;
  return static_cast<std::int64_t>(value);
}

Parsed<Bytes> Reader::big_integer(Tag tag) {
  ASSIGN_OR_RETURN(const ByteView content, integer_content(tag));
  return to_bytes(content);
}

Parsed<bool> Reader::boolean(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  if (element.content.size() != 1) return fault_at(start, "BOOLEAN is not one octet");
  const auto value = element.content[0];
  if (value != 0x00 && value != 0xff) return fault_at(start, "BOOLEAN is neither 00 nor FF");
  return value == 0xff;
}

Parsed<ByteView> Reader::octet_string(Tag tag) {
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  return element.content;
}

Parsed<Reader::BitString> Reader::bit_string(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  if (element.content.empty()) return fault_at(start, "BIT STRING is empty");
  const unsigned unused = element.content[0];
  const auto octets = element.content.subspan(1);
  if (unused > 7 || (octets.empty() && unused != 0)) {
    return fault_at(start, "BIT STRING has an impossible count of unused bits");
  }
  if (unused != 0 && (octets.back() & ((1U << unused) - 1)) != 0) {
    return fault_at(start, "BIT STRING has padding bits that are not zero");
  }
  return BitString{octets, unused};
}

Parsed<Oid> Reader::object_identifier(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  const auto oid = Oid::from_content(element.content);
  if (!oid) return fault_at(start, "OBJECT IDENTIFIER is malformed");
  return *oid;
}

Parsed<void> Reader::null(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  if (!element.content.empty()) return fault_at(start, "NULL is not empty");
  return {};
}

Parsed<std::string> Reader::utf8_string(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  if (!is_utf8(text_of(element.content))) return fault_at(start, "UTF8String is not UTF-8");
  return std::string(text_of(element.content));
}

Parsed<Time> Reader::generalized_time(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  const auto time = parse_generalized_time(text_of(element.content));
  if (!time) return fault_at(start, "GeneralizedTime is malformed");
  return *time;
}

Parsed<Time> Reader::utc_time(Tag tag) {
  const auto start = offset();
  ASSIGN_OR_RETURN(const Element element, expect(tag));
  const auto time = parse_utc_time(text_of(element.content));
  if (!time) return fault_at(start, "UTCTime is malformed");
  return *time;
}

}  // namespace cmpost::der
