// The smaller bodies: challenges, errors, confirmation and polling.
#include "cmp/reading.h"

namespace cmpost::codec {
namespace {

Parsed<Challenge> read_challenge(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<Challenge> {
    const auto algorithm = [](Reader& in) { return read_algorithm(in); };
    // [0] is explicit here, around the universal EnvelopedData; the whole of it is kept.
    const auto enveloped = [](Reader& in) -> Parsed<Bytes> {
      const Reader start = in;
      TRY(explicitly(in, 0, whole_sequence));
      return to_bytes(consumed(start, in));
    };
    Challenge challenge;
    ASSIGN_OR_RETURN(challenge.owf, optional(at, der::kSequence, "owf", algorithm));
    ASSIGN_OR_RETURN(challenge.witness, named("witness", octets(at, limits.max_message)));
    ASSIGN_OR_RETURN(challenge.challenge, named("challenge", octets(at, limits.max_message)));
    ASSIGN_OR_RETURN(challenge.encryptedRand,
                     optional(at, der::context_constructed(0), "encryptedRand", enveloped));
    return challenge;
  });
}

}  // namespace

Parsed<body::popdecc> read_challenges(Reader& reader, const MessageLimits& limits) {
  const auto challenge = [&](Reader& at) { return read_challenge(at, limits); };
  ASSIGN_OR_RETURN(auto challenges, list(reader, limits.max_cert_requests, challenge));
  return body::popdecc{std::move(challenges)};
}

Parsed<ErrorMsgContent> read_error(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<ErrorMsgContent> {
    const auto number = [](Reader& in) { return in.integer(); };
    ErrorMsgContent content;
    ASSIGN_OR_RETURN(content.pKIStatusInfo, named("pKIStatusInfo", read_status_info(at, limits)));
    ASSIGN_OR_RETURN(content.errorCode, optional(at, der::kInteger, "errorCode", number));
    if (at.peek() == der::kSequence) {
      ASSIGN_OR_RETURN(content.errorDetails, named("errorDetails", read_free_text(at, limits)));
    }
    return content;
  });
}

Parsed<CertStatus> read_cert_status(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<CertStatus> {
    const auto info = [&](Reader& in) { return read_status_info(in, limits); };
    const auto algorithm = [](Reader& in) { return read_algorithm(in); };
    CertStatus status;
    ASSIGN_OR_RETURN(status.certHash, named("certHash", octets(at, limits.max_string)));
    ASSIGN_OR_RETURN(status.certReqId, named("certReqId", at.integer()));
    ASSIGN_OR_RETURN(status.statusInfo, optional(at, der::kSequence, "statusInfo", info));
    ASSIGN_OR_RETURN(status.hashAlg, optional_explicit(at, 0, "hashAlg", algorithm));
    return status;
  });
}

Parsed<PollReq> read_poll_request(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<PollReq> {
    PollReq request;
    ASSIGN_OR_RETURN(request.certReqId, named("certReqId", at.integer()));
    return request;
  });
}

Parsed<PollRep> read_poll_response(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<PollRep> {
    PollRep response;
    ASSIGN_OR_RETURN(response.certReqId, named("certReqId", at.integer()));
    ASSIGN_OR_RETURN(response.checkAfter, named("checkAfter", at.integer()));
    if (at.at_end()) return response;
    ASSIGN_OR_RETURN(response.reason, named("reason", read_free_text(at, limits)));
    return response;
  });
}

}  // namespace cmpost::codec
