// The codec of hostile octets: what decode() accepts must come back unchanged, from the octets kept
// and from the values alone; split() must agree with it; and it can be told to people.
#include "base/result.h"
#include "cmp/inspect/inspect.h"
#include "cmp/nesting.h"
#include "cmp/pki_message.h"
#include "fuzz.h"

namespace {

using namespace cmpost;

void check_parts(const PKIMessage& message, ByteView input) {
  const auto parts = split(input);
  CHECK(parts.has_value());
  CHECK(parts->body_tag == message.body.index());
  CHECK(parts->protection.empty() != message.protection.has_value());
  CHECK(parts->extra_certs.empty() != message.extraCerts.present());
  der::Writer part;
  Bytes header_and_body = to_bytes(parts->header);
  append(header_and_body, parts->body);
  part.primitive(der::kSequence, header_and_body);
  CHECK(equal(part.bytes(), message.protected_part));
}

// What is seen without decoding agrees with what is decoded.
void check_nesting(const PKIMessage& message, ByteView input) {
  const auto members = nested_members(input);
  const auto* nested = std::get_if<body::nested>(&message.body);
  CHECK(is_nested(input) == (nested != nullptr));
  CHECK(members.size() == (nested != nullptr ? nested->messages.size() : 0));
  for (std::size_t i = 0; i < members.size(); ++i) CHECK(equal(members[i], nested->messages[i]));
}

void check_requests(const PKIMessage& message) {
  const auto* requests = cert_requests(message.body);
  if (requests == nullptr) return;
  for (const auto& request : *requests) {
    CHECK(equal(encode(request.certReq), request.certReq.der));
    const auto* key = request.popo ? std::get_if<POPOSigningKey>(&*request.popo) : nullptr;
    if (key && key->poposkInput) CHECK(equal(encode(*key->poposkInput), key->poposkInput->der));
    for (const auto& control : request.certReq.controls.value_or(Controls())) {
      (void)read_cert_id(control.value);
      (void)read_publication_info(control.value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  CHECK(nesting_depth(input, 3) <= 3);
  const auto message = decode(input);
  if (!message) {
    CHECK(!message.error().what.empty());
    return 0;
  }
  CHECK(equal(encode(*message), input));
  CHECK(equal(encode_again(*message), input));
  check_parts(*message, input);
  check_nesting(*message, input);
  check_requests(*message);
  CHECK(!inspect_text(*message).empty());
  CHECK(!inspect_json(*message).empty());
  return 0;
}
