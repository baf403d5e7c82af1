// A SELECT of a listing: put together from what somebody wants to see, its rows handed over one by
// one, so that millions of them take no memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "store/rows.h"

namespace cmpost {

// What somebody wants to see; what is empty leaves nothing out.
struct ListFilter {
  std::optional<Time> since{}, until{};  // until: not that moment itself
  std::string channel{}, state{};        // exactly
  std::string profile{}, event{};        // exactly
  std::string but_state{};               // not these
  // A part of it, in ASCII without case.
  std::string subject{}, requester{}, source{}, reason{};
  std::optional<Time> expires_before{};
  std::string sort{};          // a name of ListColumns::sorts; empty: in the order of the rows
  bool newest = false;         // the other way round
  std::int64_t after_row = 0;  // only rows with a larger number
  std::optional<std::size_t> limit{};
  std::size_t offset = 0;
};

// The SQL expressions that a listing has for them; nullptr: it has none, and the filter's field
// must be empty.
struct ListColumns {
  const char* row = "id";  // unique and ascending with time
  const char* time = nullptr;
  const char* channel = nullptr;
  const char* state = nullptr;
  const char* profile = nullptr;
  const char* event = nullptr;
  const char* subject = nullptr;
  const char* requester = nullptr;
  const char* source = nullptr;
  const char* reason = nullptr;
  const char* expires = nullptr;
  std::vector<std::pair<std::string, std::string>> sorts{};  // name, expression
};

// What contains the text, for LIKE ? ESCAPE '\'.
std::string pattern_containing(std::string_view text);

class ListQuery {
 public:
  using Value = std::variant<std::int64_t, std::string, Bytes>;

  // "SELECT columns FROM from".
  ListQuery(std::string columns, std::string from)
      : columns_(std::move(columns)), from_(std::move(from)) {}
  // With the conditions, the order and the cut of a filter.
  ListQuery(std::string columns, std::string from, const ListColumns& where,
            const ListFilter& filter);

  // A condition with one `?` for each value.
  void require(std::string condition, std::vector<Value> values = {});
  void require_part(const char* column, std::string_view text);
  // That a BLOB begins with these hexadecimal digits, of which there may be an odd number.
  void require_beginning(const char* column, std::string_view digits);

  // Until `row` gives an Error. Other statements of the connection may run meanwhile.
  Result<void> for_each(Connection& connection, const std::function<Result<void>(Row&)>& row) const;
  // The same; how many match, whatever limit and offset say. That is counted on the way where the
  // end was reached, so that a long table is looked at once.
  Result<std::int64_t> for_each_counted(Connection& connection,
                                        const std::function<Result<void>(Row&)>& row) const;
  // For whoever wants to go on by himself. The query outlives it.
  template <typename Read>
  Result<Cursor<Read>> cursor(Connection& connection, Read read) const {
    return Cursor<Read>::open(connection, select(), std::move(read), values_);
  }
  // All that match, whatever limit and offset say.
  Result<std::int64_t> count(Connection& connection) const;

 private:
  std::string conditions() const;
  std::string select() const;

  std::string columns_, from_, order_;
  std::vector<std::string> conditions_;
  std::vector<Value> values_;
  std::optional<std::size_t> limit_;
  std::size_t offset_ = 0;
};

// Lower case, without the colons that may be between them; nullopt when there is anything else, or
// nothing.
std::optional<std::string> hex_digits(std::string_view text);

}  // namespace cmpost
