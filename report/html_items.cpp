#include "report/html_items.h"

#include <algorithm>
#include <initializer_list>

#include "report/html_report.h"
#include "report/html_results.h"
#include "report/html_text.h"
#include "report/words.h"

namespace cmpost {
namespace {

std::string lines_of(std::initializer_list<std::string> texts) {
  std::string out;
  for (const auto& text : texts) {
    if (!text.empty()) out += (out.empty() ? "" : "<br>") + text;
  }
  return out;
}

std::string tid_of(const RunItem& item) {
  if (item.transactionID.empty()) return {};
  return "<span class=\"hash\">" + foreign(item.transactionID) + "</span>";
}

std::string certificates_of_item(const RunItem& item) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, item.serials.size()); ++i) {
    out += "<br><span class=\"hash\">" + foreign(item.serials[i]) + "</span>";
  }
  if (item.serials.size() > kShown)
    out += "<br>and " + html_number(item.serials.size() - kShown) + " more";
  return out;
}

std::string row_of(const RunItem& item) {
  const auto kind = item.body.empty() ? std::string() : " (" + foreign(item.body) + ")";
  const auto time = html(day_of(item.at) + ", " + hour_of(item.at));
  return element(
      "tr", "",
      labelled_cell("Result", result_label(item.result) + kind) +
          labelled_cell("For", foreign(item.subject) + certificates_of_item(item)) +
          labelled_cell("Reason", foreign(item.reason, 500)) +
          labelled_cell("Asked by", lines_of({foreign(item.requester), foreign(item.channel),
                                              foreign(item.source)})) +
          labelled_cell("Time, TID", lines_of({time, tid_of(item)})));
}

// Puts rows until there are enough, and counts the others.
class ItemTable {
 public:
  explicit ItemTable(const ReportSink& put) : put_(put) {}

  Result<void> add(const RunItem& item) {
    if (rows_ == kItemsOnPage) {
      ++left_out_;
      return {};
    }
    if (rows_++ == 0) TRY(put_(beginning()));
    return put_(row_of(item));
  }
  Result<void> end() const {
    if (rows_ == 0) return put_(element("p", "", "There are none."));
    TRY(put_("</table>\n"));
    if (left_out_ == 0) return {};
    return put_(element("p", "",
                        "<b>" + html(count_of(left_out_, "more request")) +
                            " did not get all that was asked for.</b> The rest stands in "
                            "report.csv."));
  }

 private:
  static std::string beginning() {
    return "<table class=\"cards items\"><thead><tr><th>Result</th><th>For</th><th>Reason</th>"
           "<th>Asked by, came by</th><th>Time (UTC), TID</th></tr></thead>\n";
  }

  const ReportSink& put_;
  std::uint64_t rows_ = 0, left_out_ = 0;
};

}  // namespace

Result<void> print_item_table(const RunItems& items, const ReportSink& put) {
  TRY(put(element("h2", "", "Requests that did not get all they asked for") +
          element("p", "class=\"dim\"",
                  "Every request, also those that were granted, stands in report.csv. TID is the "
                  "number of the conversation: <code>cmpost explain TID</code> says more.")));
  ItemTable table(put);
  TRY(items([&](const RunItem& item) -> Result<void> {
    const bool shown = item.result != ItemResult::granted && item.result != ItemResult::changed;
    return shown ? table.add(item) : Result<void>{};
  }));
  TRY(items([&](const RunItem& item) -> Result<void> {
    return item.result == ItemResult::changed ? table.add(item) : Result<void>{};
  }));
  return table.end();
}

}  // namespace cmpost
