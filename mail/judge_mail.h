// What is to become of one mail.
#pragma once

#include <string>
#include <vector>

#include "config/channel_settings.h"
#include "mail/mail_source.h"
#include "mail/smime_opener.h"
#include "mime/read_mail.h"
#include "queue/job.h"

namespace cmpost {

struct MailJudgement {
  MailPlace place = MailPlace::foreign;
  std::vector<Job> requests;  // one for each PKIMessage that can be taken
  // place == quarantine: why, and what can be done. What is good in the mail is taken all the same.
  std::string reason, hint;
  std::vector<DeliveryReport> reports;  // of a bounce
  std::string sender;                   // From, for the budget; empty when there is none
  std::string subject;                  // for people
};

// `arrival` is MailHandle::arrival: together with channel, part and octets it makes the job's id,
// so the same mail seen twice makes the same jobs. `smime` is nullptr when the channel opens no
// S/MIME. `trusted`: an operator released it, the sender's address and signature do not matter any
// more.
MailJudgement judge_mail(ByteView raw, const std::string& arrival, const ChannelSettings& channel,
                         const SmimeOpener* smime, bool trusted = false);

// The whole mail as a job that waits for an operator.
Job quarantined_mail(ByteView raw, const std::string& arrival, const ChannelSettings& channel,
                     const std::string& source);

}  // namespace cmpost
