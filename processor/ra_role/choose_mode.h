// How a request goes up to the CA.
#pragma once

#include <set>

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

// Where and how a request for certificates of these profiles goes up. A CA that is reached by
// orders gets p10cr, since a PKCS#10 needs the requester's own signature, and rr, which a person
// does there; everything else is badRequest (docs/ra.md).
struct WayUp {
  const ChannelPolicy* channel = nullptr;
  UpstreamMode mode = UpstreamMode::reprotect;
};
Checked<WayUp> way_up(const RaSettings& ra, const Request& request, const Requester& requester,
                      const std::set<std::string>& profiles, const ChannelPolicies& channels);

}  // namespace cmpost
