#include "report/failure_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cmpost {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

// In the order of RFC 9810 5.2.3.
constexpr std::array<Words, 27> kWords = {{
    {"badAlg", "a kind of key or signature that is not allowed"},
    {"badMessageCheck", "the proof of who sent it is wrong"},
    {"badRequest", "asked for something that is not done here"},
    {"badTime", "the clock of the sender is too far off"},
    {"badCertId", "no such certificate"},
    {"badDataFormat", "not readable, or written wrongly"},
    {"wrongAuthority", "meant for another CA"},
    {"incorrectData", "contradicts itself or what is known"},
    {"missingTimeStamp", "says no time"},
    {"badPOP", "did not prove that the sender has the key"},
    {"certRevoked", "the certificate is revoked already"},
    {"certConfirmed", "the certificate was confirmed already"},
    {"wrongIntegrity", "proven by a secret where a signature is wanted, or the other way round"},
    {"badRecipientNonce", "answers a question that was not asked"},
    {"timeNotAvailable", "there is no reliable time"},
    {"unacceptedPolicy", "a policy that is not known here"},
    {"unacceptedExtension", "something in the certificate that is not allowed"},
    {"addInfoNotAvailable", "a part of the answer cannot be had"},
    {"badSenderNonce", "without the random number that belongs into it"},
    {"badCertTemplate", "a certificate that the rules do not allow"},
    {"signerNotTrusted", "signed by somebody who is not trusted"},
    {"transactionIdInUse", "the number of another conversation"},
    {"unsupportedVersion", "a version of the protocol that is not known"},
    {"notAuthorized", "the sender may not have that"},
    {"systemUnavail", "it could not be worked on at that time"},
    {"systemFailure", "something went wrong here"},
    {"duplicateCertReq", "there is such a certificate already"},
}};

}  // namespace

std::string_view failure_words(std::string_view name) {
  const auto found = std::ranges::find(kWords, name, &Words::first);
  return found == kWords.end() ? std::string_view() : found->second;
}

}  // namespace cmpost
