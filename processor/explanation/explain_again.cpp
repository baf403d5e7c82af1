#include "processor/explanation/explain_again.h"

#include "processor/admission/asked_certificate.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"

namespace cmpost {

Result<CheckVerdicts> explain_again(const Asked& asked, LedgerReader& ledger,
                                    const ProcessorServices& services) {
  const auto channel = services.channels.find(asked.channel);
  if (channel == services.channels.end()) return CheckVerdicts();
  Request request;
  request.channel = &channel->second;
  request.now = request.sure = request.likely = asked.at;
  request.message = asked.message;
  request.der = to_bytes(asked.der);
  request.digest = asked.digest;
  if (const auto wishes = check_header(request.message, *request.channel, request.now)) {
    request.wishes = *wishes;
  }
  TokenLog tokens;
  Services local{services.identity, ledger, services.sealing_key, services.random, tokens};
  ASSIGN_OR_RETURN(const auto requester, apart(authenticate(request, local)));
  if (!requester) return CheckVerdicts();
  mean_only_profile(request, *requester);
  return services.role.explain(request, *requester, local);
}

}  // namespace cmpost
