#include "store/list_query.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;

class ListQueryTest : public ::testing::Test {
 protected:
  ListQueryTest() {
    connection_ = *open_database("sqlite:a.db", directory_.path(), OpenMode::create);
    EXPECT_THAT(connection_->execute(
                    "CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER, channel TEXT, name TEXT);"
                    "INSERT INTO t VALUES (1, 1000000, 'drop', 'a%b'), (2, 2000000, 'mail', 'c'),"
                    "(3, 3000000, 'drop', 'ABC'), (4, 4000000, 'mail', 'a_d')"),
                IsOk());
    columns_.time = "at";
    columns_.channel = "channel";
    columns_.subject = "name";
    columns_.sorts = {{"name", "name"}};
  }

  std::vector<std::int64_t> ids(const ListFilter& filter) {
    std::vector<std::int64_t> found;
    const ListQuery query("id", "t", columns_, filter);
    EXPECT_THAT(query.for_each(*connection_,
                               [&](Row& row) -> Result<void> {
                                 found.push_back(row.next<std::int64_t>());
                                 return {};
                               }),
                IsOk());
    return found;
  }
  std::int64_t count(const ListFilter& filter) {
    return *ListQuery("id", "t", columns_, filter).count(*connection_);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Connection> connection_;
  ListColumns columns_;
};

TEST_F(ListQueryTest, WithoutWishesAllRowsComeInTheirOrder) {
  EXPECT_THAT(ids({}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ids({.newest = true}), ElementsAre(4, 3, 2, 1));
}

TEST_F(ListQueryTest, FiltersAreJoinedByAnd) {
  EXPECT_THAT(ids({.channel = "drop"}), ElementsAre(1, 3));
  EXPECT_THAT(ids({.since = from_unix_micros(2000000), .until = from_unix_micros(4000000)}),
              ElementsAre(2, 3));
  EXPECT_THAT(ids({.channel = "mail", .subject = "c"}), ElementsAre(2));
}

TEST_F(ListQueryTest, APartOfATextIsNoPattern) {
  EXPECT_THAT(ids({.subject = "%"}), ElementsAre(1));
  EXPECT_THAT(ids({.subject = "_"}), ElementsAre(4));
  EXPECT_THAT(ids({.subject = "abc"}), ElementsAre(3));
}

TEST_F(ListQueryTest, WhatIsCutOffIsCounted) {
  EXPECT_THAT(ids({.limit = 1, .offset = 1}), ElementsAre(2));
  EXPECT_THAT(ids({.offset = 3}), ElementsAre(4));
  EXPECT_THAT(ids({.limit = 0}), ElementsAre());
  EXPECT_EQ(count({.channel = "mail", .limit = 1, .offset = 1}), 2);
}

TEST_F(ListQueryTest, SortsByAnotherColumn) {
  EXPECT_THAT(ids({.sort = "name", .newest = true}), ElementsAre(2, 4, 1, 3));
}

TEST_F(ListQueryTest, FindsWhatBeginsWithSomeDigits) {
  EXPECT_THAT(connection_->execute("CREATE TABLE b (id INTEGER PRIMARY KEY, key BLOB);"
                                   "INSERT INTO b VALUES (1, x'0a1b'), (2, x'0a1c00'), (3, x'0b'),"
                                   "(4, x'ffff'), (5, x'fe'), (6, x'')"),
              IsOk());
  const auto beginning = [&](std::string_view digits) {
    ListQuery query("id", "b", {}, {});
    query.require_beginning("key", digits);
    std::vector<std::int64_t> found;
    EXPECT_THAT(query.for_each(*connection_,
                               [&](Row& row) -> Result<void> {
                                 found.push_back(row.next<std::int64_t>());
                                 return {};
                               }),
                IsOk());
    return found;
  };
  EXPECT_THAT(beginning("0"), ElementsAre(1, 2, 3));
  EXPECT_THAT(beginning("0a"), ElementsAre(1, 2));
  EXPECT_THAT(beginning("0a1"), ElementsAre(1, 2));
  EXPECT_THAT(beginning("0a1c"), ElementsAre(2));
  EXPECT_THAT(beginning("f"), ElementsAre(4, 5));
  EXPECT_THAT(beginning("ff"), ElementsAre(4));
  EXPECT_THAT(beginning("1"), ElementsAre());
}

TEST_F(ListQueryTest, HexadecimalDigitsMayHaveColons) {
  EXPECT_EQ(hex_digits("0A:1b"), "0a1b");
  EXPECT_EQ(hex_digits("dev1.pki"), std::nullopt);
  EXPECT_EQ(hex_digits(""), std::nullopt);
}

TEST_F(ListQueryTest, AnErrorOfTheReaderEndsIt) {
  const ListQuery query("id", "t");
  int seen = 0;
  const auto one = [&](Row&) -> Result<void> {
    ++seen;
    return hold("enough");
  };
  EXPECT_FALSE(query.for_each(*connection_, one));
  EXPECT_EQ(seen, 1);
  EXPECT_THAT(ids({}), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace cmpost
