#include "cmp/direction.h"

#include <gtest/gtest.h>

#include "tests/cmp/samples.h"

namespace cmpost {
namespace {

Bytes message(const PKIBody& body) {
  return encode(encode_protected_part(sample_header(), body), std::nullopt, {});
}
Bytes nested(std::vector<Bytes> members) { return message(body::nested{std::move(members)}); }

TEST(Direction, EachBodyHasOne) {
  const std::set<std::string_view> responses = {"ip", "cp",  "popdecc", "kup",  "krp",
                                                "rp", "ccp", "pkiconf", "genp", "pollRep"};
  const std::set<std::string_view> announcements = {"ckuann", "cann", "rann", "crlann"};
  for (std::size_t tag = 0; tag < std::variant_size_v<PKIBody>; ++tag) {
    const auto name = body_name(tag);
    const auto expected = responses.contains(name)       ? MessageDirection::response
                          : announcements.contains(name) ? MessageDirection::announcement
                          : name == "error"              ? MessageDirection::error
                                                         : MessageDirection::request;
    EXPECT_EQ(direction_of(tag), expected) << name;
  }
}

TEST(Direction, NothingIsAskedByWhatIsNoRequestInAnyWrapping) {
  const auto request = message(body::genm{});
  for (const auto& body : sample_bodies()) {
    if (std::holds_alternative<body::nested>(body)) continue;
    const bool asks = direction_of(body) == MessageDirection::request;
    const auto plain = message(body);
    EXPECT_EQ(asks_for_nothing(plain), !asks) << body_name(body);
    EXPECT_EQ(asks_for_nothing(nested({plain})), !asks) << body_name(body);
    EXPECT_EQ(asks_for_nothing(nested({nested({plain, plain}), plain})), !asks) << body_name(body);
    EXPECT_FALSE(asks_for_nothing(nested({plain, request}))) << body_name(body);
  }
}

TEST(Direction, WhatIsNoMessageMayBeARequestThatWasDamaged) {
  EXPECT_FALSE(asks_for_nothing({}));
  EXPECT_FALSE(asks_for_nothing(hex("3000")));
  EXPECT_FALSE(asks_for_nothing(nested({})));
  EXPECT_FALSE(asks_for_nothing(nested({hex("3000")})));
}

TEST(Direction, DeeperThanAnybodyNestsIsNoRequest) {
  auto deep = message(body::genm{});
  for (int i = 0; i < 100; ++i) deep = nested({deep});
  EXPECT_TRUE(asks_for_nothing(deep));
}

}  // namespace
}  // namespace cmpost
