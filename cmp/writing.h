// The writers of the cmp codec, one for each type that the readers know. Private to this folder.
#pragma once

#include "asn1/der.h"
#include "cmp/pki_message.h"

namespace cmpost::codec {

using der::Writer;

// `name [number] T`, in a module with EXPLICIT TAGS or around a CHOICE.
template <typename F>
void explicitly(Writer& writer, unsigned number, F&& content) {
  writer.constructed(der::context_constructed(number), content);
}

template <typename List, typename F>
void list(Writer& writer, const List& items, F&& write_item, der::Tag tag = der::kSequence) {
  writer.constructed(tag, [&] {
    for (const auto& item : items) write_item(item);
  });
}

// `whole` is an element with another tag, which gives way to `tag` (IMPLICIT tagging).
void retagged(Writer& writer, ByteView whole, der::Tag tag);
// GeneralizedTime with the fraction that the time has, to the microsecond.
void write_time(Writer& writer, Time time);
void write_certificate(Writer& writer, const CMPCertificate& certificate);
// An empty GeneralName, as in a default constructed header, becomes the NULL-DN.
void write_general_name(Writer& writer, const GeneralName& name);

void write_header(Writer& writer, const PKIHeader& header);
void write_free_text(Writer& writer, const PKIFreeText& text);
void write_optional_free_text(Writer& writer, const PKIFreeText& text);
void write_info(Writer& writer, const InfoTypeAndValue& info);

void write_cert_requests(Writer& writer, const CertReqMessages& requests);
void write_cert_request(Writer& writer, const CertRequest& request);
void write_cert_template(Writer& writer, const CertTemplate& certTemplate);
void write_attributes(Writer& writer, const std::vector<Attribute>& attributes);
void write_proof_of_possession(Writer& writer, const ProofOfPossession& popo);
void write_signing_key_input(Writer& writer, const POPOSigningKeyInput& input, der::Tag tag);

void write_status_info(Writer& writer, const PKIStatusInfo& info);
void write_cert_response(Writer& writer, const CertRepMessage& response);
void write_key_pair(Writer& writer, const CertifiedKeyPair& pair);

void write_key_update(Writer& writer, const CAKeyUpdAnnContent& content);
void write_key_update(Writer& writer, const RootCaKeyUpdateContent& content);

// About the octets of a body that may have megabytes, else 0.
std::size_t expected_size(const PKIBody& body);
// The whole PKIBody, with its explicit tag.
void write_body(Writer& writer, const PKIBody& body);

}  // namespace cmpost::codec
