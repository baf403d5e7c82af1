// What answers: PKIStatusInfo, certificates issued, recovered and revoked.
#include "cmp/reading.h"

namespace cmpost::codec {
namespace {

// Bit i of the result is named bit i. In DER trailing zero bits of a NamedBitList are cut (X.690
// 11.2.2), so that only what is written back unchanged is taken.
Parsed<std::uint64_t> read_failure_bits(Reader& at) {
  const Reader start = at;
  ASSIGN_OR_RETURN(const auto string, at.bit_string());
  const auto octets = string.octets;
  if (octets.size() > 8) return start.fault("more than 64 bits");
  if (!octets.empty() && ((octets.back() >> string.unused_bits) & 1) == 0) {
    return start.fault("trailing zero bits in a NamedBitList");
  }
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < octets.size() * 8; ++i) {
    if ((octets[i / 8] & (0x80 >> i % 8)) != 0) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

// EncryptedValue (RFC 4211 2.1): what it holds is for others, its shape is checked.
Parsed<void> check_encrypted_value(Reader at) {
  const auto skip = [&](unsigned number, auto&& read) -> Parsed<void> {
    if ((at.peek() & ~0x20) != der::context(number)) return {};
    TRY(read(at));
    return {};
  };
  const auto algorithm = [](unsigned number) {
    return [=](Reader& in) { return read_algorithm(in, der::context_constructed(number)); };
  };
  TRY(skip(0, algorithm(0)));
  TRY(skip(1, algorithm(1)));
  TRY(skip(2, [](Reader& in) { return in.bit_string(der::context(2)); }));
  TRY(skip(3, algorithm(3)));
  TRY(skip(4, [](Reader& in) { return in.octet_string(der::context(4)); }));
  TRY(at.bit_string());
  return at.finish();
}

Parsed<CertOrEncCert> read_cert_or_enc_cert(Reader& at) {
  CertOrEncCert result;
  if (at.peek() == der::context_constructed(0)) {
    ASSIGN_OR_RETURN(result.choice, named("certificate", explicitly(at, 0, read_certificate)));
  } else {
    ASSIGN_OR_RETURN(result.choice, named("encryptedCert", explicitly(at, 1, read_encrypted_key)));
  }
  return result;
}

Parsed<Bytes> read_publication_element(Reader& at) {
  const Reader start = at;
  TRY(read_publication_info(at));
  return to_bytes(consumed(start, at));
}

Parsed<CertResponse> read_single_response(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<CertResponse> {
    const auto any_octets = [&](Reader& in) { return octets(in, limits.max_message); };
    CertResponse response;
    ASSIGN_OR_RETURN(response.certReqId, named("certReqId", at.integer()));
    ASSIGN_OR_RETURN(response.status, named("status", read_status_info(at, limits)));
    ASSIGN_OR_RETURN(response.certifiedKeyPair,
                     optional(at, der::kSequence, "certifiedKeyPair", read_key_pair));
    ASSIGN_OR_RETURN(response.rspInfo, optional(at, der::kOctetString, "rspInfo", any_octets));
    return response;
  });
}

}  // namespace

Parsed<PKIStatusInfo> read_status_info(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<PKIStatusInfo> {
    PKIStatusInfo info;
    ASSIGN_OR_RETURN(const int status, named("status", small_integer(at)));
    info.status = static_cast<PKIStatus>(status);
    if (at.peek() == der::kSequence) {
      ASSIGN_OR_RETURN(info.statusString, named("statusString", read_free_text(at, limits)));
    }
    ASSIGN_OR_RETURN(info.failInfo, optional(at, der::kBitString, "failInfo", read_failure_bits));
    return info;
  });
}

Parsed<EncryptedKey> read_encrypted_key(Reader& at) {
  if (at.peek() == der::context_constructed(0)) {
    ASSIGN_OR_RETURN(Bytes der, whole(at, der::context_constructed(0)));
    return EncryptedKey{EncryptedKey::Kind::envelopedData, std::move(der)};
  }
  ASSIGN_OR_RETURN(const der::Element element, at.expect(der::kSequence));
  TRY(named("encryptedValue", check_encrypted_value(at.inside(element))));
  return EncryptedKey{EncryptedKey::Kind::encryptedValue, to_bytes(element.whole)};
}

Parsed<CertifiedKeyPair> read_key_pair(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<CertifiedKeyPair> {
    CertifiedKeyPair pair;
    ASSIGN_OR_RETURN(pair.certOrEncCert, named("certOrEncCert", read_cert_or_enc_cert(at)));
    ASSIGN_OR_RETURN(pair.privateKey, optional_explicit(at, 0, "privateKey", read_encrypted_key));
    ASSIGN_OR_RETURN(pair.publicationInfo,
                     optional_explicit(at, 1, "publicationInfo", read_publication_element));
    return pair;
  });
}

Parsed<CertRepMessage> read_cert_response(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<CertRepMessage> {
    const auto certificates = [&](Reader& in) {
      return list(in, limits.max_extra_certs, read_certificate);
    };
    const auto single = [&](Reader& in) { return read_single_response(in, limits); };
    CertRepMessage message;
    ASSIGN_OR_RETURN(message.caPubs, optional_explicit(at, 1, "caPubs", certificates));
    ASSIGN_OR_RETURN(message.response,
                     named("response", list(at, limits.max_cert_requests, single)));
    return message;
  });
}

Parsed<KeyRecRepContent> read_key_recovery(Reader& reader, const MessageLimits& limits) {
  return enclosed(reader, der::kSequence, [&](Reader& at) -> Parsed<KeyRecRepContent> {
    const auto certificates = [&](Reader& in) {
      return list(in, limits.max_extra_certs, read_certificate);
    };
    const auto pairs = [&](Reader& in) {
      return list(in, limits.max_cert_requests, read_key_pair);
    };
    KeyRecRepContent content;
    ASSIGN_OR_RETURN(content.status, named("status", read_status_info(at, limits)));
    ASSIGN_OR_RETURN(content.newSigCert, optional_explicit(at, 0, "newSigCert", read_certificate));
    ASSIGN_OR_RETURN(content.caCerts, optional_explicit(at, 1, "caCerts", certificates));
    ASSIGN_OR_RETURN(content.keyPairHist, optional_explicit(at, 2, "keyPairHist", pairs));
    return content;
  });
}

}  // namespace cmpost::codec
