#include "asn1/der_form.h"

#include <gmock/gmock.h>

#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost::der_form {
namespace {

bool is_good(std::string_view text) { return der::check_form(from_hex(text).value()).has_value(); }

TEST(DerForm, WhatIsDerInsideIsTaken) {
  for (const auto* good : {"",
                           "0101ff",
                           "020100",
                           "0202ff7f",
                           "030207800500",
                           "0c03c3a462",
                           "1303412d62",
                           "12023120",
                           "1e0400640065",
                           "1c0400000041",
                           "140141",
                           "3106020101040100",
                           "3106020101020102",
                           "0603551d0e",
                           "170d3236303130313030303030305a",
                           "180f32303530303130313030303030305a",
                           "8000",
                           "a003020105",
                           "30053003020101",
                           "04033003ff"}) {
    EXPECT_TRUE(is_good(good)) << good;
  }
}

TEST(DerForm, WhatIsNoDerInsideIsFound) {
  for (const auto* bad : {"010101",
                          "01020000",
                          "0200",
                          "02020001",
                          "0202ffff",
                          "0a020001",
                          "030100ff",
                          "0300",
                          "030108",
                          "03020701",
                          "0500ff",
                          "0e0161",
                          "090100",
                          "070161",
                          "1d0161",
                          "2803020100",
                          "30030e0161",
                          "050100",
                          "0600",
                          "06028001",
                          "0603550481",
                          "0c01ff",
                          "0c02c080",
                          "0c03eda080",
                          "0c0100",
                          "130140",
                          "13012a",
                          "13015f",
                          "130126",
                          "120161",
                          "160180",
                          "160100",
                          "1a0100",
                          "1a017f",
                          "14011b",
                          "1e0100",
                          "1e02d800",
                          "1e02ffff",
                          "1e02fdd0",
                          "1e020000",
                          "1c03000041",
                          "1c0400110000",
                          "1c040000d800",
                          "3106020102020101",
                          "3106020101020101",
                          "3105040100020101",
                          "1706323630313031",
                          "170d3236303133323030303030305a",
                          "3003010101",
                          "180f32303530313330313030303030305a",
                          "18113230353030313031303030303030 2e305a",
                          "3003010101",
                          "a00301010101",
                          "30820001",
                          "1f8101",
                          "0980",
                          "2403040101",
                          "308000"}) {
    const auto octets = from_hex(bad);
    if (!octets) continue;
    EXPECT_FALSE(der::check_form(*octets)) << bad;
  }
}

TEST(DerForm, NestingHasAnEnd) {
  Bytes nested;
  for (int depth = 0; depth < 40; ++depth) {
    der::Writer writer;
    writer.constructed(der::kSequence, [&] { writer.raw(nested); });
    nested = std::move(writer).take();
  }
  EXPECT_FALSE(der::check_form(nested));
}

TEST(DerForm, ArcsAreReadableBelow28Bits) {
  EXPECT_TRUE(der::has_readable_arcs(Oid("1.2.268435455")));
  EXPECT_FALSE(der::has_readable_arcs(Oid("1.2.268435456")));
  EXPECT_FALSE(der::has_readable_arcs(Oid("2.25.329800735698586629295641978511506172918")));
  EXPECT_FALSE(der::has_readable_arcs(Oid("2.4294967296.1")));
}

}  // namespace
}  // namespace cmpost::der_form
