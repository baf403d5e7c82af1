#include "app/fleet/letter_page.h"

#include "processor/devices/letter_secret.h"
#include "report/html_text.h"

namespace cmpost {
namespace {

// The height of a letter fits the shorter of the two papers with its margins.
constexpr std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Letters to devices</title>
<style>
@page { margin: 15mm; }
body { margin: 0; font: 11pt/1.45 sans-serif; color: #000; background: #fff; }
.letter { max-width: 175mm; margin: 0 auto; padding: 8mm 0; }
h1 { font-size: 17pt; margin: 0 0 1mm; overflow-wrap: anywhere; }
.from { margin: 0 0 6mm; }
table { border-collapse: collapse; margin: 0 0 6mm; }
th { text-align: left; font-weight: normal; padding: 0.6mm 6mm 0.6mm 0; vertical-align: top; white-space: nowrap; }
td { padding: 0.6mm 0; overflow-wrap: anywhere; }
.secret { border: 0.6mm solid #000; padding: 5mm; margin: 0 0 6mm; break-inside: avoid; }
.secret p { margin: 0; }
.code { font: bold 17pt/1.5 monospace; letter-spacing: 0.06em; }
.code span { display: inline-block; margin-right: 0.7em; white-space: nowrap; }
.code .check { font-weight: normal; }
.small { font-size: 9pt; }
.fingerprint { font-family: monospace; font-size: 9pt; }
ol { padding-left: 6mm; margin: 0 0 6mm; }
.strip { border-top: 0.4mm dashed #000; padding-top: 4mm; break-inside: avoid; }
.line { display: inline-block; border-bottom: 0.3mm solid #000; width: 55mm; height: 8mm; margin-right: 6mm; }
@media screen { body { background: #ddd; } .letter { background: #fff; padding: 12mm 15mm; margin: 8mm auto; } }
@media print { .letter { break-after: page; page-break-after: always; } .letter:last-child { break-after: auto; page-break-after: auto; } }
</style>
</head>
<body>
)html";

void add_row(std::string& page, std::string_view what, const std::string& value) {
  if (value.empty()) return;
  page += "<tr><th>" + std::string(what) + "</th><td>" + foreign(value) + "</td></tr>\n";
}

std::string code_of(const std::string& secret) {
  std::string html;
  const auto grouped = in_groups_of_five(secret);
  std::size_t from = 0;
  for (int group = 1; from < grouped.size(); ++group) {
    const auto end = std::min(grouped.find('-', from), grouped.size());
    const bool last = end == grouped.size();
    html += std::string("<span") + (last ? " class=\"check\"" : "") + ">" +
            grouped.substr(from, end - from) + (last ? "" : "-") + "</span>" +
            (group == 3 ? "<br>" : "");
    from = end + 1;
  }
  return html;
}

std::string spaced(const std::string& fingerprint) {
  std::string text;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i > 0 && i % 4 == 0) text += ' ';
    text += fingerprint[i];
  }
  return text;
}

void add_letter(std::string& page, const Letter& letter, const Sender& sender) {
  const auto& device = letter.device;
  page += "<section class=\"letter\">\n<h1>Secret for the device " + foreign(device.name) +
          "</h1>\n<p class=\"from\">from " + foreign(sender.instance) + ", printed " +
          to_iso8601(sender.printed) + ", letter " + std::to_string(device.letters + 1) +
          "</p>\n<table>\n";
  add_row(page, "Site", device.site);
  add_row(page, "Contact", device.contact);
  add_row(page, "Vendor", device.vendor);
  add_row(page, "Serial", device.serial);
  add_row(page, "MAC address", cell_of(device, DeviceColumn::mac));
  add_row(page, "Batch", device.batch);
  add_row(page, "Reference (user name)", device.name);
  if (letter.expires) add_row(page, "Good until", to_iso8601(*letter.expires));
  add_row(page, "Good for",
          letter.uses == 1 ? "one certificate" : std::to_string(letter.uses) + " certificates");
  page +=
      "</table>\n<div class=\"secret\">\n<p class=\"code\">" + code_of(letter.secret) +
      "</p>\n<p class=\"small\">The last group finds mistakes in typing: its first character "
      "belongs to the first group, its second to the second, and so on.</p>\n</div>\n<ol>\n"
      "<li>Enter the reference, and as the secret <b>all thirty characters, in capitals, without "
      "the dashes</b>. What looks like an O is a zero, what looks like an I or an L is a "
      "one.</li>\n"
      "<li>Let the device ask for its certificate. If the secret is refused, compare group by "
      "group; do not try often.</li>\n"
      "<li>When the device has its certificate the secret is worth nothing: destroy this part "
      "of the letter, and send the strip below back.</li>\n</ol>\n";
  if (!sender.fingerprint.empty()) {
    page +=
        "<p>The certificate of the authority has this SHA-256 fingerprint:<br><span "
        "class=\"fingerprint\">" +
        spaced(sender.fingerprint) + "</span></p>\n";
  }
  page += "<div class=\"strip\">\n<p><b>Receipt</b> of the letter for " + foreign(device.name) +
          (device.site.empty() ? "" : ", " + foreign(device.site)) +
          ". The cover was whole, and the device has its certificate.</p>\n<p><span "
          "class=\"line\"></span><span class=\"line\"></span><br><span class=\"small\">Name, date, "
          "signature</span></p>\n</div>\n</section>\n";
}

}  // namespace

std::string letter_page(const std::vector<Letter>& letters, const Sender& sender) {
  std::string page(kHead);
  for (const auto& letter : letters) add_letter(page, letter, sender);
  return page + "</body>\n</html>\n";
}

}  // namespace cmpost
