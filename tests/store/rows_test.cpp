#include "store/rows.h"

#include <gmock/gmock.h>

#include "tests/store/sqlite_file.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

using Digest = std::array<std::uint8_t, 3>;

class Rows : public SqliteFile {
 protected:
  void SetUp() override {
    connection_ = open_with_table();
    EXPECT_THAT(change(*connection_, "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)"),
                IsOkAnd(3));
  }
  // A statement that still reads keeps others from taking in the whole log.
  bool nobody_reads() {
    const auto other = open();
    EXPECT_THAT(other->execute("INSERT INTO t (b) VALUES ('more')"), IsOk());
    return other->checkpoint().value();
  }

  std::unique_ptr<Connection> connection_;
};

constexpr const char* kNumbers = "SELECT a FROM t ORDER BY a";
using Numbers = Cursor<std::int64_t (*)(Row&)>;

TEST_F(Rows, GiveColumnsInOrderAsWhatTheyAreFor) {
  const Bytes octets = {0, 1, 255};
  const Digest digest = {7, 8, 9};
  const auto time = from_unix_micros(1'234'567);
  struct Values {
    std::int64_t number{};
    std::size_t size{};
    bool yes{}, no = true;
    std::string text;
    Bytes octets;
    Digest digest{};
    Time time{};
  };
  const auto read = [](Row& row) {
    Values values;
    row.into(values.number, values.size, values.yes, values.no, values.text);
    values.octets = to_bytes(row.next<ByteView>());
    EXPECT_EQ(row.next<std::string_view>(), "view");
    row.into(values.digest, values.time);
    return values;
  };
  const auto values =
      only(*connection_, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", read, -5, std::size_t{6}, true, false,
           "text", octets, std::string("view"), digest, time);
  ASSERT_THAT(values, IsOk());
  EXPECT_EQ(values->number, -5);
  EXPECT_EQ(values->size, 6u);
  EXPECT_TRUE(values->yes);
  EXPECT_FALSE(values->no);
  EXPECT_EQ(values->text, "text");
  EXPECT_EQ(values->octets, octets);
  EXPECT_EQ(values->digest, digest);
  EXPECT_EQ(values->time, time);
}

TEST_F(Rows, ACursorGoesOnWhenItsCallerDoes) {
  {
    auto numbers = std::move(Numbers::open(*connection_, kNumbers, column<std::int64_t>).value());
    EXPECT_EQ(*numbers, 1);
    EXPECT_THAT(numbers.next(), IsOk());
    EXPECT_EQ(*numbers, 2);
    EXPECT_THAT(any(*connection_, "SELECT 1 FROM t WHERE a = 1"), IsOkAnd(true));
    EXPECT_FALSE(nobody_reads());
  }
  EXPECT_TRUE(nobody_reads());
}

TEST_F(Rows, ACursorEndsWithItsRows) {
  auto numbers = std::move(
      Numbers::open(*connection_, "SELECT a FROM t WHERE a > ?", column<std::int64_t>, 2).value());
  EXPECT_TRUE(numbers.is_there());
  EXPECT_THAT(numbers.next(), IsOk());
  EXPECT_FALSE(numbers.is_there());
}

TEST_F(Rows, OctetsOfAnotherSizeLeaveAnArrayZero) {
  EXPECT_THAT(only(*connection_, "SELECT x'0102'", column<Digest>), IsOkAnd(Digest{}));
}

TEST_F(Rows, NullIsNulloptBothWays) {
  using Text = std::optional<std::string>;
  const std::optional<Time> never, once = from_unix_micros(3);
  const auto read = [](Row& row) {
    EXPECT_EQ(row.next<std::optional<Time>>(), std::nullopt);
    EXPECT_EQ(row.next<std::optional<Time>>(), from_unix_micros(3));
    EXPECT_EQ(row.next<std::optional<std::int64_t>>(), std::nullopt);
    EXPECT_EQ(row.next<std::int64_t>(), 0);
    EXPECT_EQ(row.next<Bytes>(), Bytes());
    return row.next<Text>();
  };
  EXPECT_THAT(only(*connection_, "SELECT ?, ?, ?, ?, ?, ?", read, never, once, std::nullopt,
                   std::optional<std::string_view>(), std::optional<Bytes>(), Text("")),
              IsOkAnd(Text("")));
}

TEST_F(Rows, AreOneOrNoneOrAll) {
  EXPECT_THAT(one(*connection_, "SELECT b FROM t WHERE a = ?", column<std::string>, 2),
              IsOkAnd(Optional(std::string("two"))));
  EXPECT_THAT(one(*connection_, "SELECT b FROM t WHERE a = ?", column<std::string>, 9),
              IsOkAnd(std::nullopt));
  EXPECT_THAT(all(*connection_, kNumbers, column<int>), IsOkAnd(ElementsAre(1, 2, 3)));
  EXPECT_THAT(one(*connection_, "SELECT b, a FROM t WHERE a = 1", columns<std::string, int>),
              IsOkAnd(Optional(std::tuple("one", 1))));
  EXPECT_THAT(all(*connection_, "SELECT a FROM t WHERE a > ?", column<int>, 9), IsOkAnd(IsEmpty()));
  EXPECT_THAT(any(*connection_, "SELECT 1 FROM t WHERE b = ?", "two"), IsOkAnd(true));
  EXPECT_THAT(any(*connection_, "SELECT 1 FROM t WHERE b = ?", "four"), IsOkAnd(false));
}

TEST_F(Rows, AnAnswerMayBeNoOrNothing) {
  EXPECT_THAT(only(*connection_, "SELECT EXISTS (SELECT 1 FROM t WHERE a = 9)", column<bool>),
              IsOkAnd(false));
  EXPECT_THAT(only(*connection_, "SELECT max(a) FROM t WHERE a > 9", column<std::optional<int>>),
              IsOkAnd(std::nullopt));
  EXPECT_THAT(one(*connection_, "SELECT b FROM t WHERE a = 3", column<std::optional<int>>),
              IsOkAnd(Optional(std::optional<int>())));
}

TEST_F(Rows, AVisitEndsWhereItIsTold) {
  std::vector<int> seen;
  EXPECT_THAT(each(*connection_, kNumbers, [&](Row& row) { seen.push_back(row.next<int>()); }),
              IsOk());
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  seen.clear();
  const auto until_two = [&](Row& row) { return seen.emplace_back(row.next<int>()) != 2; };
  EXPECT_THAT(each(*connection_, kNumbers, until_two), IsOk());
  EXPECT_THAT(seen, ElementsAre(1, 2));
  const auto fails = [&](Row& row) -> Result<void> {
    seen.push_back(row.next<int>());
    return hold("enough");
  };
  EXPECT_THAT(each(*connection_, kNumbers, fails), Fails(HasSubstr("enough")));
  EXPECT_THAT(seen, ElementsAre(1, 2, 1));
  EXPECT_TRUE(nobody_reads());
}

TEST_F(Rows, AFailureToReadLeavesNoLock) {
  const auto fails = [](Row&) -> Result<int> { return hold("unreadable"); };
  EXPECT_THAT(one(*connection_, kNumbers, fails), Fails(HasSubstr("unreadable")));
  EXPECT_TRUE(nobody_reads());
  EXPECT_THAT(all(*connection_, kNumbers, fails), Fails(HasSubstr("unreadable")));
  EXPECT_TRUE(nobody_reads());
  EXPECT_THAT(one(*connection_, kNumbers, column<int>), IsOk());
  EXPECT_THAT(any(*connection_, kNumbers), IsOk());
  EXPECT_TRUE(nobody_reads());
}

TEST_F(Rows, TuplesAndRangesAreParametersOneAfterTheOther) {
  const std::string text = "text";
  const std::vector<std::variant<std::int64_t, std::string>> values = {std::int64_t{4}, "four"};
  const std::array<std::optional<std::string_view>, 2> names = {"a", std::nullopt};
  const auto read = [](Row& row) {
    EXPECT_EQ(row.next<int>(), 1);
    EXPECT_EQ(row.next<std::string>(), "text");
    EXPECT_EQ(row.next<int>(), 4);
    EXPECT_EQ(row.next<std::string>(), "four");
    EXPECT_EQ(row.next<std::string>(), "a");
    EXPECT_EQ(row.next<std::optional<std::string>>(), std::nullopt);
    return row.next<int>();
  };
  EXPECT_THAT(
      only(*connection_, "SELECT ?, ?, ?, ?, ?, ?, ?", read, std::tuple(1, text), values, names, 9),
      IsOkAnd(9));
}

TEST_F(Rows, CountWhatWasChanged) {
  EXPECT_THAT(change(*connection_, "UPDATE t SET b = ? WHERE a < ?", std::nullopt, 3), IsOkAnd(2));
  EXPECT_THAT(change(*connection_, "DELETE FROM t WHERE a = ?", 9), IsOkAnd(0));
  EXPECT_THAT(change(*connection_, "INSERT INTO t VALUES (?, ?)", 1, "again"),
              Fails(HasSubstr("UNIQUE")));
  EXPECT_THAT(change(*connection_, "INSERT INTO t VALUES (?, ?)", 4, "four"), IsOkAnd(1));
}

TEST_F(Rows, OtherStatementsRunWhileTheyAreVisited) {
  std::vector<std::pair<int, std::string>> seen;
  const auto visit = [&](Row& row) -> Result<void> {
    const auto number = row.next<int>();
    ASSIGN_OR_RETURN(const auto text,
                     one(*connection_, "SELECT b FROM t WHERE a = ?", column<std::string>, number));
    seen.emplace_back(number, text.value_or("none"));
    TRY(change(*connection_, "UPDATE t SET b = 'seen' WHERE a = ?", number));
    return {};
  };
  EXPECT_THAT(each(*connection_, kNumbers, visit), IsOk());
  EXPECT_THAT(seen, ElementsAre(Pair(1, "one"), Pair(2, "two"), Pair(3, "")));
}

using RowsDeathTest = Rows;

TEST_F(RowsDeathTest, TheSameStatementDoesNotRunWithinItself) {
  const auto again = [&](Row& row) {
    row.next<int>();
    EXPECT_THAT(any(*connection_, kNumbers), IsOk());
  };
  EXPECT_DEATH((void)each(*connection_, kNumbers, again), "CHECK failed: !statement.in_use_");
}

TEST_F(RowsDeathTest, TooFewOrTooManyParametersAreAMistake) {
  EXPECT_DEATH((void)any(*connection_, "SELECT ?, ?", 1), "CHECK failed: .*parameters");
  EXPECT_DEATH((void)any(*connection_, "SELECT ?", 1, 2), "CHECK failed");
  EXPECT_DEATH((void)change(*connection_, "DELETE FROM t WHERE a = ?"), "CHECK failed");
}

TEST_F(RowsDeathTest, TooFewOrTooManyColumnsAreAMistake) {
  const auto none = [](Row&) { return 0; };
  const auto two = [](Row& row) { return row.next<int>() + row.next<int>(); };
  EXPECT_DEATH((void)one(*connection_, kNumbers, none), "CHECK failed: .*is_read");
  EXPECT_DEATH((void)all(*connection_, kNumbers, two), "CHECK failed: column_ < size_");
  EXPECT_DEATH((void)each(*connection_, kNumbers, [](Row&) {}), "CHECK failed: .*is_read");
}

}  // namespace
}  // namespace cmpost
