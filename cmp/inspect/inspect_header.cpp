// Header and shared types in words.
#include "cmp/inspect/inspect_facts.h"
#include "cmp/reading.h"

namespace cmpost::inspect {

Facts octets(ByteView view) { return Facts::binary(to_bytes(view)); }

Facts text(std::string_view untrusted) { return printable(untrusted, 4096); }

namespace {

// PBMParameter (RFC 9810 5.1.3.1).
der::Parsed<Facts> mac_parameters(ByteView parameters) {
  der::Reader outer(parameters);
  return codec::enclosed(outer, der::kSequence, [](der::Reader& at) -> der::Parsed<Facts> {
    Facts facts;
    ASSIGN_OR_RETURN(const ByteView salt, at.octet_string());
    facts["salt"] = octets(salt);
    ASSIGN_OR_RETURN(const AlgorithmIdentifier owf, read_algorithm(at));
    facts["owf"] = owf.algorithm.name();
    ASSIGN_OR_RETURN(const std::int64_t iterations, at.integer());
    facts["iterationCount"] = iterations;
    ASSIGN_OR_RETURN(const AlgorithmIdentifier mac, read_algorithm(at));
    facts["mac"] = mac.algorithm.name();
    return facts;
  });
}

der::Parsed<Facts> known_value(der::Reader at) {
  switch (at.peek()) {
    case der::kNull:
      TRY(at.null());
      return Facts("NULL");
    case der::kUtf8String: {
      ASSIGN_OR_RETURN(const std::string words, at.utf8_string());
      return text(words);
    }
    case der::kGeneralizedTime: {
      ASSIGN_OR_RETURN(const Time time, at.generalized_time());
      return Facts(to_iso8601(time));
    }
    case der::kInteger: {
      ASSIGN_OR_RETURN(const std::int64_t number, at.integer());
      return Facts(number);
    }
    case der::kOid: {
      ASSIGN_OR_RETURN(const Oid id, at.object_identifier());
      return Facts(id.name());
    }
    default:
      return at.fault("for machines");
  }
}

Facts extension(const Extension& extension) {
  return {{"extnID", extension.extnID.name()},
          {"critical", extension.critical},
          {"extnValue", extension_value(extension.extnID, extension.extnValue)}};
}

}  // namespace

Facts value(ByteView element) {
  const auto known = known_value(der::Reader(element));
  return known ? *known : octets(element);
}

Facts algorithm(const AlgorithmIdentifier& algorithm) {
  Facts facts = {{"algorithm", algorithm.algorithm.name()}};
  if (!algorithm.parameters) return facts;
  if (algorithm.algorithm == oid::id_PasswordBasedMac) {
    if (const auto parameters = mac_parameters(*algorithm.parameters)) {
      facts["parameters"] = *parameters;
      return facts;
    }
  }
  facts["parameters"] = value(*algorithm.parameters);
  return facts;
}

Facts free_text(const PKIFreeText& lines) {
  return each(lines, [](const std::string& line) { return text(line); });
}

Facts infos(const GeneralInfo& infos) {
  return each(infos, [](const InfoTypeAndValue& info) {
    Facts facts = {{"infoType", info.infoType.name()}};
    if (info.infoValue) facts["infoValue"] = info_value(info.infoType, *info.infoValue);
    return facts;
  });
}

Facts extensions(const Extensions& extensions) { return each(extensions, extension); }

Facts public_key(const SubjectPublicKeyInfo& key) {
  return {{"algorithm", algorithm(key.algorithm)}, {"key", octets(key.key)}};
}

Facts certificate(const CMPCertificate& certificate) {
  const auto parsed = Certificate::from_der(certificate.der);
  if (!parsed) return {{"unreadable", text(parsed.error().what)}, {"der", octets(certificate.der)}};
  return {{"subject", text(parsed->subject().text())},
          {"issuer", text(parsed->issuer().text())},
          {"serialNumber", parsed->serial_hex()},
          {"notBefore", to_iso8601(parsed->not_before())},
          {"notAfter", to_iso8601(parsed->not_after())},
          {"signature", parsed->signature_algorithm().algorithm.name()},
          {"sha256", octets(parsed->fingerprint())}};
}

Facts whole_certificate(ByteView der) {
  Facts facts = certificate({to_bytes(der)});
  const auto parsed = Certificate::from_der(der);
  if (!parsed) return facts;
  der::Reader key(parsed->spki());
  if (const auto spki = read_spki(key)) facts["publicKey"] = public_key(*spki);
  facts["extensions"] = extensions(parsed->extensions());
  return facts;
}

Facts header(const PKIHeader& header) {
  Facts facts = {{"pvno", header.pvno},
                 {"sender", text(header.sender.text())},
                 {"recipient", text(header.recipient.text())}};
  const auto add = [&](const char* name, const std::optional<Bytes>& field) {
    if (field) facts[name] = octets(*field);
  };
  if (header.messageTime) facts["messageTime"] = to_iso8601(*header.messageTime);
  if (header.protectionAlg) facts["protectionAlg"] = algorithm(*header.protectionAlg);
  add("senderKID", header.senderKID);
  add("recipKID", header.recipKID);
  add("transactionID", header.transactionID);
  add("senderNonce", header.senderNonce);
  add("recipNonce", header.recipNonce);
  if (header.freeText.present()) facts["freeText"] = free_text(header.freeText);
  if (header.generalInfo.present()) facts["generalInfo"] = infos(header.generalInfo);
  return facts;
}

}  // namespace cmpost::inspect
