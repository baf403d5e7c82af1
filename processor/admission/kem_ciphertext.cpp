#include "processor/admission/kem_ciphertext.h"

#include "cmp/kem_ciphertext_info.h"
#include "processor/admission/authentication.h"
#include "processor/admission/kem_protection.h"

namespace cmpost {
namespace {

PKIBody genp(const Bytes& info) { return body::genp{{{oid::id_it_KemCiphertextInfo, info}}}; }

}  // namespace

bool asks_for_kem_ciphertext(const Request& request) {
  const auto* genm = std::get_if<body::genm>(&request.message.body);
  return genm != nullptr && protection_kind(request.message) == ProtectionKind::none &&
         request.channel->allows(ProtectionMethod::kem) && genm->items.size() == 1 &&
         genm->items[0].infoType == oid::id_it_KemCiphertextInfo && !genm->items[0].infoValue;
}

Outcome<Answer> give_kem_ciphertext(const Request& request, const Services& services) {
  const auto extra_certs = read_extra_certs(request);
  ASSIGN_OR_RETURN(const auto sender,
                   find_sender_certificate(request, extra_certs, is_for_encapsulation));
  TRY(check_sender(sender, KeyUsageBit::keyEncipherment, request));
  ASSIGN_OR_RETURN(const auto holder, judge_signer(sender, extra_certs, request, services.ledger));
  ASSIGN_OR_RETURN(const auto rights, rights_of(holder, *request.channel));
  TRY(check_right(rights, wanted::KemCiphertext{}));
  ASSIGN_OR_RETURN(const auto made, encapsulated_to(sender, request, services));
  Answer answer;
  answer.unprotected = true;
  answer.body = genp(encode(KemCiphertextInfo{made.kem, made.ciphertext}));
  answer.outcome = "a KEM ciphertext was given";
  return answer;
}

}  // namespace cmpost
