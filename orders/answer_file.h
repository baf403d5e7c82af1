// What a person puts into `in`: certificates in whatever form a CA gives them out, or a refusal.
#pragma once

#include <string>
#include <vector>

#include "crypto/x509/certificate.h"
#include "queue/job.h"
#include "watcher/unwrap.h"

namespace cmpost {

// The certificates in octets of a stranger: DER of one, PEM of several, PKCS#7 of either, and keys
// or texts between them skipped. At least one; an Error says what it is instead. At most 32.
Result<std::vector<Certificate>> certificates_in(ByteView contents);

// The file as the payload of its job: `ORDER.rejected.txt` is the reason of a refusal, everything
// else holds certificates.
Unwrapped read_order_file(const std::string& name, Bytes contents);
// Says in the job's Envelope which of the two it is, and the order that the file is called by. Of
// certificates the key decides; the name tells orders for the same key apart.
void mark_order_job(const std::string& name, Job& job);

}  // namespace cmpost
