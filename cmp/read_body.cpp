// PKIBody: a row for each of the 27 choices.
#include <array>

#include "cmp/reading.h"

namespace cmpost::codec {
namespace {

using Limits = MessageLimits;
using ReadChoice = Parsed<PKIBody> (*)(Reader&, const Limits&);

template <typename Choice>
Parsed<PKIBody> read_requests(Reader& at, const Limits& limits) {
  ASSIGN_OR_RETURN(CertReqMessages requests, read_cert_requests(at, limits));
  return Choice{std::move(requests)};
}

template <typename Choice>
Parsed<PKIBody> read_response(Reader& at, const Limits& limits) {
  ASSIGN_OR_RETURN(CertRepMessage response, read_cert_response(at, limits));
  return Choice{std::move(response)};
}

template <typename Choice>
Parsed<PKIBody> read_general(Reader& at, const Limits& limits) {
  ASSIGN_OR_RETURN(GeneralInfo items, list(at, limits.max_general_info, read_info));
  return Choice{std::move(items)};
}

// A choice that is one value of a type with a reader of its own.
template <typename Choice, auto read>
Parsed<PKIBody> read_single(Reader& at, const Limits& limits) {
  auto value = [&] {
    if constexpr (std::is_invocable_v<decltype(read), Reader&, const Limits&>) {
      return read(at, limits);
    } else {
      return read(at);
    }
  }();
  if (!value) return failure(std::move(value).error());
  return Choice{std::move(*value)};
}

// A choice that is a SEQUENCE OF such values.
template <typename Choice, auto read>
Parsed<PKIBody> read_several(Reader& at, const Limits& limits) {
  const auto read_item = [&](Reader& in) {
    if constexpr (std::is_invocable_v<decltype(read), Reader&, const Limits&>) {
      return read(in, limits);
    } else {
      return read(in);
    }
  };
  ASSIGN_OR_RETURN(auto items, list(at, limits.max_cert_requests, read_item));
  return Choice{std::move(items)};
}

Parsed<PKIBody> read_challenge_body(Reader& at, const Limits& limits) {
  ASSIGN_OR_RETURN(body::popdecc challenges, read_challenges(at, limits));
  return challenges;
}

Parsed<Bytes> read_big_integer(Reader& at) { return at.big_integer(); }

Parsed<PKIBody> read_ckuann(Reader& at, const Limits&) {
  ASSIGN_OR_RETURN(body::ckuann content, read_ca_key_update(at));
  return content;
}

Parsed<PKIBody> read_confirmation(Reader& at, const Limits&) {
  TRY(at.null());
  return body::pkiconf{};
}

// The inner messages are cut out and no more, so that the depth of nesting costs nothing here
// (RFC 9810 5.1.3.5, R-022).
Parsed<PKIBody> read_nested(Reader& at, const Limits& limits) {
  ASSIGN_OR_RETURN(std::vector<Bytes> messages, list(at, limits.max_nested, whole_sequence));
  return body::nested{std::move(messages)};
}

constexpr std::array<ReadChoice, std::variant_size_v<PKIBody>> kChoices = {
    read_requests<body::ir>,
    read_response<body::ip>,
    read_requests<body::cr>,
    read_response<body::cp>,
    read_single<body::p10cr, read_certification_request>,
    read_challenge_body,
    read_several<body::popdecr, read_big_integer>,
    read_requests<body::kur>,
    read_response<body::kup>,
    read_requests<body::krr>,
    read_single<body::krp, read_key_recovery>,
    read_several<body::rr, read_revocation_details>,
    read_single<body::rp, read_revocation_response>,
    read_requests<body::ccr>,
    read_response<body::ccp>,
    read_ckuann,
    read_single<body::cann, read_certificate>,
    read_single<body::rann, read_revocation_announcement>,
    read_several<body::crlann, whole_sequence>,
    read_confirmation,
    read_nested,
    read_general<body::genm>,
    read_general<body::genp>,
    read_single<body::error, read_error>,
    read_several<body::certConf, read_cert_status>,
    read_several<body::pollReq, read_poll_request>,
    read_several<body::pollRep, read_poll_response>,
};

}  // namespace

Parsed<PKIBody> read_body(Reader& reader, const MessageLimits& limits) {
  const unsigned number = reader.peek() ^ der::context_constructed(0);
  if (number >= kChoices.size()) return reader.fault("body: no choice of PKIBody has this tag");
  auto read = [&](Reader& at) { return kChoices[number](at, limits); };
  return named(body_name(number), explicitly(reader, number, read));
}

}  // namespace cmpost::codec
