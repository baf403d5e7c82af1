#include "report/html_charts.h"

#include <algorithm>

#include "base/joined.h"
#include "report/failure_words.h"
#include "report/headline.h"
#include "report/html_results.h"
#include "report/html_text.h"
#include "report/svg_chart.h"
#include "report/words.h"

namespace cmpost {
namespace {

constexpr std::size_t kReasons = 8;

std::string section(const std::string& heading, const std::string& inner) {
  return element("section", "class=\"figure\"", element("h2", "", heading) + inner);
}

std::string number_cell(std::uint64_t number) {
  return "<td class=\"n\">" + html_number(number) + "</td>";
}

std::string short_table(const std::string& heads, const std::string& rows) {
  return element("table", "class=\"short\"", "<thead><tr>" + heads + "</tr></thead>\n" + rows);
}

std::string result_row(ItemResult result, std::uint64_t number, std::uint64_t all) {
  return element("tr", "",
                 "<td>" + result_label(result) + "</td>" + number_cell(number) +
                     "<td class=\"n\">" + html(share_of(number, all)) + "</td>");
}

std::string in_digits(std::uint64_t number) { return html_number(number); }

struct Hours {
  std::vector<std::pair<Time, RunCounts>> each;
  std::size_t width = 1;  // hours in each
};

Hours few_hours(const RunFacts& facts) {
  Hours hours;
  hours.width = (facts.hours.size() + kHourColumns - 1) / kHourColumns;
  for (std::size_t i = 0; i < facts.hours.size(); ++i) {
    const auto& [from, counts] = facts.hours[i];
    if (i % hours.width == 0) hours.each.emplace_back(from, RunCounts{});
    for (std::size_t k = 0; k < kItemResults; ++k) hours.each.back().second.of[k] += counts.of[k];
  }
  return hours;
}

std::string title_of(const std::string& when, const RunCounts& counts) {
  std::string out = when + ": " + html(count_of(counts.total(), "request"));
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    if (counts[result] == 0) continue;
    out += "; " + html(result_words(result)) + ": " + html_number(counts[result]);
  }
  return out;
}

std::string hour_label(const Hours& hours, Time from) {
  return html(hours.width < 12 ? hour_of(from) : day_of(from).substr(0, day_of(from).size() - 5));
}

ColumnChart hours_chart(const Hours& hours) {
  ColumnChart chart{
      .described = "Requests by hour, in columns", .columns = {}, .in_words = in_digits};
  for (const auto& [from, counts] : hours.each) {
    chart.columns.push_back(
        {hour_label(hours, from), title_of(html(moment_of(from)), counts), parts_of(counts)});
  }
  return chart;
}

std::string busiest(const Hours& hours) {
  const auto total = [](const auto& hour) { return hour.second.total(); };
  const auto most = std::ranges::max_element(hours.each, {}, total);
  const auto lasting = hours.width == 1 ? std::string("Each column is one hour")
                                        : "Each column is " + count_of(hours.width, "hour");
  return element(
      "p", "",
      html(lasting + ", named by its beginning (UTC). The busiest began on " +
           moment_of(most->first) + ", with " + count_of(most->second.total(), "request") + "."));
}

// In plain words first; the name is for those who know CMP.
std::string reason_name(const std::string& name) {
  const auto words = failure_words(name);
  if (words.empty()) return foreign(name);
  return html(words) + "<br><span class=\"dim\">" + foreign(name) + "</span>";
}

std::string reason_row(const std::string& name, std::uint64_t number, std::uint64_t most) {
  return element("tr", "",
                 "<td>" + name + "</td>" + number_cell(number) + "<td class=\"wide\">" +
                     bar(number, most, "refused") + "</td>");
}

struct Rest {
  std::size_t reasons = 0;
  std::uint64_t number = 0;
};
Rest rest_of(const RunFacts& facts) {
  Rest rest;
  for (std::size_t i = kReasons; i < facts.reasons.size(); ++i) {
    ++rest.reasons;
    rest.number += facts.reasons[i].second;
  }
  return rest;
}

std::uint64_t most_of(const RunFacts& facts, const Rest& rest) {
  std::uint64_t most = rest.number;
  for (const auto& reason : facts.reasons) most = std::max(most, reason.second);
  return most;
}

std::string reason_rows(const RunFacts& facts) {
  const auto rest = rest_of(facts);
  const auto most = most_of(facts, rest);
  std::string rows;
  for (std::size_t i = 0; i < std::min(kReasons, facts.reasons.size()); ++i) {
    const auto& [name, number] = facts.reasons[i];
    rows += reason_row(reason_name(name), number, most);
  }
  if (rest.reasons == 0) return rows;
  return rows +
         reason_row(html("the rest: " + count_of(rest.reasons, "other reason")), rest.number, most);
}

std::vector<RunFacts::Past> runs_of(const RunFacts& facts) {
  auto runs = facts.before;
  runs.push_back({facts.number, facts.started, facts.end, with_unlisted(facts)});
  return runs;
}

// In hundredths of a percent, so that the scale has whole numbers.
std::uint64_t refusal_rate(const RunCounts& counts) {
  const auto all = counts.total();
  if (all == 0) return 0;
  const auto rate =
      static_cast<long double>(counts[ItemResult::refused]) * 10000 / static_cast<long double>(all);
  return static_cast<std::uint64_t>(rate);
}

std::string rate_words(std::uint64_t rate) {
  const auto rest = rate % 100;
  auto text = std::to_string(rate / 100);
  if (rest > 0)
    text += (rest < 10 ? ".0" : ".") + std::to_string(rest % 10 == 0 ? rest / 10 : rest);
  return text + "&nbsp;%";
}

std::string run_title(const RunFacts::Past& run) {
  const auto when = "Run " + std::to_string(run.number) + ", " + moment_of(run.started);
  const auto end = run.end == RunEnd::done ? "" : " (" + std::string(to_string(run.end)) + ")";
  return html(when + end);
}

ColumnChart runs_chart(const std::vector<RunFacts::Past>& runs) {
  ColumnChart chart{.described = "Requests of each run, in columns",
                    .columns = {},
                    .height = 130,
                    .in_words = in_digits};
  for (const auto& run : runs) {
    chart.columns.push_back(
        {std::to_string(run.number), title_of(run_title(run), run.counts), parts_of(run.counts)});
  }
  return chart;
}

ColumnChart rates_chart(const std::vector<RunFacts::Past>& runs) {
  ColumnChart chart{.described = "Refused of a hundred requests, of each run",
                    .columns = {},
                    .height = 60,
                    .in_words = rate_words};
  for (const auto& run : runs) {
    const auto rate = refusal_rate(run.counts);
    chart.columns.push_back({std::to_string(run.number),
                             run_title(run) + ": " + rate_words(rate),
                             {{"refused", rate}}});
  }
  return chart;
}

RunCounts sum_of(const std::vector<RunFacts::Past>& runs) {
  RunCounts sum;
  for (const auto& run : runs) {
    for (std::size_t i = 0; i < kItemResults; ++i) sum.of[i] += run.counts.of[i];
  }
  return sum;
}

std::string not_ended(const std::vector<RunFacts::Past>& runs) {
  std::vector<std::string> numbers;
  for (const auto& run : runs) {
    if (run.end != RunEnd::done) numbers.push_back(std::to_string(run.number));
  }
  return numbers.empty() ? "" : " Did not come to the end: run " + joined(numbers) + ".";
}

std::string rate_of(const RunCounts& counts) {
  const auto share = share_of(counts[ItemResult::refused], counts.total());
  return share.empty() ? "nothing, for there were no requests" : share;
}

std::string runs_in_words(const RunFacts& facts, const std::vector<RunFacts::Past>& runs) {
  return element("p", "",
                 html("Refused in this run: " + rate_of(with_unlisted(facts)) + "; in the " +
                      count_of(facts.before.size(), "run") +
                      " before: " + rate_of(sum_of(facts.before)) + "." + not_ended(runs)));
}

std::string month_row(const RunFacts& facts, std::size_t month, std::uint64_t most) {
  const auto number = facts.expiring[month];
  return element("tr", "",
                 "<td>" + html(month_of(month_after(facts.ended, static_cast<unsigned>(month)))) +
                     "</td>" + number_cell(number) + "<td class=\"wide\">" +
                     bar(number, most, "plain") + "</td>");
}

std::string channel_row(const RunFacts::Channel& channel) {
  auto out = labelled_cell("Channel", foreign(channel.name) + " <span class=\"dim\">" +
                                          foreign(channel.kind) + "</span>") +
             labelled_cell("Requests", html_number(channel.counts.total()), " class=\"n\"");
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    out += labelled_cell(result_words(result), html_number(channel.counts[result]), " class=\"n\"");
  }
  const auto state = channel.trouble.empty() ? std::string("no trouble")
                                             : "<b>trouble:</b> " + foreign(channel.trouble, 500);
  return element("tr", "", out + labelled_cell("State", state));
}

}  // namespace

std::string results_section(const RunFacts& facts) {
  const auto counts = with_unlisted(facts);
  const auto all = counts.total();
  if (all == 0) {
    return section("What came of the requests", element("p", "", "No request was worked on."));
  }
  std::string rows;
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    if (counts[result] > 0 || result == ItemResult::granted)
      rows += result_row(result, counts[result], all);
  }
  rows += element("tr", "",
                  "<th>All requests</th><th class=\"n\">" + html_number(all) + "</th><th></th>");
  return section(
      "What came of the requests",
      stacked_bar(parts_of(counts), "The shares of the results, as in the table below") +
          short_table("<th>Result</th><th class=\"n\">Requests</th><th class=\"n\">Share</th>",
                      rows));
}

std::string hours_section(const RunFacts& facts) {
  if (facts.hours.empty() || facts.counts.total() == 0) return {};
  const auto hours = few_hours(facts);
  return section("Hour by hour",
                 busiest(hours) + legend_of(facts.counts) + column_chart(hours_chart(hours)));
}

std::string reasons_section(const RunFacts& facts) {
  if (facts.reasons.empty()) return {};
  return section(
      "Why requests were refused",
      short_table("<th>Reason</th><th class=\"n\">Requests</th><th></th>", reason_rows(facts)));
}

std::string runs_section(const RunFacts& facts) {
  if (facts.before.empty()) return {};
  const auto runs = runs_of(facts);
  return section("The last " + count_of(runs.size(), "run"),
                 runs_in_words(facts, runs) + element("h3", "", "Requests in each run") +
                     legend_of(sum_of(runs)) + column_chart(runs_chart(runs)) +
                     element("h3", "", "Refused, of a hundred requests") +
                     column_chart(rates_chart(runs)));
}

std::string expiring_section(const RunFacts& facts) {
  std::uint64_t all = 0, most = 0;
  for (const auto number : facts.expiring) {
    all += number;
    most = std::max(most, number);
  }
  if (all == 0) return {};
  std::string rows;
  for (std::size_t i = 0; i < facts.expiring.size(); ++i) rows += month_row(facts, i, most);
  return section("Certificates that expire",
                 element("p", "",
                         html(count_of(all, "certificate") + (all == 1 ? " expires" : " expire") +
                              " within " + count_of(facts.expiring.size(), "month") +
                              ". A device that has not renewed by then is no longer believed.")) +
                     short_table("<th>Month</th><th class=\"n\">Certificates</th><th></th>", rows));
}

std::string channels_section(const RunFacts& facts) {
  if (facts.channels.empty()) return {};
  std::string rows;
  for (const auto& channel : facts.channels) rows += channel_row(channel);
  return section(
      "Channels: the ways in and out",
      element(
          "table", "class=\"cards\"",
          "<thead><tr><th>Channel</th><th class=\"n\">Requests</th><th class=\"n\">As asked</th>"
          "<th class=\"n\">Changed</th><th class=\"n\">In part</th><th class=\"n\">Waiting</th>"
          "<th class=\"n\">Refused</th><th class=\"n\">Held</th><th>State</th></tr></thead>\n" +
              rows));
}

}  // namespace cmpost
