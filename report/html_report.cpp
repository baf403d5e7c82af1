#include "report/html_report.h"

#include "base/bytes.h"
#include "report/html_auditor.h"
#include "report/html_charts.h"
#include "report/html_first.h"
#include "report/html_items.h"
#include "report/html_text.h"
#include "report/page_style.h"
#include "report/words.h"

namespace cmpost {
namespace {

// The policy is for what an escaper might miss: nothing runs and nothing is fetched.
std::string beginning(const RunFacts& facts, const Headline& first) {
  const auto title = "Run " + printable(facts.name, 80) + " " + std::to_string(facts.number) +
                     ", " + day_of(facts.started) + ": " + std::string(to_string(first.light));
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n" +
         element("title", "", html(title)) + element("style", "", page_style()) +
         "</head>\n<body>\n" + std::string(page_patterns());
}

std::string pictures(const RunFacts& facts) {
  return results_section(facts) + reasons_section(facts) + hours_section(facts) +
         channels_section(facts) + runs_section(facts) + expiring_section(facts);
}

}  // namespace

Result<void> print_html(const RunFacts& facts, const Headline& first, const RunItems& items,
                        const ReportSink& put) {
  TRY(put(beginning(facts, first) + first_screen(facts, first) + pictures(facts)));
  TRY(print_item_table(items, put));
  return put(auditor_section(facts) + "</body></html>\n");
}

}  // namespace cmpost
