#include "report/html_first.h"

#include <algorithm>

#include "report/html_text.h"
#include "report/words.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts = {"Green: all is well", "Yellow: please look",
                                                       "Red: act now"};
constexpr std::array<std::string_view, 3> kTags = {"usual work", "look at it", "act now"};
// What stands in the lamp that is on, for whoever sees no colours.
constexpr std::array<std::string_view, 3> kSigns = {"M24 134l6 7 11-14", "M32 72v13M32 92v1",
                                                    "M24 24l16 16M40 24l-16 16"};
constexpr std::array<int, 3> kHeights = {132, 82, 32};

std::string lamp(Light lamp, Light lit) {
  const auto at = static_cast<std::size_t>(lamp);
  const bool on = lamp == lit;
  auto out = "<circle cx=\"32\" cy=\"" + std::to_string(kHeights[at]) + "\" r=\"21\" class=\"" +
             (on ? "on " + std::string(to_string(lamp)) : "off") + "\"/>";
  return on ? out + "<path d=\"" + std::string(kSigns[at]) + "\"/>" : out;
}

std::string lamps(Light lit) {
  return "<svg class=\"lamps\" viewBox=\"0 0 64 164\" role=\"img\" aria-label=\"Traffic light: " +
         std::string(to_string(lit)) +
         "\"><rect class=\"case\" x=\"1\" y=\"1\" width=\"62\" height=\"162\" rx=\"14\"/>" +
         lamp(Light::red, lit) + lamp(Light::yellow, lit) + lamp(Light::green, lit) + "</svg>\n";
}

std::string verdict(const Headline& first) {
  const auto at = static_cast<std::size_t>(first.light);
  return element("p", "class=\"verdict " + std::string(to_string(first.light)) + "\"",
                 "<b>" + html(kVerdicts[at]) + ".</b> " + html(first.because));
}

std::string with_capital(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() -= 'a' - 'A';
  return text;
}

// Its words are never torn apart: "--state" is no "--" and "state".
std::string command_of(const std::string& command) {
  std::string out;
  for (std::size_t from = 0; from < command.size();) {
    const auto to = std::min(command.find(' ', from), command.size());
    out += (from == 0 ? "<span>" : " <span>") + html(command.substr(from, to - from)) + "</span>";
    from = to + 1;
  }
  return "<code>" + out + "</code>";
}

std::string commands_of(const ToDo& entry) {
  std::string out;
  for (const auto& command : entry.commands) out += (out.empty() ? "" : " ") + command_of(command);
  return out;
}

std::string entry_of(const ToDo& entry) {
  auto out = element("p", "",
                     "<b>" + html(with_capital(entry.what)) + "</b><span class=\"tag\">" +
                         html(kTags[static_cast<std::size_t>(entry.light)]) + "</span>") +
             element("p", "", html(entry.how));
  if (!entry.commands.empty()) {
    out += element("p", "class=\"dim\"", "For the operator: " + commands_of(entry));
  }
  return element("li", "class=\"" + std::string(to_string(entry.light)) + "\"", out);
}

std::string list_of_tasks(const Headline& first) {
  const auto heading = element("h2", "", "What you have to do");
  if (first.what_to_do.empty()) return heading + element("p", "", "Nothing. No one waits for you.");
  std::string out;
  for (const auto& entry : first.what_to_do) out += entry_of(entry);
  return heading + element("ol", "class=\"todo\"", out);
}

std::string fact(const std::string& name, const std::string& value, const std::string& more) {
  return element("div", "",
                 "<dt>" + name + "</dt><dd>" + value +
                     (more.empty() ? "" : "<small>" + more + "</small>") + "</dd>");
}

std::string answers_of(const RunFacts& facts) {
  std::string more;
  if (facts.still_to_send > 0) more += html_number(facts.still_to_send) + " still to send";
  if (facts.for_the_courier > 0) {
    more += (more.empty() ? "" : ", ") + html_number(facts.for_the_courier) + " for the courier";
  }
  return fact("Answers sent", html_number(facts.sent), more);
}

std::string certificates_of(const RunFacts& facts) {
  const auto revoked =
      facts.revoked > 0 ? html_number(facts.revoked) + " revoked" : std::string("none revoked");
  return fact("Certificates issued", html_number(facts.issued), revoked);
}

std::string next_run_of(const RunFacts& facts) {
  return facts.next_run ? fact("Next run", html(moment_of(*facts.next_run)),
                               html(distance_of(*facts.next_run, facts.ended)))
                        : fact("Next run", "not planned", "or not known");
}

std::string until_words(Time until, Time now) {
  return (until > now ? "ends " : "<b>ended</b> ") + html(distance_of(until, now));
}

// Days are counted from the end of the run: this page does not know what day it is.
std::string ends_of(const RunFacts& facts) {
  std::string out;
  if (facts.crl) {
    out += fact("Revocation list (CRL)", html(moment_of(facts.crl->next_update)),
                until_words(facts.crl->next_update, facts.ended));
  }
  for (const auto& [name, until] : facts.ends) {
    out += fact(foreign(name) + "", html(day_of(until)), until_words(until, facts.ended));
  }
  return out;
}

std::string from_to(Time from, Time to) {
  const bool same_day = day_of(from) == day_of(to);
  return same_day ? hour_of(from) + " to " + hour_of(to) + " UTC"
                  : moment_of(from) + ", to " + moment_of(to);
}

std::string good_to_know(const RunFacts& facts) {
  const auto lasted = fact("The run lasted", html(length_of(facts.ended - facts.started)),
                           html(from_to(facts.started, facts.ended)));
  return element("h2", "", "Good to know") +
         element("dl", "class=\"facts\"",
                 next_run_of(facts) + ends_of(facts) + certificates_of(facts) + answers_of(facts) +
                     lasted) +
         element(
             "p", "class=\"dim\"",
             "All times are UTC. &ldquo;In 6 days&rdquo; means: 6 days after the end of the run.");
}

}  // namespace

std::string first_screen(const RunFacts& facts, const Headline& first) {
  const auto where = element("p", "class=\"where\"",
                             foreign(facts.instance, 80) + " (" + foreign(facts.role, 20) +
                                 ") &middot; " + html(moment_of(facts.started)));
  const auto words = element("h1", "", html(first.sentence)) + verdict(first) + where;
  return element("div", "class=\"first\"", lamps(first.light) + element("div", "", words)) +
         list_of_tasks(first) + good_to_know(facts);
}

}  // namespace cmpost
