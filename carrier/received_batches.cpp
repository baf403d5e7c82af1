#include "carrier/received_batches.h"

#include <algorithm>
#include <charconv>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/presence.h"

namespace cmpost {
namespace {

constexpr std::string_view kReceivedMark = "cmpost-received 1\n";
constexpr std::size_t kLargestLedger = std::size_t{16} << 20U;
constexpr std::size_t kKeptHashes = 2'000;
constexpr std::size_t kMostTornNoted = 100;
constexpr std::size_t kMostStreams = 100;

// "KEY REST": takes KEY off.
std::string_view take_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::uint64_t to_number(std::string_view text) {
  const auto ranges = NumberRanges::parse(text);
  return ranges ? ranges->last() : 0;
}

// What comes after a gap and shows that it is one: ", 18 complete".
std::string seen_after(const ReceivedBatches::Stream& stream, std::uint64_t number) {
  std::uint64_t complete = 0;
  for (const auto& part : stream.complete.parts()) {
    if (part.last <= number) continue;
    complete = std::max(part.first, number + 1);
    break;
  }
  const auto torn = stream.torn.upper_bound(number);
  if (torn != stream.torn.end() && (complete == 0 || torn->first < complete)) {
    return ", " + std::to_string(torn->first) + " torn";
  }
  return complete == 0 ? "" : ", " + std::to_string(complete) + " complete";
}

}  // namespace

Result<ReceivedBatches> ReceivedBatches::read(const std::string& path) {
  ReceivedBatches received(path);
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kLargestLedger));
  if (contents && !received.parse(text_of(*contents))) {
    return hold(path + " is damaged",
                "remove it: batches that were received are then reported as missing, and what "
                "comes again is recognised by its jobs");
  }
  return received;
}

bool ReceivedBatches::parse(std::string_view text) {
  if (!text.starts_with(kReceivedMark)) return false;
  text.remove_prefix(kReceivedMark.size());
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto key = take_word(line);
    const std::string name(take_word(line));
    if (!is_stream_name(name)) return false;
    auto& stream = streams_[name];
    if (key == "complete" || key == "skipped") {
      const auto ranges = NumberRanges::parse(line);
      if (!ranges) return false;
      (key == "complete" ? stream.complete : stream.skipped) = *ranges;
    } else if (key == "last") {
      const auto time = from_iso8601(line);
      if (!time) return false;
      stream.last = *time;
    } else if (key == "hash") {
      const auto number = to_number(take_word(line));
      const auto digest = sha256_from_hex(line);
      if (number == 0 || !digest) return false;
      stream.hashes[number] = *digest;
    } else if (key == "conflict") {
      const auto number = to_number(line);
      if (number == 0) return false;
      stream.conflicts.insert(number);
    } else if (key == "torn") {
      const auto number = to_number(take_word(line));
      if (number == 0) return false;
      stream.torn[number] = line;
    } else {
      return false;
    }
  }
  return true;
}

std::string ReceivedBatches::text() const {
  std::string text(kReceivedMark);
  for (const auto& [name, stream] : streams_) {
    text += "complete " + name + " " + stream.complete.text() + "\n";
    if (!stream.skipped.empty()) text += "skipped " + name + " " + stream.skipped.text() + "\n";
    text += "last " + name + " " + to_iso8601(stream.last) + "\n";
    for (const auto& [number, hash] : stream.hashes) {
      text += "hash " + name + " " + std::to_string(number) + " " + to_hex(hash) + "\n";
    }
    for (const auto number : stream.conflicts) {
      text += "conflict " + name + " " + std::to_string(number) + "\n";
    }
    for (const auto& [number, what] : stream.torn) {
      text += "torn " + name + " " + std::to_string(number) + " " + what + "\n";
    }
  }
  return text;
}

Result<void> ReceivedBatches::save() const {
  return write_file(path_, view_of(text()), 0640, IfExists::replace);
}

bool ReceivedBatches::has(const std::string& stream, std::uint64_t number) const {
  const auto found = streams_.find(stream);
  return found != streams_.end() && found->second.complete.contains(number);
}

Result<void> ReceivedBatches::add(const BatchManifest& manifest, const Sha256& hash, Time now) {
  auto next = *this;  // what could not be written has not been received
  if (next.streams_.size() >= kMostStreams && !next.streams_.contains(manifest.stream)) {
    return hold("batches of too many senders", "remove streams that ended from " + path_);
  }
  auto& stream = next.streams_[manifest.stream];
  stream.complete.add(manifest.number);
  stream.torn.erase(manifest.number);
  stream.hashes[manifest.number] = hash;
  if (stream.hashes.size() > kKeptHashes) stream.hashes.erase(stream.hashes.begin());
  stream.last = std::chrono::floor<std::chrono::seconds>(now);
  TRY(next.save());
  *this = std::move(next);
  crash_point("batch.received");
  return {};
}

Result<std::size_t> ReceivedBatches::set_torn(
    std::map<std::string, std::map<std::uint64_t, std::string>> torn) {
  bool changed = false;
  std::size_t left_out = 0;
  for (const auto& [name, batches] : torn) {
    const bool room = streams_.contains(name) || streams_.size() < kMostStreams;
    if (room) streams_.try_emplace(name);
    if (!room) left_out += batches.size();
  }
  for (auto& [name, stream] : streams_) {
    auto& now = torn[name];
    std::erase_if(now, [&](const auto& one) { return stream.skipped.contains(one.first); });
    for (; now.size() > kMostTornNoted; ++left_out) now.erase(std::prev(now.end()));
    changed = changed || stream.torn != now;
    stream.torn = std::move(now);
  }
  if (changed) TRY(save());
  return left_out;
}

Result<std::size_t> ReceivedBatches::set_conflicts(
    const std::map<std::string, std::set<std::uint64_t>>& conflicts) {
  bool changed = false;
  std::size_t left_out = 0;
  for (auto& [name, stream] : streams_) {
    const auto found = conflicts.find(name);
    auto now = found == conflicts.end() ? std::set<std::uint64_t>() : found->second;
    for (; now.size() > kMostTornNoted; ++left_out) now.erase(std::prev(now.end()));
    changed = changed || stream.conflicts != now;
    stream.conflicts = std::move(now);
  }
  if (changed) TRY(save());
  return left_out;
}

ReceivedBatches::Same ReceivedBatches::same(const std::string& stream, std::uint64_t number,
                                            const Sha256& hash) const {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return Same::not_known;
  const auto known = found->second.hashes.find(number);
  if (known == found->second.hashes.end()) return Same::not_known;
  return known->second == hash ? Same::yes : Same::no;
}

Result<NumberRanges> ReceivedBatches::skip(NumberRange range) {
  NumberRanges skipped;
  for (auto& [name, stream] : streams_) {
    // More than what has been missed so far cannot be skipped: it may still come in order.
    const auto last = std::min(
        range.last,
        std::max(stream.complete.last(), stream.torn.empty() ? 0 : stream.torn.rbegin()->first));
    if (range.first > last) continue;
    auto known = stream.complete;
    known.add({last + 1, last + 1});
    for (const auto& gap : known.gaps()) {
      const NumberRange part{std::max(gap.first, range.first), std::min(gap.last, last)};
      if (part.first > part.last) continue;
      stream.skipped.add(part);
      skipped.add(part);
      stream.torn.erase(stream.torn.lower_bound(part.first), stream.torn.upper_bound(part.last));
    }
  }
  TRY(save());
  return skipped;
}

std::string ReceivedBatches::chain_mistake(const BatchManifest& manifest,
                                           const Sha256& hash) const {
  const auto found = streams_.find(manifest.stream);
  const auto number = std::to_string(manifest.number);
  if (manifest.number == 1) {
    return manifest.previous == Sha256{} ? "" : "batch 1 names a batch before it";
  }
  if (found == streams_.end()) return "";
  const auto& hashes = found->second.hashes;
  if (const auto before = hashes.find(manifest.number - 1);
      before != hashes.end() && before->second != manifest.previous) {
    return "batch " + number + " does not follow the batch " + std::to_string(manifest.number - 1) +
           " that was received: two senders use the stream";
  }
  if (const auto same = hashes.find(manifest.number);
      same != hashes.end() && same->second != hash) {
    return "there are two different batches " + number + ": two senders use the stream";
  }
  return "";
}

std::vector<std::string> ReceivedBatches::complaints(CarriedAs what) const {
  const std::string one = what == CarriedAs::bundle ? "bundle " : "batch ";
  const std::string many = what == CarriedAs::bundle ? "bundles " : "batches ";
  std::vector<std::string> all;
  for (const auto& [name, stream] : streams_) {
    const auto prefix = streams_.size() > 1 ? "stream " + name + ": " : std::string();
    auto known = stream.complete;
    for (const auto& part : stream.skipped.parts()) known.add(part);
    for (const auto& [number, what_is_torn] : stream.torn) known.add(number);
    for (const auto& gap : known.gaps()) {
      all.push_back(prefix + (gap.first == gap.last ? one : many) + to_string(gap) + " missing" +
                    seen_after(stream, gap.last));
    }
    for (const auto number : stream.conflicts) {
      all.push_back(prefix + "there are two different " + many + std::to_string(number) +
                    ": the sender's memory is an old one, or two senders use the stream; the files "
                    "of the second stay and nothing of it is taken");
    }
    for (const auto& [number, what_is_torn] : stream.torn) {
      all.push_back(prefix + one + std::to_string(number) + " torn: " + what_is_torn);
    }
  }
  return all;
}

}  // namespace cmpost
