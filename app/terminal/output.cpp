#include "app/terminal/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/terminal/terminal.h"
#include "base/bytes.h"

namespace cmpost {

namespace {

constexpr std::size_t kRowsToMeasure = 1000;
constexpr std::size_t kLongestCell = 4000;

}  // namespace

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = printable(cell, kLongestCell);
  if (!widths_.empty()) return print_row(row);
  rows_.push_back(std::move(row));
  if (rows_.size() == kRowsToMeasure) begin();
}

void Table::begin() {
  for (const auto& title : header_) widths_.push_back(title.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], columns_of(row[i]));
    }
  }
  if (const auto columns = terminal_columns()) widths_ = fitted(std::move(widths_), *columns);
  print_row(header_);
  for (const auto& row : rows_) print_row(row);
  rows_.clear();
}

void Table::print_row(const std::vector<std::string>& cells) const {
  const bool cut = terminal_columns().has_value();
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto cell = cut ? fitted(cells[i], widths_[i]) : cells[i];
    text += cell;
    const auto columns = columns_of(cell);
    if (i + 1 < cells.size()) {
      text.append(widths_[i] - std::min(widths_[i], columns) + 2, ' ');
    }
  }
  print_line(text);
}

void Table::print(std::string_view nothing) {
  if (!widths_.empty()) return;
  if (rows_.empty()) return print_line(nothing);
  begin();
}

namespace {

ErrorForm error_form = ErrorForm::text;
int lost_by = 0;  // errno of the first write to standard output that failed

// Line ends and tabulators are ours: what comes from outside has gone through printable() before it
// is put between them. Here is the net below that.
void print_text(std::FILE* target, std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\n\t"), text.size());
    line += printable(text.substr(0, end), std::string::npos);
    if (end < text.size()) line += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  line += '\n';
  const auto put = std::fwrite(line.data(), 1, line.size(), target);
  if (put < line.size() && target == stdout && lost_by == 0) lost_by = errno;
}

void print_json_error(const nlohmann::json& value) {
  print_text(stderr, value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void print_line(std::string_view text) { print_text(stdout, text); }

std::optional<Error> find_lost_output() {
  if (std::fflush(stdout) != 0 && lost_by == 0) lost_by = errno;
  if (std::ferror(stdout) == 0 && lost_by == 0) return std::nullopt;
  auto error = errno_error("writing to", "standard output", lost_by == 0 ? EIO : lost_by);
  error.hint = "what is printed is not whole; what the command was to change is changed";
  if (lost_by == ENOSPC) error.hint = "make room where it goes; " + error.hint;
  lost_by = 0;
  std::clearerr(stdout);
  return error;
}

void print_warning(std::string_view text) { print_text(stderr, text); }

// ASCII: what a terminal must not get is \uNNNN, and any reader of JSON has the characters.
void print_json(const nlohmann::json& value) {
  print_line(value.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
}

void print_complaint(const Complaint& complaint) {
  if (error_form == ErrorForm::text) return print_warning(to_string(complaint));
  print_json_error({{"error", printable(complaint.message, 2000)},
                    {"hint", printable(complaint.hint, 2000)},
                    {"place", printable(place_of(complaint), 2000)}});
}

void print_errors_as(ErrorForm form) { error_form = form; }

void print_error(const Error& error) {
  if (error_form == ErrorForm::json) {
    return print_json_error(
        {{"error", printable(error.what, 2000)}, {"hint", printable(error.hint, 2000)}});
  }
  std::fprintf(stderr, "cmpost: %s\n", printable(error.what, 2000).c_str());
  if (!error.hint.empty())
    std::fprintf(stderr, "        %s\n", printable(error.hint, 2000).c_str());
}

std::string in_words(Duration duration) {
  using namespace std::chrono;
  const auto value = duration < Duration::zero() ? -duration : duration;
  const auto spell = [](auto count, const char* unit) {
    return std::to_string(count.count()) + " " + unit;
  };
  if (value >= days(2)) return spell(duration_cast<days>(value), "d");
  if (value >= hours(2)) return spell(duration_cast<hours>(value), "h");
  if (value >= minutes(2)) return spell(duration_cast<minutes>(value), "min");
  return spell(duration_cast<seconds>(value), "s");
}

}  // namespace cmpost
