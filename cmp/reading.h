// The vocabulary of the cmp readers: fields with names, explicit tags, lists with a limit. Private
// to this folder.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "asn1/der.h"
#include "cmp/pki_message.h"

namespace cmpost::codec {

using der::Parsed;
using der::Reader;

template <typename Read>
using ValueOf = typename std::invoke_result_t<Read, Reader&>::value_type;

// Puts the name of the field before what is wrong with it: "header: senderNonce: ...".
template <typename T>
Parsed<T> named(std::string_view field, Parsed<T> parsed) {
  if (!parsed) parsed.error().what.insert(0, std::string(field) + ": ");
  return parsed;
}

// The only content of the next element, which must have `tag`.
template <typename Read>
Parsed<ValueOf<Read>> enclosed(Reader& reader, der::Tag tag, Read&& read) {
  ASSIGN_OR_RETURN(Reader inside, reader.enter(tag));
  auto value = read(inside);
  if (!value) return value;
  TRY(inside.finish());
  return value;
}

// `name [number] T`, in a module with EXPLICIT TAGS or around a CHOICE.
template <typename Read>
Parsed<ValueOf<Read>> explicitly(Reader& reader, unsigned number, Read&& read) {
  return enclosed(reader, der::context_constructed(number), read);
}

// What `read` gives when the next element has `tag`, else nothing.
template <typename Read>
Parsed<std::optional<ValueOf<Read>>> optional(Reader& reader, der::Tag tag, std::string_view field,
                                              Read&& read) {
  if (reader.peek() != tag) return std::nullopt;
  auto value = named(field, read(reader));
  if (!value) return failure(std::move(value).error());
  return std::move(*value);
}

// `name [number] T OPTIONAL` with an explicit tag.
template <typename Read>
Parsed<std::optional<ValueOf<Read>>> optional_explicit(Reader& reader, unsigned number,
                                                       std::string_view field, Read&& read) {
  return optional(reader, der::context_constructed(number), field,
                  [&](Reader& at) { return explicitly(at, number, read); });
}

// SEQUENCE OF. Elements are counted while they are read: beyond `limit` nothing is stored.
template <typename Read>
Parsed<std::vector<ValueOf<Read>>> list(Reader& reader, std::size_t limit, Read&& read,
                                        der::Tag tag = der::kSequence) {
  ASSIGN_OR_RETURN(Reader inside, reader.enter(tag));
  std::vector<ValueOf<Read>> items;
  while (!inside.at_end()) {
    if (items.size() == limit) {
      return inside.fault("more than " + std::to_string(limit) + " elements");
    }
    auto item = read(inside);
    if (!item) return failure(std::move(item).error());
    items.push_back(std::move(*item));
  }
  return items;
}

// SEQUENCE SIZE (1..MAX) OF ... OPTIONAL that is here: remembers when it is empty.
template <typename Read>
Parsed<OptionalList<ValueOf<Read>>> present_list(Reader& reader, std::size_t limit, Read&& read) {
  ASSIGN_OR_RETURN(OptionalList<ValueOf<Read>> items, list(reader, limit, read));
  items.sent_empty = items.empty();
  return items;
}

// The octets between two states of a reader.
inline ByteView consumed(const Reader& before, const Reader& now) {
  return before.rest().first(before.rest().size() - now.rest().size());
}
// One element with `tag` as it stands; its content is not looked at.
Parsed<Bytes> whole(Reader& reader, der::Tag tag);
inline Parsed<Bytes> whole_sequence(Reader& reader) { return whole(reader, der::kSequence); }
// An OCTET STRING of at most `limit` octets.
Parsed<Bytes> octets(Reader& reader, std::size_t limit);
// An INTEGER that a program uses as a number of 32 bits, named values and others.
Parsed<int> small_integer(Reader& reader, der::Tag tag = der::kInteger);
// GeneralizedTime, refused when writing it back would give other octets.
Parsed<Time> exact_time(Reader& reader);
// Extensions, counted.
Parsed<Extensions> read_extensions(Reader& reader, const MessageLimits& limits,
                                   der::Tag tag = der::kSequence);

Parsed<PKIHeader> read_header(Reader& reader, const MessageLimits& limits);
Parsed<PKIFreeText> read_free_text(Reader& reader, const MessageLimits& limits);
Parsed<InfoTypeAndValue> read_info(Reader& reader);
Parsed<CMPCertificate> read_certificate(Reader& reader);

Parsed<CertReqMessages> read_cert_requests(Reader& reader, const MessageLimits& limits);
Parsed<CertRequest> read_cert_request(Reader& reader, const MessageLimits& limits);
Parsed<CertTemplate> read_cert_template(Reader& reader, const MessageLimits& limits);
Parsed<std::vector<Attribute>> read_attributes(Reader& reader);
Parsed<ProofOfPossession> read_proof_of_possession(Reader& reader);
Parsed<CertId> read_cert_id(Reader& reader);
Parsed<PKMACValue> read_mac_value(Reader& reader, der::Tag tag = der::kSequence);
Parsed<PKIPublicationInfo> read_publication_info(Reader& reader);

Parsed<PKIStatusInfo> read_status_info(Reader& reader, const MessageLimits& limits);
Parsed<CertRepMessage> read_cert_response(Reader& reader, const MessageLimits& limits);
Parsed<CertifiedKeyPair> read_key_pair(Reader& reader);
Parsed<EncryptedKey> read_encrypted_key(Reader& reader);
Parsed<body::popdecc> read_challenges(Reader& reader, const MessageLimits& limits);
Parsed<KeyRecRepContent> read_key_recovery(Reader& reader, const MessageLimits& limits);
Parsed<RevDetails> read_revocation_details(Reader& reader, const MessageLimits& limits);
Parsed<RevRepContent> read_revocation_response(Reader& reader, const MessageLimits& limits);
Parsed<RevAnnContent> read_revocation_announcement(Reader& reader, const MessageLimits& limits);
Parsed<RootCaKeyUpdateContent> read_root_ca_key_update(Reader& reader);
Parsed<body::ckuann> read_ca_key_update(Reader& reader);
Parsed<ErrorMsgContent> read_error(Reader& reader, const MessageLimits& limits);
Parsed<CertStatus> read_cert_status(Reader& reader, const MessageLimits& limits);
Parsed<PollReq> read_poll_request(Reader& reader);
Parsed<PollRep> read_poll_response(Reader& reader, const MessageLimits& limits);

// The whole PKIBody, with its explicit tag.
Parsed<PKIBody> read_body(Reader& reader, const MessageLimits& limits);

}  // namespace cmpost::codec
