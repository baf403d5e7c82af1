#include "queue/answer_message_id.h"

namespace cmpost {
namespace {

constexpr std::size_t kJobDigits = 2 * sizeof(JobId::octets);

std::string end_of(std::string_view domain) { return "@" + std::string(domain) + ">"; }

}  // namespace

std::string answer_message_id(const JobId& job, std::string_view instance,
                              std::string_view domain) {
  return "<" + job.text() + "." + std::string(instance) + end_of(domain);
}

bool is_answer_message_id(std::string_view id, std::string_view domain) {
  return id.size() > kJobDigits + 2 && id.front() == '<' && id.ends_with(end_of(domain)) &&
         id[kJobDigits + 1] == '.' && from_hex(id.substr(1, kJobDigits)).has_value();
}

}  // namespace cmpost
