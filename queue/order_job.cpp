#include "queue/order_job.h"

#include <algorithm>

namespace cmpost {

std::string_view to_string(OrderNews news) {
  switch (news) {
    case OrderNews::certificates:
      return "certificates";
    case OrderNews::refused:
      return "refused";
    default:
      return "revoked";
  }
}

std::optional<OrderNews> order_news(std::string_view body) {
  for (const auto one : {OrderNews::certificates, OrderNews::refused, OrderNews::revoked}) {
    if (to_string(one) == body) return one;
  }
  return std::nullopt;
}

std::string order_name(std::string_view tid) { return std::string(tid.substr(0, 2 * kOrderName)); }

bool is_order_name(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() >= 2 * kOrderName && text.size() <= 256 && text.size() % 2 == 0 &&
         std::ranges::all_of(text, is_digit);
}

Job order_job(const std::string& channel, OrderNews news, const std::string& tid,
              const std::string& source, Bytes payload) {
  Job job;
  job.id = make_job_id({view_of("order"), view_of(channel), view_of(to_string(news)), view_of(tid),
                        view_of(source), payload});
  job.envelope.channel = channel;
  job.envelope.source = source;
  job.envelope.reply.channel = channel;
  job.envelope.body = to_string(news);
  job.envelope.tid = tid;
  job.payload = std::move(payload);
  return job;
}

}  // namespace cmpost
