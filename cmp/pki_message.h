// PKIMessage and its strict DER codec (RFC 9810 5.1, R-001, R-002, R-022).
#pragma once

#include <optional>
#include <vector>

#include "cmp/pki_body.h"
#include "cmp/pki_failure_info.h"
#include "cmp/pki_header.h"

namespace cmpost {

// Bounds that are checked before memory is taken.
struct MessageLimits {
  std::size_t max_message = 1 << 20;
  std::size_t max_extra_certs = 64;
  std::size_t max_cert_requests =
      1000;  // CertReqMsg, CertResponse, RevDetails, CertStatus, ... per message
  std::size_t max_nested = 20'000;  // PKIMessages in one nested body
  std::size_t max_general_info = 64;
  std::size_t max_free_text = 32;
  std::size_t max_string = 4096;  // octets of a UTF8String, a nonce, a key identifier
  std::size_t max_extensions = 64;
};

struct Protection {
  Bytes bits;
  unsigned unused_bits = 0;
};

struct PKIMessage {
  PKIHeader header;
  PKIBody body;
  std::optional<Protection> protection;
  OptionalList<CMPCertificate> extraCerts;  // empty: absent
  // Set by decode(): the exact octets of header and body, one behind the other. Protection is
  // computed over these in a SEQUENCE of their own (RFC 9810 5.1.3), never over a re-encoding.
  Bytes protected_part;  // DER ProtectedPart: SEQUENCE { header, body } with the received octets
};

// What can be said of an input that is no good PKIMessage.
struct DecodeFault {
  std::size_t offset = 0;
  std::string what;  // "offset 12: header: senderNonce: expected OCTET STRING" without the offset
  // The header, when that much could be read: enough to answer with badDataFormat.
  std::optional<PKIHeader> header;
  std::string text() const;
};

// Decodes exactly one message; every octet of `input` belongs to it. Nothing of `input` is referred
// to afterwards. Encoding the result gives the same octets, apart from DER that other types would
// have (unknown string types inside names are kept as they are).
tl::expected<PKIMessage, DecodeFault> decode(ByteView input, const MessageLimits& limits = {});

// The header of an input that may be no good as a whole. The outer length is not believed, so that
// a message that was cut off can still be answered.
std::optional<PKIHeader> readable_header(ByteView input, const MessageLimits& limits = {});

// The parts of a message as views into `input`, without decoding them: cheap, for routing and for
// nested bodies. Lengths and order are checked, contents are not.
struct MessageParts {
  ByteView header, body, protection, extra_certs;  // whole elements; the last two may be empty
  unsigned body_tag = 0;                           // 0..26
};
der::Parsed<MessageParts> split(ByteView input);

// DER of header and body: what is signed or MACed, and then completed by encode().
Bytes encode_protected_part(const PKIHeader& header, const PKIBody& body);
// The whole message from a ProtectedPart made by the function above (or received), which is moved:
// a large one is not copied.
Bytes encode(Bytes protected_part, const std::optional<Protection>& protection,
             const std::vector<CMPCertificate>& extraCerts);
// The whole message; uses message.protected_part when it is set, else encodes header and body.
Bytes encode(const PKIMessage& message);
// The whole message from the values of header and body alone, whatever protected_part holds. For
// what decode() gave these are the octets that were decoded.
Bytes encode_again(const PKIMessage& message);

}  // namespace cmpost
