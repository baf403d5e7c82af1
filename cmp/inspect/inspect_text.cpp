#include "cmp/inspect/inspect.h"
#include "cmp/inspect/inspect_facts.h"

namespace cmpost {
namespace {

using inspect::Facts;

constexpr std::size_t kMaxHexDigits = 64;

std::string short_hex(const Bytes& octets) {
  const auto hex = to_hex(octets);
  if (hex.size() <= kMaxHexDigits) return hex;
  return hex.substr(0, kMaxHexDigits) + "... (" + std::to_string(octets.size()) + " octets)";
}

std::string scalar(const Facts& fact) {
  if (fact.is_string()) return fact.get<std::string>();
  if (fact.is_binary()) return short_hex(fact.get_binary());
  if (fact.is_boolean()) return fact.get<bool>() ? "yes" : "no";
  return fact.dump();
}

void write_lines(std::string& out, const Facts& facts, std::size_t depth);

void write_line(std::string& out, const std::string& name, const Facts& fact, std::size_t depth) {
  out.append(2 * depth, ' ').append(name);
  if (fact.is_structured()) {
    out += fact.empty() ? ": none\n" : "\n";
    return write_lines(out, fact, depth + 1);
  }
  out.append(": ").append(scalar(fact)).append("\n");
}

// The depth is that of our own tree, which no input can change.
void write_lines(std::string& out, const Facts& facts, std::size_t depth) {
  std::size_t number = 0;
  for (const auto& [name, fact] : facts.items()) {
    write_line(out, facts.is_array() ? "[" + std::to_string(number++) + "]" : name, fact, depth);
  }
}

// On one line, and nothing left out.
std::string in_a_row(const Facts& facts) {
  if (facts.is_binary()) return to_hex(facts.get_binary());
  if (!facts.is_structured()) return scalar(facts);
  std::string row;
  for (const auto& [name, fact] : facts.items()) {
    row += row.empty() ? "" : ", ";
    row += facts.is_array() ? in_a_row(fact) : name + ": " + in_a_row(fact);
  }
  return row;
}

}  // namespace

std::string inspect_extension(const Extension& extension) {
  return in_a_row(inspect::extension_value(extension.extnID, extension.extnValue));
}

std::string inspect_text(const PKIMessage& message) {
  std::string out;
  write_lines(out, inspect::message(message), 0);
  return out;
}

std::string inspect_certificate_text(ByteView der) {
  std::string out;
  write_lines(out, inspect::whole_certificate(der), 0);
  return out;
}

}  // namespace cmpost
