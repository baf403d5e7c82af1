#include "report/html_report.h"

#include "report/html_text.h"

namespace cmpost {

Result<void> print_html(const RunFacts&, const Headline& first, const RunItems&,
                        const ReportSink& put) {
  return put("<!DOCTYPE html>\n<meta charset=\"utf-8\">" + element("h1", "", html(first.sentence)) +
             html(first.because));
}

}  // namespace cmpost
