// A list out of a spreadsheet, row by row.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace cmpost {

struct CsvLimits {
  std::size_t row = 64 * 1024;  // octets of one row, with its line breaks in quotes
  std::size_t columns = 64;
};

struct CsvRow {
  std::size_t line = 0;            // where it begins; the line of the columns is 1
  std::vector<std::string> cells;  // as many as there are columns
  std::string fault;               // what is wrong with this row alone; empty: nothing
};

// RFC 4180 in UTF-8, with or without a byte order mark and carriage returns. Cells are separated by
// what stands first between the names of the columns: comma, semicolon or tab. Blanks around a cell
// that has no quotes are dropped, empty rows are skipped, cells that are missing at the end of a
// row are empty. The apostrophe that csv_line() puts before a formula is taken away again.
//
// Reads a row at a time, and never more of it than the limits say. For one thread.
class CsvReader {
 public:
  // Reads the names of the columns; borrows the stream. Errors: nothing there, a column without a
  // name, two of one name, a limit.
  static Result<CsvReader> open(std::istream& in, CsvLimits limits = {});

  const std::vector<std::string>& columns() const { return columns_; }

  // nullopt at the end. What is wrong with one row is its `fault`; an error is what nothing after
  // it can be read for: quotes that never close, a limit, the stream.
  Result<std::optional<CsvRow>> next();

 private:
  CsvReader(std::istream& in, CsvLimits limits) : in_(&in), limits_(limits) {}
  Result<void> read_columns();
  // The cells of one row; nullopt when the stream is at its end before one begins.
  Result<std::optional<CsvRow>> read_row();

  std::istream* in_;
  CsvLimits limits_;
  char separator_ = ',';
  std::size_t line_ = 1;  // where the next row begins
  std::vector<std::string> columns_;
};

}  // namespace cmpost
