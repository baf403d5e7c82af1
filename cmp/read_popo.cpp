// ProofOfPossession (RFC 4211 4) and the values of controls that others ask for.
#include "cmp/reading.h"

namespace cmpost::codec {
namespace {

using der::context;
using der::context_constructed;

template <typename Bits>
Parsed<Bits> read_bits(Reader& at, der::Tag tag) {
  ASSIGN_OR_RETURN(const auto bits, at.bit_string(tag));
  return Bits{{to_bytes(bits.octets), bits.unused_bits}};
}

Parsed<std::variant<GeneralName, PKMACValue>> read_auth_info(Reader& at) {
  if (at.peek() != context_constructed(0)) return read_mac_value(at);
  return explicitly(at, 0, read_general_name);
}

// The tag is [0] IMPLICIT, but what is signed has the tag of the type. RFC 4211 4.1: "The
// signature (using "algorithmIdentifier") is on the DER-encoded value of poposkInput".
Parsed<POPOSigningKeyInput> read_signing_key_input(Reader& reader) {
  const Reader start = reader;
  auto read =
      enclosed(reader, context_constructed(0), [](Reader& at) -> Parsed<POPOSigningKeyInput> {
        POPOSigningKeyInput input;
        ASSIGN_OR_RETURN(input.authInfo, named("authInfo", read_auth_info(at)));
        ASSIGN_OR_RETURN(input.publicKey, named("publicKey", read_spki(at)));
        return input;
      });
  if (!read) return read;
  read->der = to_bytes(consumed(start, reader));
  read->der[0] = der::kSequence;
  return read;
}

Parsed<POPOSigningKey> read_signing_key(Reader& reader) {
  return enclosed(reader, context_constructed(1), [](Reader& at) -> Parsed<POPOSigningKey> {
    POPOSigningKey key;
    ASSIGN_OR_RETURN(key.poposkInput,
                     optional(at, context_constructed(0), "poposkInput", read_signing_key_input));
    ASSIGN_OR_RETURN(key.algorithmIdentifier, named("algorithmIdentifier", read_algorithm(at)));
    ASSIGN_OR_RETURN(const auto signature, named("signature", at.bit_string()));
    key.signature = to_bytes(signature.octets);
    key.unused_bits = signature.unused_bits;
    return key;
  });
}

Parsed<POPOPrivKey> read_private_key_proof(Reader& at) {
  POPOPrivKey key;
  switch (at.peek()) {
    case context(0): {
      ASSIGN_OR_RETURN(key.choice, read_bits<POPOPrivKey::ThisMessage>(at, context(0)));
      return key;
    }
    case context(1): {
      ASSIGN_OR_RETURN(const int value, small_integer(at, context(1)));
      key.choice = static_cast<POPOPrivKey::SubsequentMessage>(value);
      return key;
    }
    case context(2): {
      ASSIGN_OR_RETURN(key.choice, read_bits<POPOPrivKey::DhMAC>(at, context(2)));
      return key;
    }
    case context_constructed(3): {
      ASSIGN_OR_RETURN(key.choice, read_mac_value(at, context_constructed(3)));
      return key;
    }
    case context_constructed(4): {
      ASSIGN_OR_RETURN(Bytes der, whole(at, context_constructed(4)));
      key.choice = POPOPrivKey::EncryptedKey{std::move(der)};
      return key;
    }
    default:
      return at.fault("no choice of POPOPrivKey has this tag");
  }
}

Parsed<PKIPublicationInfo::SinglePubInfo> read_single_pub_info(Reader& reader) {
  using SinglePubInfo = PKIPublicationInfo::SinglePubInfo;
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<SinglePubInfo> {
    SinglePubInfo info;
    ASSIGN_OR_RETURN(info.pubMethod, named("pubMethod", at.integer()));
    if (at.at_end()) return info;
    ASSIGN_OR_RETURN(info.pubLocation, named("pubLocation", read_general_name(at)));
    return info;
  });
}

}  // namespace

Parsed<PKMACValue> read_mac_value(Reader& reader, der::Tag tag) {
  return enclosed(reader, tag, [](Reader& at) -> Parsed<PKMACValue> {
    PKMACValue mac;
    ASSIGN_OR_RETURN(mac.algId, named("algId", read_algorithm(at)));
    ASSIGN_OR_RETURN(const auto value, named("value", at.bit_string()));
    mac.value = to_bytes(value.octets);
    mac.unused_bits = value.unused_bits;
    return mac;
  });
}

Parsed<ProofOfPossession> read_proof_of_possession(Reader& at) {
  switch (at.peek()) {
    case context(0):
      TRY(at.null(context(0)));
      return RaVerified{};
    case context_constructed(1):
      return read_signing_key(at);
    case context_constructed(2): {
      ASSIGN_OR_RETURN(POPOPrivKey key, explicitly(at, 2, read_private_key_proof));
      return KeyEncipherment{std::move(key)};
    }
    case context_constructed(3): {
      ASSIGN_OR_RETURN(POPOPrivKey key, explicitly(at, 3, read_private_key_proof));
      return KeyAgreement{std::move(key)};
    }
    default:
      return at.fault("no choice of ProofOfPossession has this tag");
  }
}

Parsed<PKIPublicationInfo> read_publication_info(Reader& reader) {
  constexpr std::size_t kMaxPubInfos = 64;
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<PKIPublicationInfo> {
    PKIPublicationInfo info;
    ASSIGN_OR_RETURN(const int action, named("action", small_integer(at)));
    info.action = static_cast<PKIPublicationInfo::Action>(action);
    if (at.at_end()) return info;
    ASSIGN_OR_RETURN(info.pubInfos,
                     named("pubInfos", list(at, kMaxPubInfos, read_single_pub_info)));
    return info;
  });
}

}  // namespace cmpost::codec
