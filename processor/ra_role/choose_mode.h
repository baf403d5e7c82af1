// How a request goes up to the CA.
#pragma once

#include "config/settings.h"
#include "processor/admission/request.h"
#include "processor/upstream/upstream_message.h"

namespace cmpost {

// What a CA can do with a request, and an RA may do to it, decides; the settings are a wish.
//   protected by        ir cr p10cr      kur, key by the CA   rr           genm
//   certificate         all              forward nest         all          all
//   secret              reprotect        none                 reprotect    reprotect
// kur is never re-protected, since the CA must know the old certificate, and neither is what asks
// for a key that is made by the CA, which encrypts it to who has protected the request (RFC 9483
// 5.2.1, 5.2.3). A MAC is known here alone, so nobody above could verify it (5.2.3). Where people
// or this RA decide about who else cannot be asked, notAuthorized. `batch` chooses as `forward`
// does: the batch is about how messages travel (5.2.2.2).
Checked<UpstreamMode> choose_mode(RaSettings::Mode wish, const Request& request,
                                  const Requester& requester);

}  // namespace cmpost
