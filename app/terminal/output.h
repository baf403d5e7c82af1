// What commands print: tables and sentences for people, JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/text/complaint.h"

namespace cmpost {

// Columns as wide as their widest cell, on a terminal as wide as that allows; cells are made
// printable. The first thousand rows decide on the widths, and what comes then is printed at once.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row);
  // What is not printed yet; `nothing` when there was no row.
  void print(std::string_view nothing);

 private:
  void begin();
  void print_row(const std::vector<std::string>& cells) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;  // empty: not known yet
};

// To standard output and to stderr. What may not be shown is escaped, line ends apart.
void print_line(std::string_view text);
void print_warning(std::string_view text);
// Why standard output took less than was printed; nullopt: it has taken all. Told once.
std::optional<Error> find_lost_output();
void print_json(const nlohmann::json& value);  // indented, text made valid UTF-8
// To standard error: "cmpost: what" and, on a line of its own, the hint; or a line of JSON.
void print_error(const Error& error);
// One of several that such an error sums up: as to_string() has it, or with its `place`.
void print_complaint(const Complaint& complaint);
enum class ErrorForm { text, json };
void print_errors_as(ErrorForm form);

// "3 d", "2 h", "5 min", "12 s", for ages and remaining times.
std::string in_words(Duration duration);

}  // namespace cmpost
