#include "asn1/der.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/crypto/golden.h"

namespace cmpost::der {
namespace {

using ::testing::HasSubstr;

// What Reader::any says about `digits`, "" when nothing is wrong.
std::string fault_of_any(const std::string& digits) {
  const Bytes input = hex(digits);
  Reader reader(input);
  const auto element = reader.any();
  return element ? "" : element.error().what;
}

TEST(DerReader, RefusesWhatOnlyBerAllows) {
  EXPECT_THAT(fault_of_any("3080"), HasSubstr("indefinite"));
  EXPECT_THAT(fault_of_any("30800000"), HasSubstr("indefinite"));
  EXPECT_THAT(fault_of_any("04810100"), HasSubstr("not minimal"));
  EXPECT_THAT(fault_of_any("0482000100"), HasSubstr("not minimal"));
  EXPECT_THAT(fault_of_any("2403040100"), HasSubstr("constructed encoding"));
  EXPECT_THAT(fault_of_any("2100"), HasSubstr("constructed encoding"));
  EXPECT_THAT(fault_of_any("1000"), HasSubstr("primitive encoding"));
  EXPECT_THAT(fault_of_any("0000"), HasSubstr("reserved"));
  EXPECT_THAT(fault_of_any("1f0100"), HasSubstr("above 30"));
  EXPECT_THAT(fault_of_any("bf0100"), HasSubstr("above 30"));
}

TEST(DerReader, RefusesWhatIsCutOff) {
  EXPECT_THAT(fault_of_any(""), HasSubstr("missing"));
  EXPECT_THAT(fault_of_any("04"), HasSubstr("length is cut off"));
  EXPECT_THAT(fault_of_any("0482ff"), HasSubstr("length is cut off"));
  EXPECT_THAT(fault_of_any("040100ff").substr(0, 3), "");
  EXPECT_THAT(fault_of_any("0402ff"), HasSubstr("content is cut off"));
  EXPECT_THAT(fault_of_any("0484ffffffff00"), HasSubstr("content is cut off"));
  EXPECT_THAT(fault_of_any("04850100000000"), HasSubstr("too large"));
  EXPECT_THAT(fault_of_any("04ff"), HasSubstr("too large"));
}

TEST(DerReader, FaultsNameTheOffsetInTheOutermostInput) {
  const Bytes input = hex("30053003020200");
  Reader outer(input);
  auto sequence = outer.enter(kSequence);
  ASSERT_TRUE(sequence);
  auto inner = sequence->enter(kSequence);
  ASSERT_TRUE(inner);
  const auto fault = inner->integer();
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().offset, 4U);
  EXPECT_EQ(to_string(fault.error()), "content is cut off at octet 4");
}

TEST(DerReader, FinishesOnlyAtTheEnd) {
  const Bytes input = hex("050000");
  Reader reader(input);
  ASSERT_TRUE(reader.null());
  EXPECT_FALSE(reader.finish());
}

TEST(DerReader, LeavesAnAbsentOptionalElementAlone) {
  const Bytes input = hex("020105");
  Reader reader(input);
  const auto absent = reader.optional(context(0));
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->has_value());
  EXPECT_EQ(reader.integer().value(), 5);
  EXPECT_FALSE(reader.enter_optional(kSequence).value());
}

TEST(DerIntegers, RoundTripAtTheEdges) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t value :
       {Limits::min(), Limits::min() + 1, std::int64_t{-32769}, std::int64_t{-129},
        std::int64_t{-128}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{127}, std::int64_t{128},
        std::int64_t{255}, std::int64_t{256}, Limits::max()}) {
    Writer writer;
    writer.integer(value);
    Reader reader(writer.bytes());
    EXPECT_EQ(reader.integer().value(), value);
  }
}

TEST(DerIntegers, RefuseWhatIsEmptyPaddedOrTooLarge) {
  for (const char* digits : {"0200", "02020001", "0202ffff", "0209010000000000000000"}) {
    const Bytes input = hex(digits);
    EXPECT_FALSE(Reader(input).integer()) << digits;
  }
  const Bytes large = hex("020900ffffffffffffffff");
  EXPECT_EQ(to_hex(Reader(large).big_integer().value()), "00ffffffffffffffff");
}

TEST(DerIntegers, AMagnitudeIsNeverWrittenAsNegative) {
  Writer writer;
  writer.unsigned_integer(hex("0000ff"));
  writer.unsigned_integer({});
  writer.unsigned_integer(hex("007f"));
  EXPECT_EQ(to_hex(writer.bytes()),
            "020200ff"
            "020100"
            "02017f");
}

TEST(DerBooleans, AreOnlyZeroOrAllOnes) {
  const Bytes yes = hex("0101ff"), no = hex("010100"), one = hex("010101"), two = hex("0102ffff");
  EXPECT_TRUE(Reader(yes).boolean().value());
  EXPECT_FALSE(Reader(no).boolean().value());
  EXPECT_FALSE(Reader(one).boolean());
  EXPECT_FALSE(Reader(two).boolean());
}

TEST(DerBitStrings, RefuseStrayPadding) {
  for (const char* digits : {"0300", "030108", "030101", "03020801", "03020101", "030207ff"}) {
    const Bytes input = hex(digits);
    EXPECT_FALSE(Reader(input).bit_string()) << digits;
  }
  const Bytes good = hex("03020780");
  const auto bits = Reader(good).bit_string();
  ASSERT_TRUE(bits);
  EXPECT_EQ(bits->unused_bits, 7U);
  EXPECT_EQ(to_hex(bits->octets), "80");
}

TEST(DerBitStrings, KeepTrailingZeroOctets) {
  Writer writer;
  writer.bit_string(hex("aabbcc00"));
  EXPECT_EQ(to_hex(writer.bytes()), "030500aabbcc00");
}

TEST(DerBitStrings, NamedBitsAreCutAfterTheLastOne) {
  const auto written = [](std::uint64_t bits) {
    Writer writer;
    writer.named_bits(bits);
    return to_hex(writer.bytes());
  };
  EXPECT_EQ(written(0), "030100");
  EXPECT_EQ(written(1), "03020780");
  EXPECT_EQ(written(1 << 5 | 1 << 6), "03020106");
  EXPECT_EQ(written(1 << 8), "0303070080");
}

TEST(DerStrings, Utf8IsChecked) {
  for (const char* digits : {"0c0180", "0c02c080", "0c03eda080", "0c04f4908080", "0c02c3", "0c01ff",
                             "0c03e08080", "0c04f0808080"}) {
    const Bytes input = hex(digits);
    EXPECT_FALSE(Reader(input).utf8_string()) << digits;
  }
  Writer writer;
  writer.utf8_string("Zähler €𝄞");
  EXPECT_EQ(Reader(writer.bytes()).utf8_string().value(), "Zähler €𝄞");
}

std::optional<Time> generalized(std::string_view text) {
  Writer writer;
  writer.primitive(kGeneralizedTime, view_of(text));
  const auto time = Reader(writer.bytes()).generalized_time();
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<Time> utc(std::string_view text) {
  Writer writer;
  writer.primitive(kUtcTime, view_of(text));
  const auto time = Reader(writer.bytes()).utc_time();
  return time ? std::optional(*time) : std::nullopt;
}

TEST(DerTimes, GeneralizedTimeIsReadWithFractions) {
  EXPECT_EQ(generalized("20270601120000Z"), from_iso8601("2027-06-01T12:00:00Z"));
  EXPECT_EQ(generalized("20270601120000.25Z"),
            *from_iso8601("2027-06-01T12:00:00Z") + std::chrono::milliseconds(250));
  EXPECT_EQ(generalized("20240229000000Z"), from_iso8601("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(generalized("20270601120000.123456789Z"));
}

TEST(DerTimes, MalformedGeneralizedTimeIsRefused) {
  for (const char* text :
       {"", "Z", "20270601120000", "20270601120000+0100", "202706011200Z", "20270601120000.Z",
        "20270601120000.50Z", "20230229000000Z", "20271301000000Z", "20270600000000Z",
        "20270601240000Z", "20270601126000Z", "20270601120060Z", "2027060112000aZ",
        "20270601120000,5Z", " 0270601120000Z", "20270601120000ZZ"}) {
    EXPECT_FALSE(generalized(text)) << text;
  }
}

TEST(DerTimes, UtcTimeTurnsAtFifty) {
  EXPECT_EQ(utc("500101000000Z"), from_iso8601("1950-01-01T00:00:00Z"));
  EXPECT_EQ(utc("491231235959Z"), from_iso8601("2049-12-31T23:59:59Z"));
  for (const char* text : {"5001010000Z", "500101000000", "500101000000+0000", "500101000000.5Z"}) {
    EXPECT_FALSE(utc(text)) << text;
  }
}

TEST(DerTimes, CertificatesUseUtcTimeUpTo2049) {
  const auto written = [](const char* text) {
    Writer writer;
    writer.x509_time(*from_iso8601(text));
    return std::string(text_of(ByteView(writer.bytes()).subspan(2)));
  };
  EXPECT_EQ(written("2049-12-31T23:59:59Z"), "491231235959Z");
  EXPECT_EQ(written("2050-01-01T00:00:00Z"), "20500101000000Z");
  EXPECT_EQ(written("1950-01-01T00:00:00Z"), "500101000000Z");
  EXPECT_EQ(written("1949-12-31T23:59:59Z"), "19491231235959Z");
  EXPECT_EQ(written("9999-12-31T23:59:59Z"), "99991231235959Z");
}

TEST(DerWriter, LengthsAreMinimalAtEveryStep) {
  for (const std::size_t size :
       {0U, 1U, 126U, 127U, 128U, 129U, 254U, 255U, 256U, 257U, 65535U, 65536U, 70000U}) {
    const Bytes content(size, 0x55);
    Writer nested, plain;
    nested.constructed(kSequence, [&] { nested.octet_string(content); });
    plain.octet_string(content);
    Reader reader(nested.bytes());
    auto inside = reader.enter(kSequence);
    ASSERT_TRUE(inside && reader.finish()) << size;
    const auto element = inside->any();
    ASSERT_TRUE(element) << size;
    EXPECT_TRUE(equal(element->whole, plain.bytes()));
    EXPECT_EQ(element->content.size(), size);
  }
}

TEST(DerWriter, LengthsAreMinimalWhateverWasExpected) {
  constexpr std::size_t kSizes[] = {0, 1, 120, 130, 250, 260, 65'500, 65'540, 70'000};
  for (const auto size : kSizes) {
    const Bytes content(size, 0x55);
    Writer plain;
    plain.constructed(kSequence, [&] { plain.octet_string(content); });
    for (const auto expected : kSizes) {
      Writer writer;
      writer.constructed(kSequence, expected, [&] { writer.octet_string(content); });
      EXPECT_TRUE(equal(writer.bytes(), plain.bytes())) << size << " for " << expected;
    }
  }
}

TEST(DerWriter, AnElementIsExtendedAtItsEnd) {
  for (const std::size_t size : {0U, 1U, 120U, 126U, 250U, 254U, 65'530U, 70'000U}) {
    const Bytes content(size, 0x55);
    Writer short_one, whole;
    short_one.constructed(kSequence, [&] { short_one.octet_string(content); });
    whole.constructed(kSequence, [&] {
      whole.octet_string(content);
      whole.integer(7);
    });
    const auto extended =
        Writer::extended(short_one.bytes(), [](Writer& writer) { writer.integer(7); });
    EXPECT_TRUE(equal(extended, whole.bytes())) << size;
    const auto same = Writer::extended(short_one.bytes(), [](Writer&) {});
    EXPECT_TRUE(equal(same, short_one.bytes())) << size;
  }
}

TEST(DerReader, NoPrefixOfACertificateIsAnElement) {
  const auto certificate = golden_certificate("leaf");
  for (std::size_t size = 0; size < certificate.der().size(); ++size) {
    Reader reader(certificate.der().first(size));
    EXPECT_FALSE(reader.any()) << size;
  }
}

}  // namespace
}  // namespace cmpost::der
