#include "report/svg_chart.h"

#include <algorithm>
#include <array>

namespace cmpost {
namespace {

// So many labels fit below a chart on a phone.
constexpr std::size_t kLabels = 6;
constexpr std::uint64_t kWidestColumn = 800;  // in hundredths of a percent of the width
constexpr int kTop = 8, kBelow = 24;

std::string hundredths(std::uint64_t number) {
  const auto rest = number % 100;
  return std::to_string(number / 100) + (rest < 10 ? ".0" : ".") + std::to_string(rest);
}

// part / whole * full, without overflow and rounded down.
std::uint64_t scaled(std::uint64_t part, std::uint64_t whole, std::uint64_t full) {
  if (whole == 0) return 0;
  const auto share = static_cast<long double>(part) / static_cast<long double>(whole);
  return std::min(full, static_cast<std::uint64_t>(share * static_cast<long double>(full)));
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}

std::string rect(const std::string& x, const std::string& y, const std::string& width,
                 const std::string& height, const Fill& fill) {
  return "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
         attribute("height", height) + attribute("class", fill) + "/>";
}

std::uint64_t sum_of_parts(const std::vector<BarPart>& parts) {
  std::uint64_t sum = 0;
  for (const auto& part : parts) sum += part.number;
  return sum;
}

std::uint64_t highest_of(const std::vector<Column>& columns) {
  std::uint64_t most = 0;
  for (const auto& column : columns) most = std::max(most, sum_of_parts(column.parts));
  return most;
}

// Where a column stands: hundredths of a percent of the width.
struct Slot {
  std::uint64_t left, width;
  std::uint64_t middle() const { return left + width / 2; }
};
Slot slot_of(std::size_t index, std::size_t number) {
  const auto middle = (2 * index + 1) * 10000 / (2 * number);
  const auto width = std::max<std::uint64_t>(std::min(10000 / number * 4 / 5, kWidestColumn), 20);
  return {middle - std::min(middle, width / 2), width};
}

std::string parts_of(const Column& column, const Slot& slot, std::uint64_t scale, int height) {
  const auto full = static_cast<std::uint64_t>(height) * 100;
  std::string out;
  std::uint64_t below = 0;
  for (const auto& part : column.parts) {
    if (part.number == 0) continue;
    const auto from = scaled(below, scale, full);
    below += part.number;
    // What is there is seen, be it never so little.
    const auto high = std::max<std::uint64_t>(scaled(below, scale, full) - from, 100);
    out += rect(hundredths(slot.left) + "%",
                hundredths(kTop * 100 + full - std::min(full, from + high)),
                hundredths(slot.width) + "%", hundredths(high), part.fill);
  }
  return out;
}

std::string text_at(const Slot& slot, int y, const std::string& label) {
  const auto middle = slot.middle();
  const char* anchor = middle < 800 ? "start" : middle > 9200 ? "end" : "middle";
  const auto x = middle < 800 ? slot.left : middle > 9200 ? slot.left + slot.width : middle;
  return "<text" + attribute("x", hundredths(x) + "%") + attribute("y", std::to_string(y)) +
         attribute("text-anchor", anchor) + ">" + label + "</text>";
}

std::string grid(int height) {
  std::string out;
  for (const int y : {kTop, kTop + height / 2, kTop + height}) {
    const auto at = std::to_string(y);
    out += "<line x1=\"0\" x2=\"100%\"" + attribute("y1", at) + attribute("y2", at) + "/>";
  }
  return out;
}

std::string columns_of(const ColumnChart& chart, std::uint64_t scale) {
  const auto number = chart.columns.size();
  const auto every = (number + kLabels - 1) / kLabels;
  std::string out;
  for (std::size_t i = 0; i < number; ++i) {
    const auto& column = chart.columns[i];
    const auto slot = slot_of(i, number);
    out += "<g><title>" + column.title + "</title>" + parts_of(column, slot, scale, chart.height) +
           "</g>\n";
    // Counted from the last one, which is the newest.
    if ((number - 1 - i) % every == 0) out += text_at(slot, kTop + chart.height + 16, column.label);
  }
  return out;
}

std::string scale_words(const ColumnChart& chart, std::uint64_t scale) {
  const auto half = scale % 2 == 0 ? chart.in_words(scale / 2) : std::string();
  return "<div class=\"scale\" style=\"height:" + std::to_string(chart.height + 2 * kTop) +
         "px\"><span>" + chart.in_words(scale) + "</span><span>" + half + "</span><span>" +
         chart.in_words(0) + "</span></div>";
}

}  // namespace

std::string percent_of(std::uint64_t part, std::uint64_t whole) {
  const auto share = scaled(part, whole, 10000);
  return hundredths(part > 0 ? std::max<std::uint64_t>(share, 1) : share) + "%";
}

std::string bar(std::uint64_t part, std::uint64_t whole, const Fill& fill) {
  return "<svg class=\"bar\" aria-hidden=\"true\">" +
         (part == 0 ? std::string() : rect("0", "0", percent_of(part, whole), "100%", fill)) +
         "</svg>";
}

std::string stacked_bar(const std::vector<BarPart>& parts, const std::string& described) {
  const auto whole = sum_of_parts(parts);
  std::string out = "<svg class=\"stack\" role=\"img\"" + attribute("aria-label", described) + ">";
  std::uint64_t before = 0;
  for (const auto& part : parts) {
    if (part.number == 0) continue;
    out += rect(percent_of(before, whole), "0", percent_of(part.number, whole), "100%", part.fill);
    before += part.number;
  }
  return out + "</svg>\n";
}

std::uint64_t scale_of(std::uint64_t most) {
  constexpr std::array<std::uint64_t, 6> kSteps = {1, 2, 4, 6, 8, 10};
  for (std::uint64_t power = 1;; power *= 10) {
    for (const auto step : kSteps) {
      if (most <= step * power) return step * power;
    }
    if (power >= 100'000'000'000'000'000) return most;
  }
}

std::string column_chart(const ColumnChart& chart) {
  const auto scale = scale_of(highest_of(chart.columns));
  return "<div class=\"chart\">" + scale_words(chart, scale) + "<svg role=\"img\" height=\"" +
         std::to_string(kTop + chart.height + kBelow) + "\"" +
         attribute("aria-label", chart.described) + ">" + grid(chart.height) +
         columns_of(chart, scale) + "</svg></div>\n";
}

}  // namespace cmpost
