// PKIBody: an overload for each of the 27 choices.
#include "cmp/writing.h"

namespace cmpost::codec {
namespace {

void write_optional_extensions(Writer& writer, const std::optional<Extensions>& extensions) {
  if (extensions) write(writer, *extensions);
}

void write_certificates(Writer& writer, const std::vector<CMPCertificate>& certificates) {
  list(writer, certificates, [&](const auto& cert) { write_certificate(writer, cert); });
}

std::size_t total_size(const std::vector<Bytes>& elements) {
  std::size_t size = 0;
  for (const auto& element : elements) size += element.size();
  return size;
}

// Each of `elements` is one whole element.
void write_elements(Writer& writer, const std::vector<Bytes>& elements) {
  writer.constructed(der::kSequence, total_size(elements), [&] { writer.raw(elements); });
}

void write_infos(Writer& writer, const GeneralInfo& infos) {
  list(writer, infos, [&](const auto& info) { write_info(writer, info); });
}

void write_challenge(Writer& writer, const Challenge& challenge) {
  writer.constructed(der::kSequence, [&] {
    if (challenge.owf) write(writer, *challenge.owf);
    writer.octet_string(challenge.witness);
    writer.octet_string(challenge.challenge);
    if (challenge.encryptedRand) writer.raw(*challenge.encryptedRand);
  });
}

void write_content(Writer& writer, const KeyRecRepContent& content) {
  writer.constructed(der::kSequence, [&] {
    write_status_info(writer, content.status);
    if (content.newSigCert) {
      explicitly(writer, 0, [&] { write_certificate(writer, *content.newSigCert); });
    }
    if (content.caCerts) {
      explicitly(writer, 1, [&] { write_certificates(writer, *content.caCerts); });
    }
    if (content.keyPairHist) {
      explicitly(writer, 2, [&] {
        list(writer, *content.keyPairHist, [&](const auto& pair) { write_key_pair(writer, pair); });
      });
    }
  });
}

void write_details(Writer& writer, const RevDetails& details) {
  writer.constructed(der::kSequence, [&] {
    write_cert_template(writer, details.certDetails);
    write_optional_extensions(writer, details.crlEntryDetails);
  });
}

void write_content(Writer& writer, const RevRepContent& content) {
  writer.constructed(der::kSequence, [&] {
    list(writer, content.status, [&](const auto& status) { write_status_info(writer, status); });
    if (content.revCerts) {
      explicitly(writer, 0, [&] {
        list(writer, *content.revCerts, [&](const CertId& id) { write(writer, id); });
      });
    }
    if (content.crls) explicitly(writer, 1, [&] { write_elements(writer, *content.crls); });
  });
}

void write_content(Writer& writer, const CAKeyUpdAnnContent& content) {
  write_key_update(writer, content);
}

void write_content(Writer& writer, const RootCaKeyUpdateContent& content) {
  explicitly(writer, 0, [&] { write_key_update(writer, content); });
}

void write_content(Writer& writer, const RevAnnContent& content) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(static_cast<int>(content.status));
    write(writer, content.certId);
    write_time(writer, content.willBeRevokedAt);
    write_time(writer, content.badSinceDate);
    write_optional_extensions(writer, content.crlDetails);
  });
}

void write_content(Writer& writer, const ErrorMsgContent& content) {
  writer.constructed(der::kSequence, [&] {
    write_status_info(writer, content.pKIStatusInfo);
    if (content.errorCode) writer.integer(*content.errorCode);
    write_optional_free_text(writer, content.errorDetails);
  });
}

void write_status(Writer& writer, const CertStatus& status) {
  writer.constructed(der::kSequence, [&] {
    writer.octet_string(status.certHash);
    writer.integer(status.certReqId);
    if (status.statusInfo) write_status_info(writer, *status.statusInfo);
    if (status.hashAlg) explicitly(writer, 0, [&] { write(writer, *status.hashAlg); });
  });
}

void write_poll(Writer& writer, const PollRep& response) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(response.certReqId);
    writer.integer(response.checkAfter);
    write_optional_free_text(writer, response.reason);
  });
}

struct ChoiceWriter {
  Writer& writer;

  template <typename Choice>
  requires requires(const Choice& choice) { choice.response.response; }
  void operator()(const Choice& choice) const { write_cert_response(writer, choice.response); }
  template <typename Choice>
  requires requires(const Choice& choice) { choice.requests.front().certReq; }
  void operator()(const Choice& choice) const { write_cert_requests(writer, choice.requests); }
  void operator()(const body::p10cr& choice) const { writer.raw(choice.request.der); }
  void operator()(const body::popdecc& choice) const {
    list(writer, choice.challenges, [&](const auto& one) { write_challenge(writer, one); });
  }
  void operator()(const body::popdecr& choice) const {
    list(writer, choice.integers, [&](const Bytes& one) { writer.big_integer(one); });
  }
  void operator()(const body::krp& choice) const { write_content(writer, choice.content); }
  void operator()(const body::rr& choice) const {
    list(writer, choice.details, [&](const auto& one) { write_details(writer, one); });
  }
  void operator()(const body::rp& choice) const { write_content(writer, choice.content); }
  void operator()(const body::ckuann& choice) const {
    std::visit([&](const auto& content) { write_content(writer, content); }, choice.content);
  }
  void operator()(const body::cann& choice) const { write_certificate(writer, choice.certificate); }
  void operator()(const body::rann& choice) const { write_content(writer, choice.content); }
  void operator()(const body::crlann& choice) const { write_elements(writer, choice.crls); }
  void operator()(const body::pkiconf&) const { writer.null(); }
  void operator()(const body::nested& choice) const { write_elements(writer, choice.messages); }
  void operator()(const body::genm& choice) const { write_infos(writer, choice.items); }
  void operator()(const body::genp& choice) const { write_infos(writer, choice.items); }
  void operator()(const body::error& choice) const { write_content(writer, choice.content); }
  void operator()(const body::certConf& choice) const {
    list(writer, choice.statuses, [&](const auto& one) { write_status(writer, one); });
  }
  void operator()(const body::pollReq& choice) const {
    list(writer, choice.requests, [&](const PollReq& one) {
      writer.constructed(der::kSequence, [&] { writer.integer(one.certReqId); });
    });
  }
  void operator()(const body::pollRep& choice) const {
    list(writer, choice.responses, [&](const auto& one) { write_poll(writer, one); });
  }
};

}  // namespace

void write_key_update(Writer& writer, const CAKeyUpdAnnContent& content) {
  writer.constructed(der::kSequence, [&] {
    write_certificate(writer, content.oldWithNew);
    write_certificate(writer, content.newWithOld);
    write_certificate(writer, content.newWithNew);
  });
}

void write_key_update(Writer& writer, const RootCaKeyUpdateContent& content) {
  const auto certificate = [&](unsigned number, const std::optional<CMPCertificate>& cert) {
    if (cert) explicitly(writer, number, [&] { write_certificate(writer, *cert); });
  };
  writer.constructed(der::kSequence, [&] {
    write_certificate(writer, content.newWithNew);
    certificate(0, content.newWithOld);
    certificate(1, content.oldWithNew);
  });
}

std::size_t expected_size(const PKIBody& body) {
  const auto* nested = std::get_if<body::nested>(&body);
  return nested != nullptr ? total_size(nested->messages) : 0;
}

void write_body(Writer& writer, const PKIBody& body) {
  writer.constructed(der::context_constructed(static_cast<unsigned>(body.index())),
                     expected_size(body), [&] { std::visit(ChoiceWriter{writer}, body); });
}

}  // namespace cmpost::codec
