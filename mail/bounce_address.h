// The return path of an answer names its job, so that a delivery report can be matched even when it
// quotes nothing.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "mime/read_mail.h"
#include "queue/job.h"

namespace cmpost {

// "pki+b.<token>@example" of "pki@example": the token is the job's id and a MAC over it in 40
// lower-case letters and digits. Servers deliver it to "pki" where '+' separates details (RFC
// 5233). When the local part would exceed the 64 octets of RFC 5321 4.5.3.1.1, `from` itself.
Result<Mailbox> bounce_address(const Mailbox& from, const JobId& job, ByteView key);

// Whether something in the text looks like such an address, whoever made it.
bool names_bounce_address(std::string_view text);

// The job, when the address is one that bounce_address() made with this key; upper and lower case
// are the same. A stranger cannot make one, but anybody who got a mail from us can repeat it: what
// comes there is a hint and no proof.
std::optional<JobId> job_of_bounce_address(const Mailbox& address, ByteView key);

}  // namespace cmpost
