#include "report/csv_report.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/joined.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestCell = 4000;
constexpr std::array<std::string_view, 8> kFormulaStarts = {"=",  "+",  "-",  "@",
                                                            "＝", "＋", "－", "＠"};

bool begins_formula(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return std::ranges::any_of(kFormulaStarts,
                             [&](std::string_view start) { return text.starts_with(start); });
}

std::string line_of(const RunFacts& facts, const RunItem& item) {
  const std::array<std::string, 11> texts = {to_iso8601(item.at),
                                             std::string(to_string(item.result)),
                                             item.channel,
                                             item.source,
                                             item.transactionID,
                                             item.body,
                                             item.requester,
                                             item.subject,
                                             joined(item.serials, " "),
                                             item.profile,
                                             item.reason};
  auto line = std::to_string(facts.number);
  for (const auto& text : texts) line += "," + csv_text(text);
  return line + "\r\n";
}

}  // namespace

std::string csv_text(std::string_view text) {
  const auto plain = printable(text, kLongestCell);
  std::string cell = begins_formula(plain) ? "\"'" : "\"";
  for (std::size_t i = 0; i < plain.size(); ++i) {
    cell += plain[i];
    if (plain[i] == '"') cell += '"';
    if (plain[i] == ';' && begins_formula(std::string_view(plain).substr(i + 1))) cell += '\'';
  }
  return cell + "\"";
}

Result<void> print_csv(const RunFacts& facts, const RunItems& items, const ReportSink& put) {
  TRY(
      put("run,at,result,channel,source,transactionID,body,requester,subject,serials,profile,"
          "reason\r\n"));
  return items([&](const RunItem& item) { return put(line_of(facts, item)); });
}

}  // namespace cmpost
