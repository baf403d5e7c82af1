#include "report/csv_report.h"

#include "base/csv.h"
#include "base/joined.h"

namespace cmpost {
namespace {

std::string line_of(const RunFacts& facts, const RunItem& item) {
  const std::vector<std::string> texts = {to_iso8601(item.at),
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
  return std::to_string(facts.number) + ',' + csv_line(texts);
}

}  // namespace

Result<void> print_csv(const RunFacts& facts, const RunItems& items, const ReportSink& put) {
  TRY(
      put("run,at,result,channel,source,transactionID,body,requester,subject,serials,profile,"
          "reason\r\n"));
  return items([&](const RunItem& item) { return put(line_of(facts, item)); });
}

}  // namespace cmpost
