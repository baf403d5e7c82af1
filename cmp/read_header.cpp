// PKIHeader and what it shares with the bodies.
#include "cmp/reading.h"

namespace cmpost::codec {

Parsed<PKIFreeText> read_free_text(Reader& reader, const MessageLimits& limits) {
  return present_list(reader, limits.max_free_text, [&](Reader& at) -> Parsed<std::string> {
    const Reader start = at;
    ASSIGN_OR_RETURN(std::string text, at.utf8_string());
    if (text.size() > limits.max_string) return start.fault("text is too long");
    return text;
  });
}

Parsed<InfoTypeAndValue> read_info(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<InfoTypeAndValue> {
    InfoTypeAndValue info;
    ASSIGN_OR_RETURN(info.infoType, named("infoType", at.object_identifier()));
    if (at.at_end()) return info;
    ASSIGN_OR_RETURN(const der::Element value, named("infoValue", at.any()));
    info.infoValue = to_bytes(value.whole);
    return info;
  });
}

namespace {

// The five OCTET STRINGs in their order, [2] to [6].
Parsed<void> read_identifiers(Reader& at, PKIHeader& header, const MessageLimits& limits) {
  const auto string = [&](Reader& inside) { return octets(inside, limits.max_string); };
  ASSIGN_OR_RETURN(header.senderKID, optional_explicit(at, 2, "senderKID", string));
  ASSIGN_OR_RETURN(header.recipKID, optional_explicit(at, 3, "recipKID", string));
  ASSIGN_OR_RETURN(header.transactionID, optional_explicit(at, 4, "transactionID", string));
  ASSIGN_OR_RETURN(header.senderNonce, optional_explicit(at, 5, "senderNonce", string));
  ASSIGN_OR_RETURN(header.recipNonce, optional_explicit(at, 6, "recipNonce", string));
  return {};
}

Parsed<void> read_remarks(Reader& at, PKIHeader& header, const MessageLimits& limits) {
  const auto text = [&](Reader& inside) { return read_free_text(inside, limits); };
  const auto infos = [&](Reader& inside) {
    return present_list(inside, limits.max_general_info, read_info);
  };
  ASSIGN_OR_RETURN(auto freeText, optional_explicit(at, 7, "freeText", text));
  if (freeText) header.freeText = std::move(*freeText);
  ASSIGN_OR_RETURN(auto generalInfo, optional_explicit(at, 8, "generalInfo", infos));
  if (generalInfo) header.generalInfo = std::move(*generalInfo);
  return {};
}

Parsed<PKIHeader> read_header_fields(Reader& at, const MessageLimits& limits) {
  const auto algorithm = [](Reader& inside) { return read_algorithm(inside); };
  PKIHeader header;
  ASSIGN_OR_RETURN(header.pvno, named("pvno", at.integer()));
  ASSIGN_OR_RETURN(header.sender, named("sender", read_general_name(at)));
  ASSIGN_OR_RETURN(header.recipient, named("recipient", read_general_name(at)));
  ASSIGN_OR_RETURN(header.messageTime, optional_explicit(at, 0, "messageTime", exact_time));
  ASSIGN_OR_RETURN(header.protectionAlg, optional_explicit(at, 1, "protectionAlg", algorithm));
  TRY(read_identifiers(at, header, limits));
  TRY(read_remarks(at, header, limits));
  return header;
}

}  // namespace

Parsed<PKIHeader> read_header(Reader& reader, const MessageLimits& limits) {
  return named("header", enclosed(reader, der::kSequence,
                                  [&](Reader& at) { return read_header_fields(at, limits); }));
}

}  // namespace cmpost::codec
