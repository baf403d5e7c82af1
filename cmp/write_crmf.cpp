// CertReqMessages (RFC 4211): IMPLICIT TAGS, explicit before a CHOICE.
#include "cmp/writing.h"

namespace cmpost::codec {
namespace {

using der::context;
using der::context_constructed;

void write_time_choice(Writer& writer, Time time, bool generalized) {
  if (generalized) return write_time(writer, time);
  writer.x509_time(time);
}

void write_validity(Writer& writer, const OptionalValidity& validity) {
  writer.constructed(context_constructed(4), [&] {
    if (validity.notBefore) {
      explicitly(writer, 0, [&] {
        write_time_choice(writer, *validity.notBefore, validity.notBefore_generalized);
      });
    }
    if (validity.notAfter) {
      explicitly(writer, 1, [&] {
        write_time_choice(writer, *validity.notAfter, validity.notAfter_generalized);
      });
    }
  });
}

void write_mac_value(Writer& writer, const PKMACValue& mac, der::Tag tag) {
  writer.constructed(tag, [&] {
    write(writer, mac.algId);
    writer.bit_string(mac.value, mac.unused_bits);
  });
}

void write_signing_key(Writer& writer, const POPOSigningKey& key) {
  writer.constructed(context_constructed(1), [&] {
    if (key.poposkInput) write_signing_key_input(writer, *key.poposkInput, context_constructed(0));
    write(writer, key.algorithmIdentifier);
    writer.bit_string(key.signature, key.unused_bits);
  });
}

struct PrivateKeyProofWriter {
  Writer& writer;
  void operator()(const POPOPrivKey::ThisMessage& proof) const {
    writer.bit_string(proof.bits, proof.unused_bits, context(0));
  }
  void operator()(POPOPrivKey::SubsequentMessage proof) const {
    writer.integer(static_cast<int>(proof), context(1));
  }
  void operator()(const POPOPrivKey::DhMAC& proof) const {
    writer.bit_string(proof.bits, proof.unused_bits, context(2));
  }
  void operator()(const PKMACValue& mac) const {
    write_mac_value(writer, mac, context_constructed(3));
  }
  void operator()(const POPOPrivKey::EncryptedKey& key) const { writer.raw(key.der); }
};

void write_private_key_proof(Writer& writer, const POPOPrivKey& key) {
  std::visit(PrivateKeyProofWriter{writer}, key.choice);
}

struct ProofWriter {
  Writer& writer;
  void operator()(RaVerified) const { writer.null(context(0)); }
  void operator()(const POPOSigningKey& key) const { write_signing_key(writer, key); }
  void operator()(const KeyEncipherment& proof) const {
    explicitly(writer, 2, [&] { write_private_key_proof(writer, proof.key); });
  }
  void operator()(const KeyAgreement& proof) const {
    explicitly(writer, 3, [&] { write_private_key_proof(writer, proof.key); });
  }
};

void write_cert_req_msg(Writer& writer, const CertReqMsg& message) {
  writer.constructed(der::kSequence, [&] {
    write_cert_request(writer, message.certReq);
    if (message.popo) write_proof_of_possession(writer, *message.popo);
    if (message.regInfo) write_attributes(writer, *message.regInfo);
  });
}

}  // namespace

void write_attributes(Writer& writer, const std::vector<Attribute>& attributes) {
  list(writer, attributes, [&](const Attribute& attribute) {
    writer.constructed(der::kSequence, [&] {
      writer.object_identifier(attribute.type);
      writer.raw(attribute.value);
    });
  });
}

void write_signing_key_input(Writer& writer, const POPOSigningKeyInput& input, der::Tag tag) {
  writer.constructed(tag, [&] {
    if (const auto* sender = std::get_if<GeneralName>(&input.authInfo)) {
      explicitly(writer, 0, [&] { write_general_name(writer, *sender); });
    } else {
      write_mac_value(writer, std::get<PKMACValue>(input.authInfo), der::kSequence);
    }
    writer.raw(input.publicKey.der);
  });
}

void write_proof_of_possession(Writer& writer, const ProofOfPossession& popo) {
  std::visit(ProofWriter{writer}, popo);
}

void write_cert_template(Writer& writer, const CertTemplate& t) {
  writer.constructed(der::kSequence, [&] {
    if (t.version) writer.integer(*t.version, context(0));
    if (t.serialNumber) writer.big_integer(*t.serialNumber, context(1));
    if (t.signingAlg) write(writer, *t.signingAlg, context_constructed(2));
    if (t.issuer) explicitly(writer, 3, [&] { writer.raw(t.issuer->der()); });
    if (t.validity) write_validity(writer, *t.validity);
    if (t.subject) explicitly(writer, 5, [&] { writer.raw(t.subject->der()); });
    if (t.publicKey) retagged(writer, t.publicKey->der, context_constructed(6));
    if (t.issuerUID) writer.raw(*t.issuerUID);
    if (t.subjectUID) writer.raw(*t.subjectUID);
    if (t.extensions) write(writer, *t.extensions, context_constructed(9));
  });
}

void write_cert_request(Writer& writer, const CertRequest& request) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(request.certReqId);
    write_cert_template(writer, request.certTemplate);
    if (request.controls) write_attributes(writer, *request.controls);
  });
}

void write_cert_requests(Writer& writer, const CertReqMessages& requests) {
  list(writer, requests, [&](const CertReqMsg& message) { write_cert_req_msg(writer, message); });
}

}  // namespace cmpost::codec
