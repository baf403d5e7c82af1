#include "carrier/batch_manifest.h"

#include "carrier/batch_name.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

BatchManifest sample() {
  BatchManifest manifest;
  manifest.stream = "0f1e2d3c4b5a6978";
  manifest.number = 17;
  manifest.previous = sha256(view_of("sixteen"));
  manifest.created = *from_iso8601("2026-11-21T08:00:00Z");
  manifest.files = {{"dev1.ip.pki", 3, sha256(view_of("one"))},
                    {"two words.pki", 0, sha256(view_of(""))}};
  return manifest;
}

std::string sealed(std::string body) {
  return body + "end: " + to_hex(sha256(view_of(body))) + "\n";
}

TEST(BatchManifest, IsReadAsItWasWritten) {
  const auto text = format(sample());
  EXPECT_EQ(parse_batch_manifest(view_of(text)).value(), sample());
  BatchManifest empty = sample();
  empty.files.clear();
  EXPECT_EQ(parse_batch_manifest(view_of(format(empty))).value(), empty);
}

TEST(BatchManifest, EveryCutAndEveryFlippedBitShows) {
  const auto text = format(sample());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_batch_manifest(view_of(text.substr(0, size)))) << size;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(parse_batch_manifest(view_of(damaged))) << at;
  }
  EXPECT_FALSE(parse_batch_manifest(view_of(text + "\n")));
}

TEST(BatchManifest, WhatIsWellSealedMustBeRightToo) {
  const auto text = format(sample());
  const auto body = text.substr(0, text.rfind("end: "));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = body;
    changed.replace(changed.find(from), from.size(), to);
    return parse_batch_manifest(view_of(sealed(changed)));
  };
  EXPECT_TRUE(with("number: 17", "number: 18"));
  for (const auto* number : {"0", "017", "-1", "99999999999", "x"}) {
    EXPECT_THAT(with("number: 17", "number: " + std::string(number)), Fails(HasSubstr("number")));
  }
  EXPECT_THAT(with("files: 2", "files: 3"), Fails(HasSubstr("does not list all")));
  EXPECT_THAT(with("files: 2", "files: 1"), Fails(HasSubstr("line")));
  EXPECT_THAT(with("files: 2", "files: 2001"), Fails(HasSubstr("too many")));
  EXPECT_THAT(with("two words.pki", "../x"), Fails(HasSubstr("line")));
  EXPECT_THAT(with("two words.pki", "dev1.ip.pki"), Fails(HasSubstr("twice")));
  EXPECT_THAT(with(" 3 dev1", " 67108865 dev1"), Fails(HasSubstr("line")));
  EXPECT_THAT(with("stream: 0f", "stream: 0F"), Fails(HasSubstr("stream")));
}

TEST(BatchName, IsReadAsItWasWritten) {
  const BatchName manifest{"0f1e2d3c4b5a6978", 17, 2, ""};
  EXPECT_EQ(manifest.text(), "0f1e2d3c4b5a6978-0000000017-2.manifest");
  EXPECT_EQ(BatchName::parse(manifest.text()), manifest);
  const BatchName part{"0f1e2d3c4b5a6978", 9'999'999'999, 9999, "-a.manifest"};
  EXPECT_EQ(BatchName::parse(part.text()), part);
  for (const auto* text :
       {"", "dev1.pki", "0f1e2d3c4b5a6978-0000000017-2", "0f1e2d3c4b5a6978-0000000017-2-",
        "0f1e2d3c4b5a6978-0000000017-02.manifest", "0f1e2d3c4b5a6978-0000000000-1.manifest",
        "0F1e2d3c4b5a6978-0000000017-2.manifest", "0f1e2d3c4b5a6978-0000000017-2.manifests",
        "0f1e2d3c4b5a6978-0000000017-10000.manifest", "0f1e2d3c4b5a6978_0000000017-2.manifest"}) {
    EXPECT_FALSE(BatchName::parse(text)) << text;
  }
}

}  // namespace
}  // namespace cmpost
