// One pass, one character at a time: a cell in quotes may hold separators and line breaks, so that
// neither lines nor separators can be looked for first.
#include "base/csv_reader.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/csv.h"

namespace cmpost {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();

std::string at_line(std::size_t line) { return "line " + std::to_string(line) + ": "; }

void drop_blanks_at_end(std::string& cell) {
  while (!cell.empty() && cell.back() == ' ') cell.pop_back();
}

// The characters of one row, counted against its limit.
class RowInput {
 public:
  RowInput(std::istream& in, std::size_t limit) : in_(in), room_(limit) {}

  int peek() { return in_.peek(); }
  int take() {
    const int c = in_.get();
    if (c == kEnd) return kEnd;
    if (c == '\n') ++breaks_;
    too_long_ = too_long_ || room_ == 0;
    if (room_ > 0) --room_;
    return c;
  }
  // Takes a line feed, a carriage return or both; false: there is something else.
  bool take_line_break() {
    if (peek() == '\r') {
      take();
      if (peek() != '\n') ++breaks_;
    } else if (peek() != '\n') {
      return false;
    }
    if (peek() == '\n') take();
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ') take();
  }

  bool too_long() const { return too_long_; }
  std::size_t breaks() const { return breaks_; }

 private:
  std::istream& in_;
  std::size_t room_;
  std::size_t breaks_ = 0;
  bool too_long_ = false;
};

bool ends_cell(int c, char separator) {
  return c == kEnd || c == '\r' || c == '\n' || c == separator;
}

struct Cell {
  std::string text;
  bool closed = true;     // its quotes are
  bool trailing = false;  // something stands behind them
};

Cell quoted_cell(RowInput& in, char separator) {
  Cell cell;
  in.take();
  for (;;) {
    const int c = in.take();
    if (c == kEnd || in.too_long()) {
      cell.closed = false;
      return cell;
    }
    if (c != '"') {
      cell.text += static_cast<char>(c);
    } else if (in.peek() == '"') {
      cell.text += static_cast<char>(in.take());
    } else {
      break;
    }
  }
  in.skip_blanks();
  for (; !ends_cell(in.peek(), separator) && !in.too_long(); in.take()) cell.trailing = true;
  return cell;
}

Cell plain_cell(RowInput& in, char separator) {
  Cell cell;
  while (!ends_cell(in.peek(), separator) && !in.too_long()) {
    cell.text += static_cast<char>(in.take());
  }
  drop_blanks_at_end(cell.text);
  return cell;
}

Cell next_cell(RowInput& in, char separator) {
  in.skip_blanks();
  Cell cell = in.peek() == '"' ? quoted_cell(in, separator) : plain_cell(in, separator);
  cell.text = without_apostrophes(cell.text);
  return cell;
}

// The columns have no line breaks: what separates is found in their line.
char separator_of(std::string_view columns) {
  bool in_quotes = false;
  for (const char c : columns) {
    if (c == '"') in_quotes = !in_quotes;
    if (!in_quotes && (c == ',' || c == ';' || c == '\t')) return c;
  }
  return ',';
}

bool is_empty(const CsvRow& row) {
  return row.fault.empty() && std::ranges::all_of(row.cells, &std::string::empty);
}

void hold_against(CsvRow& row, std::size_t columns) {
  const auto surplus = [&] {
    return std::any_of(row.cells.begin() + static_cast<std::ptrdiff_t>(columns), row.cells.end(),
                       [](const std::string& cell) { return !cell.empty(); });
  };
  if (row.cells.size() > columns && surplus()) {
    row.fault = "has " + std::to_string(row.cells.size()) + " cells for " +
                std::to_string(columns) + " columns";
  }
  row.cells.resize(columns);
  if (!std::ranges::all_of(row.cells, &is_utf8)) row.fault = "is not UTF-8";
}

}  // namespace

Result<CsvReader> CsvReader::open(std::istream& in, CsvLimits limits) {
  CsvReader reader(in, limits);
  TRY(reader.read_columns());
  return reader;
}

Result<void> CsvReader::read_columns() {
  std::string line;
  for (int c = in_->peek(); c != kEnd && c != '\n' && c != '\r'; c = in_->peek()) {
    if (line.size() == limits_.row) return hold("line 1: longer than one row may be");
    line += static_cast<char>(in_->get());
  }
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  separator_ = separator_of(line);
  std::istringstream text(line);
  RowInput in(text, limits_.row);
  for (;;) {
    Cell cell = next_cell(in, separator_);
    if (cell.text.empty() || !cell.closed || cell.trailing || !is_utf8(cell.text)) {
      return hold("line 1: column " + std::to_string(columns_.size() + 1) + " has no name",
                  "the first line names the columns");
    }
    if (std::ranges::find(columns_, cell.text) != columns_.end()) {
      return hold("line 1: two columns are named " + printable(cell.text));
    }
    columns_.push_back(std::move(cell.text));
    if (columns_.size() > limits_.columns) return hold("line 1: too many columns");
    if (in.peek() == kEnd) break;
    in.take();
  }
  RowInput end(*in_, 2);
  if (end.take_line_break()) ++line_;
  return {};
}

Result<std::optional<CsvRow>> CsvReader::next() {
  for (;;) {
    ASSIGN_OR_RETURN(auto row, read_row());
    if (!row || !is_empty(*row)) return row;
  }
}

Result<std::optional<CsvRow>> CsvReader::read_row() {
  if (in_->peek() == kEnd) {
    if (in_->bad()) return hold(at_line(line_) + "cannot be read");
    return std::nullopt;
  }
  CsvRow row{line_, {}, {}};
  RowInput in(*in_, limits_.row);
  for (bool more = true; more;) {
    Cell cell = next_cell(in, separator_);
    if (in.too_long()) {
      return hold(at_line(row.line) + "longer than one row may be",
                  "quotes that are not closed, perhaps");
    }
    if (!cell.closed) return hold(at_line(row.line) + "quotes are not closed");
    if (cell.trailing) row.fault = "has something behind closing quotes";
    row.cells.push_back(std::move(cell.text));
    if (row.cells.size() > 2 * limits_.columns) return hold(at_line(row.line) + "too many cells");
    more = in.peek() == separator_;
    if (more) in.take();
  }
  in.take_line_break();
  line_ += in.breaks();
  if (row.fault.empty()) hold_against(row, columns_.size());
  row.cells.resize(columns_.size());
  return row;
}

}  // namespace cmpost
