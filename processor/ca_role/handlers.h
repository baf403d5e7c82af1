// One handler per body: from a request whose sender is known to an answer and what it changes.
#pragma once

#include "processor/admission/request.h"
#include "processor/ca_role/ca_services.h"
#include "processor/rights/requester.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// ir, cr, kur, ccr and p10cr. Faults of the body are
// part of the Answer: ip, cp, kup or ccp with a rejection; a Trouble is for everything
// else.
Outcome<Answer> handle_certification(const Request& request, const Requester& requester,
                                     CaServices& services);
Outcome<Answer> handle_p10cr(const Request& request, const Requester& requester,
                             CaServices& services);
// rr.
Outcome<Answer> handle_revocation(const Request& request, const Requester& requester,
                                  CaServices& services);
// krr, where the channel has `recovery`: always after the consent of two people.
// Faults are in krp; badRequest where it is off.
Outcome<Answer> handle_recovery(const Request& request, const Requester& requester,
                                CaServices& services);
// genm.
Outcome<Answer> handle_genm(const Request& request, const Requester& requester,
                            CaServices& services);

// The next two go on with `transaction`, which is open and the requester's.
// certConf.
Outcome<Answer> handle_certConf(const Request& request, const Requester& requester,
                                const Transaction& transaction, CaServices& services);
// certConf is about `transaction.certificates`, all of them.
// error from the requester: the end of the transaction.
Outcome<Answer> handle_error(const Request& request, const Requester& requester,
                             const Transaction& transaction, CaServices& services);

// The revocation of what a requester did not confirm in time, and of what it does not
// accept: the latter also where silence would have been acceptance.
Result<Effects> withdraw_unconfirmed(const Transaction& transaction, std::string_view why, Time now,
                                     CaServices& services);
Result<Effects> withdraw_refused(const Transaction& transaction, std::string_view why, Time now,
                                 CaServices& services);

}  // namespace cmpost
