#include "processor/upstream/upstream_message.h"

#include <charconv>

namespace cmpost {
namespace {

constexpr std::string_view kTend = "upstream";  // the body of a job that no Ingress makes
constexpr std::size_t kNamedTid = 8;            // octets, in the names of files

template <typename E, std::size_t N>
std::optional<E> word(std::string_view text, const std::array<E, N>& all) {
  for (const auto one : all) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(UpstreamMode mode) {
  switch (mode) {
    case UpstreamMode::forward:
      return "forward";
    case UpstreamMode::reprotect:
      return "reprotect";
    case UpstreamMode::nest:
      return "nest";
    default:
      return "pkcs10";
  }
}

std::optional<UpstreamMode> upstream_mode(std::string_view text) {
  using enum UpstreamMode;
  return word(text, std::array{forward, reprotect, nest, pkcs10});
}

std::string_view to_string(UpstreamState state) {
  switch (state) {
    case UpstreamState::collected:
      return "collected";
    case UpstreamState::made:
      return "made";
    case UpstreamState::left:
      return "left";
    case UpstreamState::waits:
      return "waits";
    case UpstreamState::answered:
      return "answered";
    case UpstreamState::unanswered:
      return "unanswered";
    default:
      return "given_up";
  }
}

std::optional<UpstreamState> upstream_state(std::string_view text) {
  using enum UpstreamState;
  return word(text, std::array{collected, made, left, waits, answered, unanswered, given_up});
}

bool is_open(UpstreamState state) {
  switch (state) {
    case UpstreamState::collected:
    case UpstreamState::made:
    case UpstreamState::left:
    case UpstreamState::waits:
      return true;
    default:
      return false;
  }
}

JobId UpstreamMessage::job() const {
  return make_job_id({view_of(kTend), transactionID, view_of(std::to_string(seq))});
}

UpstreamMessage again(UpstreamMessage message, std::int64_t seq, Time now) {
  message.id = 0;
  message.seq = seq;
  message.state = UpstreamState::made;
  message.made = now;
  message.left.reset();
  message.answer_by.reset();
  message.ask_again.reset();
  message.answered.reset();
  return message;
}

Job departure_of(const UpstreamMessage& message) {
  const auto tid = to_hex(message.transactionID);
  const auto short_tid = to_hex(
      ByteView(message.transactionID).first(std::min(kNamedTid, message.transactionID.size())));
  Route route;
  route.channel = message.channel;
  route.address = message.address;
  route.name = short_tid + "-" + std::to_string(message.seq);
  return Job{message.job(), Envelope{message.channel, tid, route, message.body, tid},
             message.octets};
}

Job upstream_job(const UpstreamMessage& message, std::string_view why) {
  const auto row = std::to_string(message.id);
  // Of what is asked again there is one for each time.
  const auto when = message.ask_again ? to_iso8601(*message.ask_again) : std::string();
  Job job;
  job.id = make_job_id(
      {view_of(kTend), view_of(why), view_of(row), message.transactionID, view_of(when)});
  job.payload = to_bytes(why);
  job.envelope.channel = message.channel;
  job.envelope.source = row;
  job.envelope.reply.channel = message.channel;
  job.envelope.body = kTend;
  job.envelope.tid = to_hex(message.transactionID);
  return job;
}

bool is_upstream_job(const Job& job) { return job.envelope.body == kTend; }

std::optional<std::int64_t> upstream_row(const Job& job) {
  const auto& text = job.envelope.source;
  std::int64_t row = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), row);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return row;
}

}  // namespace cmpost
