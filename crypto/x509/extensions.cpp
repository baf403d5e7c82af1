// Extensions in general, and the values of those that we write.
#include <algorithm>

#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

// More than any certificate has; keeps the look for duplicates short.
constexpr std::size_t kMaxExtensions = 128;

template <typename F>
Bytes encoded(F&& body) {
  der::Writer writer;
  body(writer);
  return std::move(writer).take();
}

}  // namespace

der::Parsed<Extension> read_extension(der::Reader& reader) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  Extension extension;
  ASSIGN_OR_RETURN(extension.extnID, inside.object_identifier());
  // DER leaves out the DEFAULT FALSE, but many a CA has written it; the exact octets of the whole
  // are kept elsewhere, so nothing depends on how it was spelled.
  if (inside.peek() == der::kBoolean) {
    ASSIGN_OR_RETURN(extension.critical, inside.boolean());
  }
  ASSIGN_OR_RETURN(const ByteView value, inside.octet_string());
  extension.extnValue = to_bytes(value);
  TRY(inside.finish());
  return extension;
}

der::Parsed<Extensions> read_extensions(der::Reader& reader, der::Tag tag) {
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(tag));
  Extensions extensions;
  while (!inside.at_end()) {
    if (extensions.size() == kMaxExtensions) return inside.fault("too many extensions");
    ASSIGN_OR_RETURN(Extension extension, read_extension(inside));
    // RFC 5280 4.2: "A certificate MUST NOT include more than one instance of a particular
    // extension."
    if (find(extensions, extension.extnID) != nullptr) {
      return inside.fault("extension " + extension.extnID.name() + " appears twice");
    }
    extensions.push_back(std::move(extension));
  }
  return extensions;
}

void write(der::Writer& writer, const Extension& extension) {
  writer.constructed(der::kSequence, [&] {
    writer.object_identifier(extension.extnID);
    if (extension.critical) writer.boolean(true);
    writer.octet_string(extension.extnValue);
  });
}

void write(der::Writer& writer, const Extensions& extensions, der::Tag tag) {
  writer.constructed(tag, [&] {
    for (const auto& extension : extensions) write(writer, extension);
  });
}

const Extension* find(const Extensions& extensions, const Oid& id) {
  const auto found = std::find_if(extensions.begin(), extensions.end(),
                                  [&](const Extension& e) { return e.extnID == id; });
  return found == extensions.end() ? nullptr : &*found;
}

Extension key_usage_extension(const std::vector<KeyUsageBit>& bits) {
  std::uint64_t set = 0;
  for (const auto bit : bits) set |= std::uint64_t{1} << static_cast<unsigned>(bit);
  return {oid::id_ce_keyUsage, true, encoded([&](der::Writer& w) { w.named_bits(set); })};
}

Extension key_usage_extension(std::initializer_list<KeyUsageBit> bits) {
  return key_usage_extension(std::vector<KeyUsageBit>(bits));
}

Extension basic_constraints_extension(bool ca, std::optional<int> path_length) {
  return {oid::id_ce_basicConstraints, true, encoded([&](der::Writer& w) {
            w.constructed(der::kSequence, [&] {
              if (ca) w.boolean(true);
              if (ca && path_length) w.integer(*path_length);
            });
          })};
}

Extension extended_key_usage_extension(const std::vector<Oid>& purposes, bool critical) {
  return {oid::id_ce_extKeyUsage, critical, encoded([&](der::Writer& w) {
            w.constructed(der::kSequence, [&] {
              for (const auto& purpose : purposes) w.object_identifier(purpose);
            });
          })};
}

Extension subject_key_identifier_extension(ByteView key_identifier) {
  return {oid::id_ce_subjectKeyIdentifier, false,
          encoded([&](der::Writer& w) { w.octet_string(key_identifier); })};
}

Extension authority_key_identifier_extension(ByteView key_identifier) {
  return {oid::id_ce_authorityKeyIdentifier, false, encoded([&](der::Writer& w) {
            w.constructed(der::kSequence, [&] { w.octet_string(key_identifier, der::context(0)); });
          })};
}

Extension subject_alt_name_extension(const std::vector<GeneralName>& names, bool critical) {
  return {oid::id_ce_subjectAltName, critical, encoded([&](der::Writer& w) {
            w.constructed(der::kSequence, [&] {
              for (const auto& name : names) w.raw(name.der);
            });
          })};
}

Extension crl_distribution_point_extension(std::string_view uri) {
  // CRLDistributionPoints of one DistributionPoint { [0] { fullName [0] { URI [6] } } }.
  const auto nested = [&](der::Writer& w) {
    w.constructed(der::kSequence, [&] {
      w.constructed(der::kSequence, [&] {
        w.constructed(der::context_constructed(0), [&] {
          w.constructed(der::context_constructed(0),
                        [&] { w.primitive(der::context(6), view_of(uri)); });
        });
      });
    });
  };
  return {oid::id_ce_cRLDistributionPoints, false, encoded(nested)};
}

}  // namespace cmpost
