#include "app/instance/released_mail.h"

#include "mail/judge_mail.h"

namespace cmpost {

bool is_whole_mail(const ChannelSettings* channel, const Bytes& payload) {
  constexpr std::uint8_t kSequence = 0x30;  // as every PKIMessage begins, and no mail: '0'
  return channel != nullptr && channel->mail() != nullptr &&
         (payload.empty() || payload.front() != kSequence);
}

Result<void> release_mail(JobQueue& requests, const JobId& id, const ChannelSettings& channel,
                          const Clock& clock) {
  ASSIGN_OR_RETURN(const auto mail, requests.payload(id));
  ASSIGN_OR_RETURN(const auto smime, SmimeOpener::load(channel.mail()->smime, clock, channel.crls));
  const auto judgement = judge_mail(mail, "released " + id.text(), channel, smime.get(), true);
  if (judgement.requests.empty()) {
    return hold(judgement.reason.empty() ? "there is no PKIMessage in the mail" : judgement.reason,
                judgement.hint);
  }
  TRY(requests.put(judgement.requests));
  TRY(requests.drop(id, "released: its requests are jobs of their own"));
  return {};
}

}  // namespace cmpost
