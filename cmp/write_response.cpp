// What answers: PKIStatusInfo and certificates issued.
#include "cmp/writing.h"

namespace cmpost::codec {

void write_status_info(Writer& writer, const PKIStatusInfo& info) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(static_cast<int>(info.status));
    write_optional_free_text(writer, info.statusString);
    if (info.failInfo) writer.named_bits(*info.failInfo);
  });
}

void write_key_pair(Writer& writer, const CertifiedKeyPair& pair) {
  writer.constructed(der::kSequence, [&] {
    const auto& choice = pair.certOrEncCert.choice;
    if (const auto* certificate = std::get_if<CMPCertificate>(&choice)) {
      explicitly(writer, 0, [&] { write_certificate(writer, *certificate); });
    } else {
      explicitly(writer, 1, [&] { writer.raw(std::get<EncryptedKey>(choice).der); });
    }
    if (pair.privateKey) explicitly(writer, 0, [&] { writer.raw(pair.privateKey->der); });
    if (pair.publicationInfo) explicitly(writer, 1, [&] { writer.raw(*pair.publicationInfo); });
  });
}

namespace {

void write_single_response(Writer& writer, const CertResponse& response) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(response.certReqId);
    write_status_info(writer, response.status);
    if (response.certifiedKeyPair) write_key_pair(writer, *response.certifiedKeyPair);
    if (response.rspInfo) writer.octet_string(*response.rspInfo);
  });
}

}  // namespace

void write_cert_response(Writer& writer, const CertRepMessage& response) {
  writer.constructed(der::kSequence, [&] {
    if (response.caPubs) {
      explicitly(writer, 1, [&] {
        list(writer, *response.caPubs, [&](const auto& cert) { write_certificate(writer, cert); });
      });
    }
    list(writer, response.response, [&](const auto& one) { write_single_response(writer, one); });
  });
}

}  // namespace cmpost::codec
