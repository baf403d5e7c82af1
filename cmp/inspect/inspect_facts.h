// What a message says, as a tree: the one source of the text and of the JSON that people get.
// Octets stand in it as binary values. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cmp/pki_message.h"

namespace cmpost::inspect {

using Facts = nlohmann::ordered_json;

Facts octets(ByteView view);
Facts text(std::string_view untrusted);
Facts algorithm(const AlgorithmIdentifier& algorithm);
Facts free_text(const PKIFreeText& lines);
Facts infos(const GeneralInfo& infos);
Facts extensions(const Extensions& extensions);
Facts public_key(const SubjectPublicKeyInfo& key);
Facts certificate(const CMPCertificate& certificate);
Facts whole_certificate(ByteView der);  // with its key and extensions
// The value of an infoType or a control: text, time and numbers in words, the rest as octets.
Facts value(ByteView element);

// The same with the knowledge what the type means.
Facts info_value(const Oid& type, ByteView element);
Facts control_value(const Oid& type, ByteView element);
Facts extension_value(const Oid& type, ByteView element);  // what is inside extnValue
Facts attributes(const std::vector<Attribute>& attributes);
// EncryptedKey, or the encryptedRand of a Challenge: its recipients and algorithms.
der::Parsed<Facts> encrypted_key_facts(ByteView element);
Facts encrypted_key(ByteView element);

Facts header(const PKIHeader& header);
Facts cert_template(const CertTemplate& certTemplate);
Facts cert_requests(const CertReqMessages& requests);
Facts cert_id(const CertId& id);
// One level and no further: what is inside an inner nest is a matter for its own file.
Facts inner_message(const Bytes& der);
Facts body(const PKIBody& body);
Facts message(const PKIMessage& message);

template <typename List, typename F>
Facts each(const List& items, F&& describe) {
  auto facts = Facts::array();
  for (const auto& item : items) facts.push_back(describe(item));
  return facts;
}

}  // namespace cmpost::inspect
