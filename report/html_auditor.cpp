#include "report/html_auditor.h"

#include "report/headline.h"
#include "report/html_results.h"
#include "report/html_text.h"
#include "report/words.h"

namespace cmpost {
namespace {

std::string row(const std::string& name, const std::string& value) {
  return "<tr><th scope=\"row\">" + name + "</th><td>" + value + "</td></tr>\n";
}

std::string hash_of(const std::string& hash) {
  return hash.empty() ? std::string("not known")
                      : "<span class=\"hash\">" + foreign(hash) + "</span>";
}

std::string exact(Time time) { return html(moment_of(time)) + " (" + to_iso8601(time) + ")"; }

std::string end_of(const RunFacts& facts) {
  std::string out(to_string(facts.end));
  if (!facts.why.empty()) out += ": " + foreign(facts.why, 500);
  if (!facts.hint.empty()) out += "<br>" + foreign(facts.hint, 500);
  return out;
}

std::string run_rows(const RunFacts& facts) {
  auto out = row("Run", foreign(facts.name) + " " + std::to_string(facts.number)) +
             row("Instance", foreign(facts.instance) + " (" + foreign(facts.role) + ")") +
             row("Program", "CMPost " + foreign(facts.version)) +
             row("SHA-256 of the settings", hash_of(facts.settings)) +
             row("Started by", foreign(facts.who));
  if (facts.planned) out += row("Planned for", exact(*facts.planned));
  out += row("Started", exact(facts.started)) + row("Ended", exact(facts.ended)) +
         row("End", end_of(facts));
  if (facts.continues) out += row("Goes on with run", std::to_string(*facts.continues));
  if (facts.resumed > 0) {
    out += row("Killed and gone on",
               html(count_of(static_cast<std::uint64_t>(facts.resumed), "time")));
  }
  return out;
}

// "12 000 = 11 986 granted as asked + ..."
std::string sum_in_words(const RunFacts& facts) {
  const auto counts = with_unlisted(facts);
  std::string out = html_number(counts.total()) + " =";
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    out +=
        (i == 0 ? " " : " + ") + html_number(counts[result]) + " " + std::string(to_string(result));
  }
  return out;
}

std::string listed_in_words(const RunFacts& facts) {
  auto out = html_number(facts.counts.total()) + " in report.csv";
  if (facts.unlisted > 0) out += " + " + html_number(facts.unlisted) + " refused and not listed";
  return out;
}

std::string number_rows(const RunFacts& facts) {
  const auto serials = facts.first_serial.empty()
                           ? std::string("none")
                           : foreign(facts.first_serial) + " to " + foreign(facts.last_serial);
  return row("Requests worked on", sum_in_words(facts)) + row("Listed", listed_in_words(facts)) +
         row("Still in the queue", html_number(facts.still_waiting)) +
         row("Other messages",
             html_number(facts.follow_ups) + " (confirmations, polls: no requests of their own)") +
         row("Held since before", html_number(facts.held_before)) +
         row("Undecided since before", html_number(facts.undecided_before)) +
         row("Answers", html_number(facts.sent) + " sent, " + html_number(facts.still_to_send) +
                            " still to send, " + html_number(facts.for_the_courier) +
                            " for the courier, " + html_number(facts.not_sendable) +
                            " cannot be sent") +
         row("Certificates",
             html_number(facts.issued) + " issued, " + html_number(facts.revoked) + " revoked") +
         row("Serial numbers issued", "<span class=\"hash\">" + serials + "</span>");
}

std::string audit_rows(const RunFacts& facts) {
  const auto& audit = facts.audit;
  const auto records = audit.last < audit.first
                           ? std::string("none")
                           : std::to_string(audit.first) + " to " + std::to_string(audit.last);
  return row("Audit records", records) + row("Hash of the last one", hash_of(audit.hash));
}

std::string crl_rows(const RunFacts& facts) {
  if (!facts.crl) return row("CRL", "none recorded");
  return row("CRL number", foreign(facts.crl->number)) +
         row("thisUpdate", exact(facts.crl->this_update)) +
         row("nextUpdate", exact(facts.crl->next_update));
}

std::string own_rows(const RunFacts& facts) {
  std::string out;
  for (const auto& [name, until] : facts.ends) out += row(foreign(name) + " ends", exact(until));
  return out;
}

std::string profile_rows(const RunFacts& facts) {
  std::string out;
  for (const auto& [name, hash] : facts.profiles) out += row(foreign(name), hash_of(hash));
  return out;
}

std::string table_of(const std::string& rows) {
  return element("table", "class=\"facts-table\"", rows);
}

std::string how_to_check(const RunFacts& facts) {
  return element("h3", "", "How to check this report") +
         element("p", "",
                 "In the directory of the report. The first says whether a file was changed, the "
                 "second who has signed the list of the sums (where it was signed; "
                 "<code>trusted.pem</code> is the root certificate that you trust, from a source "
                 "of your own), the third is for the operator and says whether the records still "
                 "are what they were.") +
         "<pre>sha256sum -c SHA256SUMS\n"
         "openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s \\\n"
         "  -content SHA256SUMS -CAfile trusted.pem -purpose any -out /dev/null\n"
         "cmpost audit verify</pre>\n" +
         (facts.audit.hash.empty()
              ? std::string()
              : element("p", "",
                        "The audit log is unbroken when the record " +
                            std::to_string(facts.audit.last) + " still has the hash above."));
}

std::string signature_lines() {
  return element("div", "class=\"lines\"",
                 "<div>Operator: place, date, signature</div>"
                 "<div>Reviewed by: place, date, signature</div>");
}

}  // namespace

std::string auditor_section(const RunFacts& facts) {
  auto out = element("h2", "", "For the auditor") + table_of(run_rows(facts)) +
             element("h3", "", "Numbers") + table_of(number_rows(facts)) +
             element("h3", "", "Records and validity") +
             table_of(audit_rows(facts) + crl_rows(facts) + own_rows(facts));
  if (!facts.profiles.empty()) {
    out += element("h3", "", "SHA-256 of the profiles") + table_of(profile_rows(facts));
  }
  return element("section", "class=\"auditor\"", out + how_to_check(facts) + signature_lines());
}

}  // namespace cmpost
