#include "cmp/info_values.h"

#include "cmp/reading.h"
#include "cmp/writing.h"

namespace cmpost {
namespace {

using codec::enclosed;
using codec::explicitly;
using codec::named;
using der::Parsed;
using der::Reader;

constexpr std::size_t kMostItems = 1000, kMostNames = 100;

// The whole of `value` as what `read` reads.
template <typename Read>
Parsed<codec::ValueOf<Read>> all_of(ByteView value, Read&& read) {
  Reader reader(value);
  auto result = read(reader);
  if (!result) return result;
  TRY(reader.finish());
  return result;
}

template <typename Read>
Parsed<std::vector<codec::ValueOf<Read>>> filled_list(Reader& reader, std::size_t limit,
                                                      Read&& read, der::Tag tag = der::kSequence) {
  ASSIGN_OR_RETURN(auto items, codec::list(reader, limit, read, tag));
  if (items.empty()) return reader.fault("the list is empty");
  return items;
}

Parsed<Bytes> whole_crl(Reader& reader) { return codec::whole_sequence(reader); }
Parsed<Oid> object_identifier(Reader& reader) { return reader.object_identifier(); }
Parsed<std::string> utf8_string(Reader& reader) { return reader.utf8_string(); }
Parsed<AlgorithmIdentifier> algorithm_identifier(Reader& reader) { return read_algorithm(reader); }
Parsed<GeneralName> general_name(Reader& reader) { return read_general_name(reader); }

// DistributionPointName ::= CHOICE { fullName [0] GeneralNames,
//                                    nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
// from a module with IMPLICIT TAGS.
Parsed<CRLSource> read_distribution_point(Reader& at) {
  CRLSource source{CRLSource::Kind::dpn, {}};
  if (at.peek() == der::context_constructed(1)) {
    TRY(at.any());
    return source;
  }
  ASSIGN_OR_RETURN(source.names,
                   filled_list(at, kMostNames, general_name, der::context_constructed(0)));
  return source;
}

Parsed<CRLSource> read_crl_source(Reader& at) {
  if (at.peek() == der::context_constructed(0)) return explicitly(at, 0, read_distribution_point);
  const auto issuer = [](Reader& in) { return filled_list(in, kMostNames, general_name); };
  CRLSource source{CRLSource::Kind::issuer, {}};
  ASSIGN_OR_RETURN(source.names, explicitly(at, 1, issuer));
  return source;
}

Parsed<CRLStatus> read_crl_status(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<CRLStatus> {
    CRLStatus status;
    ASSIGN_OR_RETURN(status.source, named("source", read_crl_source(at)));
    if (at.peek() == der::kUtcTime) {
      ASSIGN_OR_RETURN(status.thisUpdate, named("thisUpdate", at.utc_time()));
    } else if (!at.at_end()) {
      ASSIGN_OR_RETURN(status.thisUpdate, named("thisUpdate", at.generalized_time()));
    }
    return status;
  });
}

Parsed<CertReqTemplateContent> read_template_content(Reader& reader) {
  return enclosed(reader, der::kSequence, [](Reader& at) -> Parsed<CertReqTemplateContent> {
    CertReqTemplateContent content;
    ASSIGN_OR_RETURN(content.certTemplate,
                     named("certTemplate", codec::read_cert_template(at, MessageLimits{})));
    if (at.at_end()) return content;
    ASSIGN_OR_RETURN(content.keySpec, named("keySpec", codec::read_attributes(at)));
    return content;
  });
}

template <typename Write>
Bytes written(Write&& write) {
  der::Writer writer;
  write(writer);
  return std::move(writer).take();
}

void write_names(der::Writer& writer, const std::vector<GeneralName>& names, der::Tag tag) {
  codec::list(
      writer, names, [&](const GeneralName& name) { writer.raw(name.der); }, tag);
}

void write_crl_source(der::Writer& writer, const CRLSource& source) {
  const bool dpn = source.kind == CRLSource::Kind::dpn;
  codec::explicitly(writer, dpn ? 0 : 1, [&] {
    write_names(writer, source.names, dpn ? der::context_constructed(0) : der::kSequence);
  });
}

}  // namespace

Parsed<std::vector<CRLStatus>> read_crl_status_list(ByteView value) {
  return all_of(value, [](Reader& at) { return filled_list(at, kMostItems, read_crl_status); });
}

Parsed<CMPCertificate> read_ca_certificate(ByteView value) {
  return all_of(value, codec::read_certificate);
}

Parsed<RootCaKeyUpdateContent> read_root_ca_key_update(ByteView value) {
  return all_of(value, codec::read_root_ca_key_update);
}

Parsed<std::vector<CMPCertificate>> read_ca_certificates(ByteView value) {
  return all_of(value,
                [](Reader& at) { return filled_list(at, kMostItems, codec::read_certificate); });
}

Parsed<std::vector<std::string>> read_utf8_strings(ByteView value) {
  return all_of(value, [](Reader& at) { return filled_list(at, kMostItems, utf8_string); });
}

Parsed<Oid> read_oid(ByteView value) { return all_of(value, object_identifier); }

Parsed<std::vector<Oid>> read_oids(ByteView value) {
  return all_of(value, [](Reader& at) { return filled_list(at, kMostItems, object_identifier); });
}

Parsed<AlgorithmIdentifier> read_algorithm_value(ByteView value) {
  return all_of(value, algorithm_identifier);
}

Parsed<std::vector<AlgorithmIdentifier>> read_algorithms(ByteView value) {
  return all_of(value,
                [](Reader& at) { return filled_list(at, kMostItems, algorithm_identifier); });
}

Parsed<std::vector<Bytes>> read_crls(ByteView value) {
  return all_of(value, [](Reader& at) { return filled_list(at, kMostItems, whole_crl); });
}

Parsed<CertReqTemplateContent> read_cert_req_template(ByteView value) {
  return all_of(value, read_template_content);
}

Bytes encode(const std::vector<CRLStatus>& list) {
  return written([&](der::Writer& writer) {
    codec::list(writer, list, [&](const CRLStatus& status) {
      writer.constructed(der::kSequence, [&] {
        write_crl_source(writer, status.source);
        if (status.thisUpdate) writer.x509_time(*status.thisUpdate);
      });
    });
  });
}

Bytes encode(const RootCaKeyUpdateContent& update) {
  return written([&](der::Writer& writer) { codec::write_key_update(writer, update); });
}

Bytes encode(const CAKeyUpdAnnContent& update) {
  return written([&](der::Writer& writer) { codec::write_key_update(writer, update); });
}

Bytes encode(const AlgorithmIdentifier& algorithm) {
  return written([&](der::Writer& writer) { write(writer, algorithm); });
}

Bytes encode(const std::vector<AlgorithmIdentifier>& algorithms) {
  return written([&](der::Writer& writer) {
    codec::list(writer, algorithms, [&](const auto& algorithm) { write(writer, algorithm); });
  });
}

Bytes encode(const std::vector<Oid>& ids) {
  return written([&](der::Writer& writer) {
    codec::list(writer, ids, [&](const Oid& id) { writer.object_identifier(id); });
  });
}

Bytes encode(const CertReqTemplateContent& content) {
  return written([&](der::Writer& writer) {
    writer.constructed(der::kSequence, [&] {
      codec::write_cert_template(writer, content.certTemplate);
      if (!content.keySpec.empty()) codec::write_attributes(writer, content.keySpec);
    });
  });
}

Bytes encode_utf8_strings(const std::vector<std::string>& texts) {
  return written([&](der::Writer& writer) {
    codec::list(writer, texts, [&](const std::string& text) { writer.utf8_string(text); });
  });
}

Bytes encode_elements(const std::vector<Bytes>& elements) {
  return written([&](der::Writer& writer) {
    codec::list(writer, elements, [&](const Bytes& element) { writer.raw(element); });
  });
}

Attribute algorithm_control(const AlgorithmIdentifier& algorithm) {
  return {oid::id_regCtrl_algId, encode(algorithm)};
}

Attribute rsa_length_control(int bits) {
  return {oid::id_regCtrl_rsaKeyLen, written([&](der::Writer& writer) { writer.integer(bits); })};
}

}  // namespace cmpost
