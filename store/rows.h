// Statements with parameters by value and columns in order: nothing is numbered, and nothing has to
// be reset by hand. All SQL that is not put together by ListQuery comes through here.
//   one(connection, "SELECT a, b FROM t WHERE c = ?", read, c)
//   change(connection, "UPDATE t SET a = ? WHERE b = ?", a, b)
// Parameters: integers, bool, text, octets, Time; std::optional of these, where nullopt is NULL;
// tuples and ranges of these, which take one place for each of their members. They are not copied.
// `read` and `visit` take all columns of a Row&, unless they fail; other statements may run
// meanwhile, the same one may not. Too few or too many of either are a CHECK failure.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/connection.h"

namespace cmpost {

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;
template <typename T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};

// A row of a statement that is being run.
class Row {
 public:
  explicit Row(const Statement& statement) : statement_(statement), size_(statement.columns()) {}

  // The next column; NULL is nullopt of a std::optional, and zero or empty of anything else. Views
  // (std::string_view, ByteView) live as long as the row. Octets of another size than that of a
  // std::array leave it zero.
  template <typename T>
  T next() {
    if constexpr (kIsOptional<T>) {
      CHECK(column_ < size_);
      if (!statement_.is_null(column_)) return next<typename T::value_type>();
      ++column_;
      return std::nullopt;
    } else if constexpr (std::same_as<T, Time>) {
      return from_unix_micros(statement_.integer(take()));
    } else if constexpr (std::same_as<T, bool>) {
      return statement_.integer(take()) != 0;
    } else if constexpr (std::integral<T>) {
      return static_cast<T>(statement_.integer(take()));
    } else if constexpr (std::same_as<T, std::string_view> || std::same_as<T, std::string>) {
      return T(statement_.text(take()));
    } else {
      return octets<T>(statement_.blob(take()));
    }
  }
  // The next ones, each as what it is for.
  template <typename... T>
  void into(T&... targets) {
    ((targets = next<T>()), ...);
  }

  bool is_read() const { return column_ == size_; }

 private:
  int take() {
    CHECK(column_ < size_);
    return column_++;
  }
  template <typename T>
  static T octets(ByteView blob) {
    if constexpr (std::same_as<T, ByteView>) {
      return blob;
    } else if constexpr (std::same_as<T, Bytes>) {
      return to_bytes(blob);
    } else {
      static_assert(std::same_as<typename T::value_type, std::uint8_t> && TupleLike<T>);
      T fixed{};
      if (blob.size() == fixed.size()) std::ranges::copy(blob, fixed.begin());
      return fixed;
    }
  }

  const Statement& statement_;
  const int size_;
  int column_ = 0;
};

// To read a row of one column. No views: the row is gone then.
template <typename T>
T column(Row& row) {
  static_assert(!std::same_as<T, std::string_view> && !std::same_as<T, ByteView>);
  return row.next<T>();
}

// The same of several columns.
template <typename... T>
std::tuple<T...> columns(Row& row) {
  return std::tuple<T...>{column<T>(row)...};
}

// Gives a statement its parameters from the first to the last.
class Parameters {
 public:
  template <typename... Args>
  static void bind(Statement& statement, const Args&... args) {
    Parameters all(statement);
    (all.add(args), ...);
    CHECK(all.index_ == statement.parameters());
  }

 private:
  explicit Parameters(Statement& statement) : statement_(statement) {}

  template <typename T>
  void add(const T& value) {
    if constexpr (std::same_as<T, std::nullopt_t>) {
      statement_.bind_null(++index_);
    } else if constexpr (kIsOptional<T>) {
      value ? add(*value) : add(std::nullopt);
    } else if constexpr (kIsVariant<T>) {
      std::visit([this](const auto& held) { add(held); }, value);
    } else if constexpr (std::same_as<T, Time>) {
      statement_.bind(++index_, to_unix_micros(value));
    } else if constexpr (std::integral<T>) {
      statement_.bind(++index_, static_cast<std::int64_t>(value));
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      statement_.bind(++index_, std::string_view(value));
    } else if constexpr (std::convertible_to<const T&, ByteView>) {
      statement_.bind(++index_, ByteView(value));
    } else if constexpr (TupleLike<T>) {
      std::apply([this](const auto&... members) { (add(members), ...); }, value);
    } else {
      static_assert(std::ranges::range<T>, "a database cannot keep this");
      static_assert(std::is_lvalue_reference_v<std::ranges::range_reference_t<const T>>,
                    "what is bound has to stay");
      for (const auto& member : value) add(member);
    }
  }

  Statement& statement_;
  int index_ = 0;
};

// A statement while it is run; in the end it keeps no lock and none of what was bound.
class RunningStatement {
 public:
  explicit RunningStatement(Statement& statement) : statement_(statement) {
    CHECK(!statement.in_use_);
    statement.in_use_ = true;
  }
  ~RunningStatement() {
    statement_.in_use_ = false;
    statement_.reset();
  }
  RunningStatement(const RunningStatement&) = delete;
  RunningStatement& operator=(const RunningStatement&) = delete;

 private:
  Statement& statement_;
};

// What is left when the failure is taken away.
template <typename T>
std::type_identity<T> succeeded(std::type_identity<T>);
template <typename T>
std::type_identity<T> succeeded(std::type_identity<Result<T>>);
template <typename Read>
using Given =
    typename decltype(succeeded(std::type_identity<std::invoke_result_t<Read&, Row&>>()))::type;

// What `read` gives for the current row.
template <typename Read>
Result<Given<Read>> read_row(const Statement& statement, Read& read) {
  Row row(statement);
  Result<Given<Read>> value = std::invoke(read, row);
  CHECK(!value || row.is_read());
  return value;
}

// Calls `visit` for each row. It gives nothing or a Result<void>, of which a failure ends this; or
// a bool, of which false ends this.
template <typename Visit, typename... Args>
Result<void> each(Connection& connection, std::string_view sql, Visit&& visit,
                  const Args&... args) {
  using Visited = std::invoke_result_t<Visit&, Row&>;
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  const RunningStatement running(*statement);
  Parameters::bind(*statement, args...);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement->step());
    if (!found) return {};
    Row row(*statement);
    if constexpr (std::is_void_v<Visited>) {
      std::invoke(visit, row);
    } else if constexpr (std::same_as<Visited, bool>) {
      if (!std::invoke(visit, row)) return {};
    } else {
      TRY(std::invoke(visit, row));
    }
    CHECK(row.is_read());
  }
}

// What `read` makes of the first row, a T or Result<T>; nullopt when there is none.
template <typename Read, typename... Args>
Result<std::optional<Given<Read>>> one(Connection& connection, std::string_view sql, Read&& read,
                                       const Args&... args) {
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  const RunningStatement running(*statement);
  Parameters::bind(*statement, args...);
  ASSIGN_OR_RETURN(const bool found, statement->step());
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(auto value, read_row(*statement, read));
  return std::optional<Given<Read>>(std::in_place, std::move(value));
}

// The same of a statement that always has a row, as count(*) has.
template <typename Read, typename... Args>
Result<Given<Read>> only(Connection& connection, std::string_view sql, Read&& read,
                         const Args&... args) {
  ASSIGN_OR_RETURN(auto found, one(connection, sql, std::forward<Read>(read), args...));
  CHECK(found.has_value());
  return *std::move(found);
}

// What `read` makes of all rows.
template <typename Read, typename... Args>
Result<std::vector<Given<Read>>> all(Connection& connection, std::string_view sql, Read&& read,
                                     const Args&... args) {
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  const RunningStatement running(*statement);
  Parameters::bind(*statement, args...);
  std::vector<Given<Read>> values;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, statement->step());
    if (!found) return values;
    ASSIGN_OR_RETURN(auto value, read_row(*statement, read));
    values.push_back(std::move(value));
  }
}

// The rows of a statement at the pace of the caller, who holds two lists against each other; what
// `read` makes of each. The parameters outlive it.
template <typename Read>
class Cursor {
 public:
  using Value = Given<Read>;

  // On the first row.
  template <typename... Args>
  static Result<Cursor> open(Connection& connection, std::string_view sql, Read read,
                             const Args&... args) {
    ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
    Cursor cursor(*statement, std::move(read));
    Parameters::bind(*statement, args...);
    TRY(cursor.step());
    return cursor;
  }

  bool is_there() const { return value_.has_value(); }
  const Value& operator*() const { return *value_; }
  const Value* operator->() const { return &*value_; }
  Result<void> next() {
    CHECK(is_there());
    return step();
  }

 private:
  Cursor(Statement& statement, Read read)
      : statement_(&statement),
        running_(std::make_unique<RunningStatement>(statement)),
        read_(std::move(read)) {}

  Result<void> step() {
    value_.reset();
    ASSIGN_OR_RETURN(const bool found, statement_->step());
    if (!found) return {};
    ASSIGN_OR_RETURN(value_, read_row(*statement_, read_));
    return {};
  }

  Statement* statement_;
  std::unique_ptr<RunningStatement> running_;
  Read read_;
  std::optional<Value> value_;
};

// Whether there is a row.
template <typename... Args>
Result<bool> any(Connection& connection, std::string_view sql, const Args&... args) {
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  const RunningStatement running(*statement);
  Parameters::bind(*statement, args...);
  return statement->step();
}

// Runs what gives no rows; how many it has changed.
template <typename... Args>
Result<std::int64_t> change(Connection& connection, std::string_view sql, const Args&... args) {
  ASSIGN_OR_RETURN(auto* const statement, connection.statement(sql));
  const RunningStatement running(*statement);
  Parameters::bind(*statement, args...);
  return statement->execute();
}

}  // namespace cmpost
