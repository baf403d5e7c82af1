#include "ca/lint/extension_values.h"

#include <algorithm>

#include "ca/lint/name_syntax.h"
#include "ca/lint/words.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

// Far more than any use has; each costs a little work.
constexpr std::size_t kMostNames = 1000, kMostPurposes = 100;

der::Parsed<std::uint32_t> read_key_usage(der::Reader value) {
  ASSIGN_OR_RETURN(const der::Reader::BitString bits, value.bit_string());
  TRY(value.finish());
  std::uint32_t set = 0;
  for (std::size_t i = 0; i < 8 * bits.octets.size(); ++i) {
    if ((bits.octets[i / 8] & (0x80 >> (i % 8))) == 0) continue;
    if (i >= 9) return value.fault("a bit that has no name is set");
    set |= std::uint32_t{1} << i;
  }
  // RFC 5280 4.2.1.3: "When the keyUsage extension appears in a certificate, at least one of the
  // bits MUST be set to 1."
  if (set == 0) return value.fault("no bit is set");
  return set;
}

der::Parsed<std::vector<Oid>> read_purposes(der::Reader value) {
  ASSIGN_OR_RETURN(der::Reader inside, value.enter(der::kSequence));
  TRY(value.finish());
  std::vector<Oid> purposes;
  do {
    ASSIGN_OR_RETURN(const Oid purpose, inside.object_identifier());
    purposes.push_back(purpose);
    if (purposes.size() > kMostPurposes) return inside.fault("too many purposes");
  } while (!inside.at_end());
  return purposes;
}

der::Parsed<BasicConstraints> read_basic_constraints(der::Reader value) {
  ASSIGN_OR_RETURN(der::Reader inside, value.enter(der::kSequence));
  TRY(value.finish());
  BasicConstraints constraints;
  if (inside.peek() == der::kBoolean) {
    ASSIGN_OR_RETURN(constraints.cA, inside.boolean());
  }
  if (inside.peek() == der::kInteger) {
    ASSIGN_OR_RETURN(constraints.pathLenConstraint, inside.integer());
    // RFC 5280 4.2.1.9: "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is
    // asserted"
    if (!constraints.cA) return inside.fault("a pathLenConstraint without cA");
    if (*constraints.pathLenConstraint < 0) return inside.fault("a negative pathLenConstraint");
  }
  TRY(inside.finish());
  return constraints;
}

der::Parsed<std::vector<GeneralName>> read_names(der::Reader value) {
  ASSIGN_OR_RETURN(der::Reader inside, value.enter(der::kSequence));
  TRY(value.finish());
  std::vector<GeneralName> names;
  do {
    ASSIGN_OR_RETURN(GeneralName name, read_general_name(inside));
    names.push_back(std::move(name));
    if (names.size() > kMostNames) return inside.fault("too many names");
  } while (!inside.at_end());
  return names;
}

der::Parsed<Bytes> read_key_identifier(der::Reader value) {
  ASSIGN_OR_RETURN(const ByteView identifier, value.octet_string());
  TRY(value.finish());
  return to_bytes(identifier);
}

der::Parsed<void> check_one_element(der::Reader value) {
  TRY(value.any());
  return value.finish();
}

template <typename T>
der::Parsed<void> store(std::optional<T>& target, der::Parsed<T> value) {
  if (!value) return failure(std::move(value).error());
  target = *std::move(value);
  return {};
}

der::Parsed<void> read_into(ExtensionValues& values, const Extension& extension) {
  const der::Reader value(extension.extnValue);
  if (extension.extnID == oid::id_ce_keyUsage) {
    return store(values.keyUsage, read_key_usage(value));
  }
  if (extension.extnID == oid::id_ce_extKeyUsage) {
    return store(values.extKeyUsage, read_purposes(value));
  }
  if (extension.extnID == oid::id_ce_basicConstraints) {
    return store(values.basicConstraints, read_basic_constraints(value));
  }
  if (extension.extnID == oid::id_ce_subjectAltName) {
    return store(values.subjectAltName, read_names(value));
  }
  if (extension.extnID == oid::id_ce_subjectKeyIdentifier) {
    return store(values.subjectKeyIdentifier, read_key_identifier(value));
  }
  return check_one_element(value);
}

void write_url(der::Writer& writer, std::string_view url) {
  writer.primitive(der::context(6), view_of(url));  // uniformResourceIdentifier
}

template <typename F>
Extension extension_of(const Oid& id, F&& body) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] { body(writer); });
  return {id, false, std::move(writer).take()};
}

}  // namespace

Allowed<ExtensionValues> read_values(const Extensions& extensions) {
  ExtensionValues values;
  for (const Extension& extension : extensions) {
    const auto name = [&] { return plain_name(extension.extnID); };
    if (find(extensions, extension.extnID) != &extension) {
      return refuse(Refusal::Reason::extension, "extension " + name() + " appears twice");
    }
    if (const auto read = read_into(values, extension); !read) {
      return refuse(Refusal::Reason::extension,
                    "extension " + name() + " is malformed: " + read.error().what);
    }
  }
  return values;
}

std::string name_fault(const SanKinds& allowed, const GeneralName& name) {
  const auto element = der::Reader(name.der).any();
  CHECK(element.has_value());
  const auto text = text_of(element->content);
  const auto verdict = [](bool kind_allowed, std::string fault) -> std::string {
    return kind_allowed ? std::move(fault) : "this kind of name is not allowed";
  };
  switch (element->tag) {
    case der::context(1):
      return verdict(allowed.email, mailbox_fault(text));
    case der::context(2):
      return verdict(allowed.dns, host_fault(text, allowed.wildcards));
    case der::context(6):
      return verdict(allowed.uri, uri_fault(text, allowed.uri_schemes));
    case der::context(7):
      return verdict(allowed.ip, address_fault(element->content));
    case der::context_constructed(4):
      return verdict(allowed.dirname, {});
    default:
      return verdict(false, {});
  }
}

Extension key_usage_extension(std::uint32_t bits) {
  der::Writer writer;
  writer.named_bits(bits);
  return {oid::id_ce_keyUsage, true, std::move(writer).take()};
}

Extension certificate_policies_extension(const std::vector<Oid>& policies) {
  return extension_of(oid::id_ce_certificatePolicies, [&](der::Writer& writer) {
    for (const Oid& policy : policies) {
      writer.constructed(der::kSequence, [&] { writer.object_identifier(policy); });
    }
  });
}

Extension crl_distribution_points_extension(const std::vector<std::string>& urls) {
  return extension_of(oid::id_ce_cRLDistributionPoints, [&](der::Writer& writer) {
    writer.constructed(der::kSequence, [&] {                   // DistributionPoint
      writer.constructed(der::context_constructed(0), [&] {    // distributionPoint
        writer.constructed(der::context_constructed(0), [&] {  // fullName
          for (const std::string& url : urls) write_url(writer, url);
        });
      });
    });
  });
}

Extension authority_info_access_extension(const std::vector<std::string>& issuer_urls,
                                          const std::vector<std::string>& ocsp_urls) {
  static const Oid ocsp("1.3.6.1.5.5.7.48.1");
  static const Oid ca_issuers("1.3.6.1.5.5.7.48.2");
  return extension_of(oid::id_pe_authorityInfoAccess, [&](der::Writer& writer) {
    const auto write_all = [&](const Oid& method, const std::vector<std::string>& urls) {
      for (const std::string& url : urls) {
        writer.constructed(der::kSequence, [&] {
          writer.object_identifier(method);
          write_url(writer, url);
        });
      }
    };
    write_all(ca_issuers, issuer_urls);
    write_all(ocsp, ocsp_urls);
  });
}

}  // namespace cmpost
