// Where the rows of every list go: a table for people, JSON for programs. Rows are printed as they
// come, so that a list of millions takes no memory, and none ends without a word.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/terminal/output.h"

namespace cmpost {

enum class ListForm {
  table,
  json_array,
  json_lines  // one object a line
};

class RowSink {
 public:
  // `nothing` is what a table says that has no rows.
  RowSink(std::vector<std::string> titles, ListForm form, std::string nothing)
      : form_(form), nothing_(std::move(nothing)), table_(std::move(titles)) {}

  bool is_table() const { return form_ == ListForm::table; }
  // Of the two only what is asked for is made.
  void add(const std::function<std::vector<std::string>()>& cells,
           const std::function<nlohmann::json()>& object);
  // `left`: how many more match. Programs are told on standard error.
  // `nothing` is not said where the rows were printed in another way.
  void finish(std::int64_t left, bool shown_otherwise = false);

 private:
  ListForm form_;
  std::string nothing_;
  Table table_;
  std::size_t count_ = 0;
};

// "4 821"
std::string in_groups(std::int64_t number);

}  // namespace cmpost
