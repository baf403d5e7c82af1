// Revocation and the announcements.
#include "cmp/reading.h"

namespace cmpost::codec {
namespace {

Parsed<CAKeyUpdAnnContent> read_key_update_v2(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<CAKeyUpdAnnContent> {
    CAKeyUpdAnnContent content;
    ASSIGN_OR_RETURN(content.oldWithNew, named("oldWithNew", read_certificate(at)));
    ASSIGN_OR_RETURN(content.newWithOld, named("newWithOld", read_certificate(at)));
    ASSIGN_OR_RETURN(content.newWithNew, named("newWithNew", read_certificate(at)));
    return content;
  });
}

}  // namespace

Parsed<RootCaKeyUpdateContent> read_root_ca_key_update(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<RootCaKeyUpdateContent> {
    RootCaKeyUpdateContent content;
    ASSIGN_OR_RETURN(content.newWithNew, named("newWithNew", read_certificate(at)));
    ASSIGN_OR_RETURN(content.newWithOld, optional_explicit(at, 0, "newWithOld", read_certificate));
    ASSIGN_OR_RETURN(content.oldWithNew, optional_explicit(at, 1, "oldWithNew", read_certificate));
    return content;
  });
}

Parsed<body::ckuann> read_ca_key_update(Reader& at) {
  if (at.peek() == der::kSequence) {
    ASSIGN_OR_RETURN(CAKeyUpdAnnContent content, read_key_update_v2(at));
    return body::ckuann{std::move(content)};
  }
  ASSIGN_OR_RETURN(RootCaKeyUpdateContent content, explicitly(at, 0, read_root_ca_key_update));
  return body::ckuann{std::move(content)};
}

Parsed<RevDetails> read_revocation_details(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<RevDetails> {
    const auto extensions = [&](Reader& in) { return read_extensions(in, limits); };
    RevDetails details;
    ASSIGN_OR_RETURN(details.certDetails, named("certDetails", read_cert_template(at, limits)));
    ASSIGN_OR_RETURN(details.crlEntryDetails,
                     optional(at, der::kSequence, "crlEntryDetails", extensions));
    return details;
  });
}

Parsed<RevRepContent> read_revocation_response(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<RevRepContent> {
    const std::size_t limit = limits.max_cert_requests;
    const auto status = [&](Reader& in) { return read_status_info(in, limits); };
    const auto ids = [&](Reader& in) { return list(in, limit, read_cert_id); };
    const auto crls = [&](Reader& in) { return list(in, limit, whole_sequence); };
    RevRepContent content;
    ASSIGN_OR_RETURN(content.status, named("status", list(at, limit, status)));
    ASSIGN_OR_RETURN(content.revCerts, optional_explicit(at, 0, "revCerts", ids));
    ASSIGN_OR_RETURN(content.crls, optional_explicit(at, 1, "crls", crls));
    return content;
  });
}

Parsed<RevAnnContent> read_revocation_announcement(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<RevAnnContent> {
    const auto extensions = [&](Reader& in) { return read_extensions(in, limits); };
    RevAnnContent content;
    ASSIGN_OR_RETURN(const int status, named("status", small_integer(at)));
    content.status = static_cast<PKIStatus>(status);
    ASSIGN_OR_RETURN(content.certId, named("certId", read_cert_id(at)));
    ASSIGN_OR_RETURN(content.willBeRevokedAt, named("willBeRevokedAt", exact_time(at)));
    ASSIGN_OR_RETURN(content.badSinceDate, named("badSinceDate", exact_time(at)));
    ASSIGN_OR_RETURN(content.crlDetails, optional(at, der::kSequence, "crlDetails", extensions));
    return content;
  });
}

}  // namespace cmpost::codec
