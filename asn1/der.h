// Strict DER: a reader over borrowed octets and a writer into one buffer. X.690 section 10, and the
// forms that BER allows and DER does not are errors here: indefinite or non-minimal lengths,
// constructed strings, non-minimal integers, BOOLEAN other than 00 and FF, stray padding bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "asn1/oid.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace cmpost::der {

// One octet: class, constructed bit and number (0..30; nothing we read uses more).
using Tag = std::uint8_t;
constexpr Tag kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04,
              kNull = 0x05, kOid = 0x06, kUtf8String = 0x0c, kPrintableString = 0x13,
              kTeletexString = 0x14, kIa5String = 0x16, kUtcTime = 0x17, kGeneralizedTime = 0x18,
              kSequence = 0x30, kSet = 0x31;
constexpr Tag context(unsigned number) { return static_cast<Tag>(0x80 | number); }
constexpr Tag context_constructed(unsigned number) { return static_cast<Tag>(0xa0 | number); }

// What a reader found wrong: where (octets from the start of the outermost input) and what.
struct Fault {
  std::size_t offset = 0;
  std::string what;  // "length is not minimal"
};
std::string to_string(const Fault& fault);  // "length is not minimal at octet 12"
template <typename T>
using Parsed = tl::expected<T, Fault>;

struct Element {
  Tag tag = 0;
  ByteView content;  // without tag and length
  ByteView whole;    // with them
};

// Reads one value after the other. Views returned live as long as the input octets; nothing is
// copied. A reader that met a Fault may not be used any further.
class Reader {
 public:
  explicit Reader(ByteView input) : input_(input), base_(input.data()) {}

  bool at_end() const { return input_.empty(); }
  // The tag of the next element; 0 at the end.
  Tag peek() const { return input_.empty() ? Tag{0} : input_[0]; }
  std::size_t offset() const;
  ByteView rest() const { return input_; }

  Parsed<Element> any();
  Parsed<Element> expect(Tag tag);
  Parsed<std::optional<Element>> optional(Tag tag);
  // A reader over the content of the next element, which must have `tag`.
  Parsed<Reader> enter(Tag tag);
  Parsed<std::optional<Reader>> enter_optional(Tag tag);
  // A reader over `element`'s content whose faults keep the offsets of this one.
  Reader inside(const Element& element) const;
  Parsed<void> finish() const;  // a Fault unless at the end

  Parsed<std::int64_t> integer(Tag tag = kInteger);  // a Fault beyond 64 bits
  Parsed<Bytes> big_integer(Tag tag = kInteger);     // content octets, two's complement
  Parsed<bool> boolean(Tag tag = kBoolean);
  Parsed<ByteView> octet_string(Tag tag = kOctetString);
  struct BitString {
    ByteView octets;
    unsigned unused_bits = 0;  // padding bits in the last octet, all zero
  };
  Parsed<BitString> bit_string(Tag tag = kBitString);
  Parsed<Oid> object_identifier(Tag tag = kOid);
  Parsed<void> null(Tag tag = kNull);
  Parsed<std::string> utf8_string(Tag tag = kUtf8String);  // checked to be UTF-8
  Parsed<Time> generalized_time(
      Tag tag = kGeneralizedTime);  // RFC 5280 4.1.2.5.2 form, fractions allowed per X.690 11.7
  Parsed<Time> utc_time(Tag tag = kUtcTime);  // RFC 5280 4.1.2.5.1

  tl::unexpected<Fault> fault(std::string what) const;

 private:
  Reader(ByteView input, const std::uint8_t* base) : input_(input), base_(base) {}
  Parsed<ByteView> integer_content(Tag tag);
  ByteView input_;
  const std::uint8_t* base_;
};

// Writes values one after the other; lengths are minimal by construction.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::size_t expected) { out_.reserve(expected); }  // octets, about

  // `body` writes the content; may nest. Example: w.constructed(kSequence, [&] { w.integer(1); });
  template <typename F>
  void constructed(Tag tag, F&& body) {
    constructed(tag, 0, body);
  }
  // Content of about `expected` octets: where that is megabytes, it need not be moved at the end.
  template <typename F>
  void constructed(Tag tag, std::size_t expected, F&& body) {
    const auto mark = open(tag, expected);
    body();
    close(mark);
  }
  // The constructed element `element` with what `more`, given a Writer, adds at its end.
  template <typename F>
  static Bytes extended(Bytes element, F&& more) {
    Writer writer;
    writer.out_ = std::move(element);
    const auto mark = writer.open_again();
    more(writer);
    writer.close(mark);
    return std::move(writer.out_);
  }
  void raw(ByteView whole_elements);  // already encoded
  void raw(const std::vector<Bytes>& whole_elements);
  void primitive(Tag tag, ByteView content);

  void integer(std::int64_t value, Tag tag = kInteger);
  void big_integer(ByteView content, Tag tag = kInteger);  // as Reader::big_integer gave it
  void unsigned_integer(ByteView magnitude,
                        Tag tag = kInteger);  // big-endian, made minimal, never negative
  void boolean(bool value, Tag tag = kBoolean);
  void octet_string(ByteView content, Tag tag = kOctetString);
  void bit_string(ByteView octets, unsigned unused_bits = 0, Tag tag = kBitString);
  // NamedBitList in DER: bit i of `bits` is named bit i; trailing zero bits are cut (X.690 11.2.2).
  void named_bits(std::uint64_t bits, Tag tag = kBitString);
  void object_identifier(const Oid& oid, Tag tag = kOid);
  void null(Tag tag = kNull);
  void utf8_string(std::string_view text, Tag tag = kUtf8String);
  void generalized_time(Time time, Tag tag = kGeneralizedTime);  // whole seconds
  void x509_time(Time time);  // UTCTime up to 2049, then GeneralizedTime (RFC 5280 4.1.2.5)

  const Bytes& bytes() const& { return out_; }
  Bytes take() && { return std::move(out_); }

 private:
  struct Mark {
    std::size_t length_at;
    std::size_t reserved;  // octets for the length, behind its first one
  };
  Mark open(Tag tag, std::size_t expected = 0);
  Mark open_again();
  void close(Mark mark);
  Bytes out_;
};

}  // namespace cmpost::der
