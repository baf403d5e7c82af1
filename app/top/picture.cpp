#include "app/top/picture.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/terminal/output.h"
#include "app/terminal/terminal.h"
#include "report/words.h"

namespace cmpost {
namespace {

std::string number(std::size_t value) { return grouped(value); }

// Columns side by side: the first to the left, numbers to the right.
std::string cell(const std::string& text, std::size_t width, bool to_the_right = true) {
  const auto shown = fitted(text, width);
  const std::string blanks(width - columns_of(shown), ' ');
  return to_the_right ? blanks + shown : shown + blanks;
}

std::string rate_text(const std::optional<double>& rate) {
  if (!rate) return "?";
  if (*rate >= 10) return number(static_cast<std::size_t>(std::lround(*rate)));
  const auto tenths = std::lround(*rate * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string age_of(const std::optional<Time>& oldest, Time now) {
  return oldest ? in_words(now - *oldest) : "-";
}

std::string queue_line(const std::string& name, const std::optional<QueueStatus>& queue,
                       const std::optional<double>& rate, Time now) {
  if (!queue) return cell(name, 10, false) + " cannot be looked at";
  const auto& counts = queue->counts;
  return cell(name, 10, false) + cell(number(counts.waiting), 10) + cell(number(counts.active), 8) +
         cell(number(counts.deferred), 10) + cell(number(counts.held), 7) +
         cell(number(counts.done), 12) + cell(rate_text(rate), 10) +
         cell(age_of(counts.oldest, now), 10);
}

std::string at_work(const WorkStatus& work) {
  std::string running;
  for (const auto& [stage, life] : work.stages) {
    if (life && life->running)
      running += (running.empty() ? "" : ", ") + std::string(to_string(stage));
  }
  return running.empty() ? "nobody is at work" : "at work: " + running;
}

std::string way_text(const ChannelStatus& channel, Way way, Time now) {
  const auto known = channel.ways.find(way);
  if (known == channel.ways.end()) return "not known";
  if (!known->second) return "never tried";
  const auto& state = *known->second;
  return std::string(to_string(state.condition)) + ", " + in_words(now - state.last_try) + " ago";
}

class Lines {
 public:
  Lines(std::size_t columns, std::size_t rows)
      : columns_(columns), rows_(std::max<std::size_t>(rows, 2)) {}

  void add(const std::string& line) { lines_.push_back(fitted(printable(line, 1000), columns_)); }

  std::vector<std::string> take() && {
    if (lines_.size() <= rows_) return std::move(lines_);
    const auto left = lines_.size() - rows_ + 1;
    lines_.resize(rows_ - 1);
    lines_.push_back(fitted("... " + number(left) + " more lines: `cmpost status`", columns_));
    return std::move(lines_);
  }

 private:
  const std::size_t columns_, rows_;
  std::vector<std::string> lines_;
};

void add_channels(const Glance& glance, Lines& lines) {
  lines.add(cell("channel", 18, false) + " " + cell("kind", 10, false) + cell("in", 20, false) +
            cell("out", 20, false) + cell("to send", 10));
  for (std::size_t i = 0; i < glance.kinds.size(); ++i) {
    const auto& [name, kind] = glance.kinds[i];
    const auto known = std::ranges::find(glance.work.channels, name, &ChannelStatus::name);
    const bool seen = known != glance.work.channels.end();
    lines.add(cell(name, 18, false) + " " + cell(kind, 10, false) +
              cell(seen ? way_text(*known, Way::in, glance.now) : "not known", 20, false) +
              cell(seen ? way_text(*known, Way::out, glance.now) : "not known", 20, false) +
              cell(i < glance.to_send.size() ? number(glance.to_send[i].second) : "?", 10));
  }
}

void add_transactions(const Glance& glance, const Rates& rates, Lines& lines) {
  if (glance.ageing && glance.undecided) {
    const auto& oldest = glance.ageing->oldest_waiting;
    lines.add("transactions: " + number(glance.ageing->waiting) + " wait" +
              (oldest ? " (oldest " + in_words(glance.now - *oldest) + ")" : "") + ", of these " +
              number(glance.undecided->undecided) + " for people; " + number(glance.ageing->open) +
              " not confirmed");
  }
  if (glance.certificates) {
    lines.add("certificates: " + number(static_cast<std::size_t>(*glance.certificates)) + ", " +
              rate_text(rates.certificates) + " a second");
  }
}

void add_run(const Glance& glance, Lines& lines) {
  if (!glance.run) return;
  const auto& [run, progress] = *glance.run;
  lines.add("run " + run.name + " " + std::to_string(run.number) + ": " + number(progress.items) +
            " requests, " + number(progress.refused) + " refused, " + number(progress.issued) +
            " certificates, for " + in_words(glance.now - run.started));
}

void add_findings(const Remarks& findings, Lines& lines) {
  for (const auto severity : {Severity::error, Severity::warning}) {
    for (const auto& finding : findings.all()) {
      if (finding.severity != severity) continue;
      lines.add((severity == Severity::error ? "URGENT: " : "warning: ") + to_string(finding));
    }
  }
}

nlohmann::json queue_json(const std::optional<QueueStatus>& queue,
                          const std::optional<double>& rate) {
  if (!queue) return {};
  const auto& counts = queue->counts;
  nlohmann::json value = {
      {"waiting", counts.waiting}, {"active", counts.active}, {"deferred", counts.deferred},
      {"held", counts.held},       {"done", counts.done},     {"a_second", nullptr},
      {"oldest", nullptr}};
  if (rate) value["a_second"] = *rate;
  if (counts.oldest) value["oldest"] = to_iso8601(*counts.oldest);
  return value;
}

std::optional<double> rate_between(const std::optional<std::size_t>& before,
                                   const std::optional<std::size_t>& now, Duration time) {
  if (!before || !now || *now < *before || time <= Duration::zero()) return std::nullopt;
  return static_cast<double>(*now - *before) / std::chrono::duration<double>(time).count();
}

std::optional<std::size_t> done_of(const std::optional<QueueStatus>& queue) {
  return queue ? std::optional(queue->counts.done) : std::nullopt;
}

std::optional<std::size_t> certificates_of(const Glance& glance) {
  if (!glance.certificates) return std::nullopt;
  return static_cast<std::size_t>(*glance.certificates);
}

}  // namespace

Rates rates_of(const Glance* before, const Glance& now) {
  if (before == nullptr) return {};
  const auto time = now.at - before->at;
  return {rate_between(done_of(before->jobs.requests), done_of(now.jobs.requests), time),
          rate_between(done_of(before->jobs.replies), done_of(now.jobs.replies), time),
          rate_between(certificates_of(*before), certificates_of(now), time)};
}

std::vector<std::string> picture_of(const Glance& glance, const Rates& rates, std::size_t columns,
                                    std::size_t rows) {
  Lines lines(columns, rows);
  lines.add(glance.instance + " (" + glance.role + ")  " + to_iso8601(glance.now) + "  " +
            at_work(glance.work));
  lines.add("");
  lines.add(cell("queue", 10, false) + cell("waiting", 10) + cell("active", 8) +
            cell("deferred", 10) + cell("held", 7) + cell("done", 12) + cell("a second", 10) +
            cell("oldest", 10));
  lines.add(queue_line("requests", glance.jobs.requests, rates.requests, glance.now));
  lines.add(queue_line("replies", glance.jobs.replies, rates.replies, glance.now));
  add_transactions(glance, rates, lines);
  add_run(glance, lines);
  lines.add("");
  add_channels(glance, lines);
  lines.add("");
  add_findings(glance.findings, lines);
  return std::move(lines).take();
}

nlohmann::json to_json(const Glance& glance, const Rates& rates) {
  nlohmann::json value = {{"instance", glance.instance},
                          {"role", glance.role},
                          {"at", to_iso8601(glance.now)},
                          {"requests", queue_json(glance.jobs.requests, rates.requests)},
                          {"replies", queue_json(glance.jobs.replies, rates.replies)},
                          {"certificates", nullptr},
                          {"certificates_a_second", nullptr},
                          {"run", nullptr},
                          {"to_send", nlohmann::json::object()},
                          {"findings", to_json(glance.findings)}};
  if (glance.certificates) value["certificates"] = *glance.certificates;
  if (rates.certificates) value["certificates_a_second"] = *rates.certificates;
  for (const auto& [channel, count] : glance.to_send) value["to_send"][channel] = count;
  if (glance.run) {
    const auto& [run, progress] = *glance.run;
    value["run"] = {{"name", run.name},
                    {"number", run.number},
                    {"requests", progress.items},
                    {"refused", progress.refused},
                    {"issued", progress.issued}};
  }
  return value;
}

}  // namespace cmpost
