#include "carrier/bundles/sent_bundles.h"

namespace cmpost {
namespace {

bool has(const StreamRanges& ranges, const std::string& stream, std::uint64_t number) {
  const auto found = ranges.find(stream);
  return found != ranges.end() && found->second.contains(number);
}

}  // namespace

std::string_view to_string(BundleState state) {
  switch (state) {
    case BundleState::made:
      return "made";
    case BundleState::written:
      return "written";
    case BundleState::received:
      return "received";
    case BundleState::lost:
      return "lost";
  }
  return "";
}

Result<SentBundles> look_at_sent(const BundleArchive& archive, Duration within, Time now) {
  SentBundles sent;
  ASSIGN_OR_RETURN(const auto receipts, archive.receipts());
  ASSIGN_OR_RETURN(const auto numbers, archive.numbers());
  sent.heard = receipts.heard;
  for (const auto number : numbers) {
    ASSIGN_OR_RETURN(auto bundle, archive.read(number));
    SentBundle one;
    one.manifest = std::move(bundle.manifest);
    ASSIGN_OR_RETURN(one.copies, archive.copies(number));
    const auto& stream = one.manifest.stream;
    const auto& written = one.copies.written;
    one.state = has(receipts.received, stream, number)   ? BundleState::received
                : has(receipts.given_up, stream, number) ? BundleState::lost
                : written.empty()                        ? BundleState::made
                                                         : BundleState::written;
    if (const auto had = receipts.received.find(stream); had != receipts.received.end()) {
      sent.received = had->second.text();
      one.passed = one.state == BundleState::written && had->second.last() > number;
    }
    one.overdue = one.state == BundleState::written && !one.manifest.files.empty() &&
                  written.back().written + within < now;
    sent.all.push_back(std::move(one));
  }
  return sent;
}

std::string describe(const SentBundle& bundle, const SentBundles& among, const std::string& peer) {
  auto text = "bundle " + std::to_string(bundle.manifest.number);
  if (bundle.copies.written.empty()) return text + " was not written yet";
  const auto& last = bundle.copies.written.back();
  text += " was written on " + to_iso8601(last.written) + " to " +
          (last.medium.empty() ? printable(last.directory) : "medium " + last.medium);
  return text + "; " + peer + " has " + (among.received.empty() ? "none" : among.received);
}

}  // namespace cmpost
