#include "app/terminal/row_sink.h"

#include <nlohmann/json.hpp>

namespace cmpost {

void RowSink::add(const std::function<std::vector<std::string>()>& cells,
                  const std::function<nlohmann::json()>& object) {
  ++count_;
  if (is_table()) return table_.add(cells());
  const auto text = object().dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (form_ == ListForm::json_lines) return print_line(text);
  print_line((count_ == 1 ? "[" : ",") + text);
}

void RowSink::finish(std::int64_t left, bool shown_otherwise) {
  if (form_ == ListForm::json_array) print_line(count_ == 0 ? "[]" : "]");
  if (is_table() && (count_ > 0 || (left <= 0 && !shown_otherwise))) table_.print(nothing_);
  if (left <= 0) return;
  const auto more = "... and " + in_groups(left) + " more: --limit, --offset";
  is_table() ? print_line(more) : print_warning(more);
}

std::string in_groups(std::int64_t number) {
  auto digits = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<std::size_t>(place), " ");
  }
  return digits;
}

}  // namespace cmpost
