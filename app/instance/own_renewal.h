// The certificate of an RA's own: asked for in time, put into use, and what stands in its way.
#pragma once

#include <optional>
#include <string>

#include "app/instance/instance.h"
#include "processor/upstream/own_renewal.h"

namespace cmpost {

// From when on it is asked for by itself; nullopt: never (`renew_before = "0s"`).
std::optional<Time> renewal_due(const RaSettings& settings, const Certificate& present);
// When it is tried anew after so many failures, of which `newest` is the last: later each time, a
// day at most.
Time next_try(const OwnRenewal& newest, std::int64_t failures);

// By what it would be asked for, the settings and the present certificate being what they are;
// nullopt: by nothing that is known, since the CA has not issued it and `renew_by` names nothing.
Result<std::optional<std::string>> own_renewal_body(Instance& instance);

// Stores a request with its new key; it leaves by the timers. `body`: "" as above. hold: one is
// under way, or it cannot be asked for.
Result<OwnRenewal> begin_own_renewal(Instance& instance, const std::string& body,
                                     const std::string& by);
// Nobody waits for it any more, nor for what it has sent. Hold: it has gone on meanwhile.
Result<void> end_by_hand(const OwnRenewal& renewal, Time now, LedgerWriter& writer);
// Before anybody uses identity(): a certificate that was granted comes into use, also where a
// process died when it was about to. Where its files cannot be written it is logged, and the
// present pair stays in use.
Result<void> settle_own_certificate(Instance& instance);
// Before anybody works: what goes on under a former certificate goes on under it.
Result<void> recall_former_certificates(Instance& instance);
// Now and then: puts into use what was granted, forgets formers that nothing goes on under, and
// asks for the next one in time.
Result<void> tend_own_certificate(Instance& instance);
// Whether identity() is of another certificate than the files by now: who works has to open the
// instance anew.
bool own_certificate_has_changed(Instance& instance);

}  // namespace cmpost
