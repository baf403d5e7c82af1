#include "carrier/bundle_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carrier/manifest_text.h"

namespace cmpost {
namespace {

using testing::HasSubstr;

BundleManifest example() {
  BundleManifest manifest;
  manifest.stream = "0f1e2d3c4b5a6978";
  manifest.number = 17;
  manifest.previous = sha256(view_of("16"));
  manifest.created = *from_iso8601("2026-11-21T08:00:00Z");
  manifest.from = "gateway-north";
  manifest.to = "vault";
  manifest.purpose = BundlePurpose::requests;
  manifest.received["77aa000000000011"] = *NumberRanges::parse("1-15,17");
  manifest.given_up["77aa000000000011"] = *NumberRanges::parse("16");
  manifest.files = {{"0001.pki", 5, sha256(view_of("hello")), BundleFileKind::requests},
                    {"grid.crl", 3, sha256(view_of("crl")), BundleFileKind::crl},
                    {"a report.html", 0, sha256({}), BundleFileKind::report}};
  return manifest;
}

// With a checksum that fits.
Result<BundleManifest> parse_changed(const std::string& from, const std::string& to) {
  auto text = format(example());
  text.resize(text.rfind("end: "));
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return parse_bundle_manifest(view_of(with_checksum(std::move(text))));
}

TEST(BundleManifest, IsReadAsItWasWritten) {
  const auto read = parse_bundle_manifest(view_of(format(example())));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, example());
}

TEST(BundleManifest, OfOneThatIsSealedIsReadToo) {
  auto stub = example();
  stub.from = stub.to = kHiddenParty;
  stub.sealed = {"ab01", "cd02"};
  stub.received.clear();
  stub.given_up.clear();
  stub.files = {{"0000.p7m", 7, sha256(view_of("x")), BundleFileKind::sealed}};
  const auto read = parse_bundle_manifest(view_of(format(stub)));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, stub);
}

TEST(BundleManifest, HasOneSpelling) {
  for (const auto& [from, to] : {
           std::pair("received: 77aa000000000011 1-15,17", "received: 77aa000000000011 17,1-15"),
           std::pair("received: 77aa000000000011 1-15,17", "received: 77aa000000000011 "),
           std::pair("purpose: requests", "purpose: something"),
           std::pair("sealed: no", "sealed: "),
           std::pair("sealed: no", "sealed: ab01 "),
           std::pair("sealed: no", "sealed: AB"),
           std::pair("created: 2026-11-21T08:00:00Z", "created: 2026-11-21T08:00:00.5Z"),
           std::pair("from: gateway-north", "from: gateway north"),
           std::pair("from: gateway-north", "from: -"),
           std::pair("to: vault", "to: "),
           std::pair("number: 17", "number: 017"),
           std::pair("files: 3", "files: 2"),
           std::pair("files: 3", "files: 2001"),
           std::pair(" requests 0001.pki", " wishes 0001.pki"),
           std::pair(" requests 0001.pki", " sealed 0001.pki"),
           std::pair(" requests 0001.pki", " requests ../0001.pki"),
           std::pair(" requests 0001.pki", " requests manifest.p7s"),
           std::pair(" requests 0001.pki", " requests grid.crl"),
           std::pair(" 5 requests", " 67108865 requests"),
       }) {
    EXPECT_FALSE(parse_changed(from, to)) << to;
  }
  EXPECT_TRUE(parse_changed("number: 17", "number: 18"));
}

TEST(BundleManifest, ThatIsTooLargeIsNotRead) {
  const auto read = parse_bundle_manifest(Bytes(kLargestManifest + 1));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("too large"));
}

TEST(BundleManifest, ThatWasChangedOrCutOffIsRefused) {
  const auto text = format(example());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_bundle_manifest(view_of(changed))) << i;
    EXPECT_FALSE(parse_bundle_manifest(view_of(text.substr(0, i)))) << i;
  }
}

TEST(BundleManifest, OfManyStreamsIsRefused) {
  auto manifest = example();
  for (int i = 0; i < 16; ++i) {
    manifest.received["00000000000000" + std::to_string(10 + i)] = *NumberRanges::parse("1");
  }
  EXPECT_FALSE(parse_bundle_manifest(view_of(format(manifest))));
}

TEST(BundleManifest, IsNoManifestOfABatch) {
  EXPECT_FALSE(parse_batch_manifest(view_of(format(example()))));
  EXPECT_FALSE(parse_bundle_manifest(view_of(format(place_of(example())))));
}

}  // namespace
}  // namespace cmpost
