#include "orders/judge_program.h"

#include <algorithm>
#include <charconv>

#include "orders/answer_file.h"

namespace cmpost {
namespace {

using What = ProgramVerdict::What;

// It has to fit into the environment.
constexpr std::size_t kLongestCookie = std::size_t{64} << 10U, kLongestRefusal = 2000;
constexpr std::chrono::seconds kSoonest(1), kLatest(30 * 24 * 3600);

ProgramVerdict unknown(const std::string& program, std::string why) {
  return {What::unknown, {}, {}, Error{Recovery::retry, program + ": " + std::move(why), {}}};
}

std::string_view trimmed(std::string_view text) {
  constexpr auto kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

ProgramVerdict working(std::string_view cookie, std::optional<Duration> after,
                       const std::string& program) {
  const bool usable =
      cookie.size() <= kLongestCookie && cookie.find('\0') == std::string_view::npos;
  if (!usable) return unknown(program, "it printed a cookie that cannot be kept");
  return {What::working, to_bytes(cookie), after, {}};
}

ProgramVerdict working_until(std::string_view text, const std::string& program) {
  const auto line = text.substr(0, text.find('\n'));
  const auto number = trimmed(line);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seconds);
  if (error != std::errc() || end != number.data() + number.size()) {
    return unknown(program, "exit code 5 without a number of seconds in its first line");
  }
  const auto after =
      std::clamp(std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLatest.count())),
                 kSoonest, kLatest);
  return working(trimmed(text.substr(std::min(line.size() + 1, text.size()))), after, program);
}

ProgramVerdict issued(ByteView output, const std::string& program) {
  const auto certificates = certificates_in(output);
  if (certificates) return {What::issued, concatenated(*certificates), {}, {}};
  return unknown(
      program, "exit code 0, and what it printed is no certificate: " + certificates.error().what);
}

ProgramVerdict refused(std::string_view text) {
  auto reason = printable(trimmed(text), kLongestRefusal);
  if (reason.empty()) reason = "no reason was given";
  return {What::refused, to_bytes(reason), {}, {}};
}

ProgramVerdict by_status(const ProgramEnd& end, const std::string& program) {
  const auto text = text_of(end.output);
  switch (end.status) {
    case 0:
      return issued(end.output, program);
    case 1:
      return working(trimmed(text), std::nullopt, program);
    case 2:
      return refused(text);
    case 3:
      return {What::not_now,
              {},
              {},
              Error{Recovery::retry,
                    program + ": the CA cannot be reached: " + printable(trimmed(text), 300),
                    {}}};
    case 4:
      return {What::not_now,
              {},
              {},
              Error{Recovery::hold,
                    program + ": it is not configured: " + printable(trimmed(text), 300),
                    "see its own documentation"}};
    case 5:
      return working_until(text, program);
    default:
      return unknown(program, "exit code " + std::to_string(end.status));
  }
}

}  // namespace

ProgramVerdict judge_program(ProgramEnd end, const std::string& program) {
  switch (end.what) {
    case ProgramEnd::What::exited:
      return by_status(end, program);
    case ProgramEnd::What::not_started:
      return {What::not_now, {}, {}, std::move(end.error)};
    case ProgramEnd::What::ended:
      break;
  }
  return {What::unknown, {}, {}, std::move(end.error)};
}

}  // namespace cmpost
