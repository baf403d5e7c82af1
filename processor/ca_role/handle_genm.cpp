// genm: information for those who ask (RFC 9810 5.3.19, R-081, R-210 to R-226).
#include <algorithm>
#include <set>
#include <tuple>

#include "base/ascii.h"
#include "cmp/info_values.h"
#include "crypto/secrets/key_agreement.h"
#include "processor/admission/revocation_passphrase.h"
#include "processor/ca_role/certificate_request.h"
#include "processor/ca_role/handlers.h"
#include "processor/ca_role/offer.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

// One item of a genm, and where its answer comes from.
struct Question {
  const InfoTypeAndValue& asked;
  const Request& request;
  const std::vector<Profile>& profiles;  // what certProfile names, else all of the channel
  const Requester& requester;
  CaServices& services;
  Effects& effects;

  ByteView value() const { return asked.infoValue ? ByteView(*asked.infoValue) : ByteView(); }
};
// nullopt: the type is not supported here.
using InfoAnswer = Outcome<std::optional<InfoTypeAndValue>>;

auto malformed(const Question& question, const der::Fault& fault) {
  return reject(PKIFailureInfo::badDataFormat,
                "the value of " + question.asked.infoType.name() + " is malformed: " + fault.what);
}

auto bad_question(const Question& question, std::string_view why) {
  return reject(PKIFailureInfo::badRequest,
                question.asked.infoType.name() + " " + std::string(why));
}

// "GenMsg: {id-it n}, < absent >"
Checked<void> check_absent(const Question& question) {
  if (!question.asked.infoValue) return {};
  return bad_question(question, "is asked for without a value");
}

Checked<void> check_present(const Question& question) {
  if (question.asked.infoValue) return {};
  return bad_question(question, "needs a value");
}

InfoTypeAndValue plain(const Question& question, std::optional<Bytes> value) {
  return {question.asked.infoType, std::move(value)};
}

// Absent where there is no certificate of ours to encrypt to.
InfoAnswer caProtEncCert(const Question& question) {
  TRY(check_absent(question));
  for (const auto& own : question.services.identity.protocol_keys) {
    const auto usage =
        can_agree(own.key.public_key()) ? KeyUsageBit::keyAgreement : KeyUsageBit::keyEncipherment;
    if (own.certificate.allows(usage)) return plain(question, to_bytes(own.certificate.der()));
  }
  return plain(question, std::nullopt);
}

// "a GenRep message that includes the OID (with absent value)".
InfoAnswer revPassphrase(const Question& question) {
  if (!takes_passphrases(question.request.channel->settings)) return std::nullopt;
  ASSIGN_OR_RETURN(
      question.effects.passphrase,
      take_passphrase(question.asked, question.request, question.requester, question.services));
  question.effects.audit.push_back(passphrase_entry(question.effects.passphrase->subject));
  return plain(question, std::nullopt);
}

std::optional<Bytes> list_value(const std::vector<AlgorithmIdentifier>& algorithms) {
  if (algorithms.empty()) return std::nullopt;
  return encode(algorithms);
}

InfoAnswer signKeyPairTypes(const Question& question) {
  TRY(check_absent(question));
  return plain(question, list_value(signing_key_types(question.profiles)));
}

InfoAnswer encKeyPairTypes(const Question& question) {
  TRY(check_absent(question));
  return plain(question, list_value(encryption_key_types(question.profiles)));
}

InfoAnswer preferredSymmAlg(const Question& question) {
  static const Oid aes256_CBC("2.16.840.1.101.3.4.1.42");
  TRY(check_absent(question));
  return plain(question, encode(AlgorithmIdentifier{aes256_CBC, std::nullopt}));
}

CMPCertificate to_cmp(const Certificate& certificate) { return {to_bytes(certificate.der())}; }

// Deprecated by pvno 3, whose clients ask for id-it 20.
InfoAnswer caKeyUpdateInfo(const Question& question) {
  const bool offered = question.request.channel->settings.information.caKeyUpdateInfo &&
                       question.request.message.header.pvno == kCmp2000;
  if (!offered) return std::nullopt;
  TRY(check_absent(question));
  const auto& rollovers = question.services.authority.rollovers;
  if (rollovers.empty()) return plain(question, std::nullopt);
  const auto& last = rollovers.back();
  return plain(question, encode(CAKeyUpdAnnContent{to_cmp(last.oldWithNew), to_cmp(last.newWithOld),
                                                   to_cmp(last.newWithNew)}));
}

InfoAnswer currentCRL(const Question& question) {
  TRY(check_absent(question));
  ASSIGN_OR_RETURN(auto newest, question.services.ledger.newest_crl());
  if (!newest) return plain(question, std::nullopt);
  return plain(question, std::move(newest->second));
}

InfoAnswer keyPairParamReq(const Question& question) {
  TRY(check_present(question));
  const auto algorithm = read_oid(question.value());
  if (!algorithm) return malformed(question, algorithm.error());
  const auto parameters = key_parameters(*algorithm, question.profiles);
  InfoTypeAndValue answer{oid::id_it_keyPairParamRep, std::nullopt};
  if (parameters) answer.infoValue = encode(*parameters);
  return answer;
}

// RFC 4647 3.4: "en-GB" asks for "en" where there is nothing closer.
bool covers_tag(const std::string& ours, const std::string& wanted) {
  const auto tag = lower_ascii(wanted), own = lower_ascii(ours);
  return tag == own || tag.starts_with(own + "-");
}

InfoAnswer suppLangTags(const Question& question) {
  TRY(check_present(question));
  const auto wanted = read_utf8_strings(question.value());
  if (!wanted) return bad_question(question, "has no list of language tags");
  const auto& ours = question.request.channel->settings.information.languages;
  for (const auto& tag : *wanted) {
    const bool known =
        std::ranges::any_of(ours, [&](const auto& own) { return covers_tag(own, tag); });
    if (known) return plain(question, encode_utf8_strings({tag}));
  }
  return bad_question(question, "names no language that is spoken here");
}

// The CA's own certificates; a root that others stand below is a trust anchor, which this is no way
// to learn (RFC 9483 4.3.1 "intermediate and issuing CA certificates"). Links between the keys of a
// changed CA help to build chains.
InfoAnswer caCerts(const Question& question) {
  TRY(check_absent(question));
  const auto& authority = question.services.authority;
  std::vector<Bytes> certificates;
  for (const auto& certificate : authority.ca_chain) certificates.push_back(certificate.der);
  const auto last = Certificate::from_der(certificates.back());
  if (certificates.size() > 1 && last && last->is_self_issued()) certificates.pop_back();
  for (const auto& rollover : authority.rollovers) {
    certificates.push_back(to_bytes(rollover.newWithOld.der()));
    certificates.push_back(to_bytes(rollover.oldWithNew.der()));
  }
  return plain(question, encode_elements(certificates));
}

std::optional<Bytes> update_value(const CaRollover& rollover) {
  return encode(RootCaKeyUpdateContent{to_cmp(rollover.newWithNew), to_cmp(rollover.newWithOld),
                                       to_cmp(rollover.oldWithNew)});
}

// One step at a time: who holds the root before the last one but one gets its successor, which
// vouches for the next.
InfoAnswer rootCaCert(const Question& question) {
  const auto& rollovers = question.services.authority.rollovers;
  InfoTypeAndValue answer{oid::id_it_rootCaKeyUpdate, std::nullopt};
  if (!question.asked.infoValue) {
    if (rollovers.size() > 1) return bad_question(question, "needs a value: which root is held?");
    if (!rollovers.empty()) answer.infoValue = update_value(rollovers.front());
    return answer;
  }
  const auto held = read_ca_certificate(question.value());
  if (!held) return malformed(question, held.error());
  const auto found = std::ranges::find_if(rollovers, [&](const CaRollover& rollover) {
    return equal(rollover.oldWithOld.der(), held->der);
  });
  if (found != rollovers.end()) answer.infoValue = update_value(*found);
  return answer;
}

InfoAnswer certReqTemplate(const Question& question) {
  TRY(check_absent(question));
  return plain(question, encode(request_template(question.profiles.front())));
}

// A distribution point is looked up among the addresses that certificates of this CA carry.
bool is_our_source(const CRLSource& source, const Question& question) {
  if (source.kind == CRLSource::Kind::issuer) {
    const auto& own = question.services.authority.issuer.certificate().subject();
    return std::ranges::any_of(source.names, [&](const GeneralName& name) {
      const auto directory = name.directory_name();
      return directory && directory->same(own);
    });
  }
  const auto published = [&](const GeneralName& name) {
    return std::ranges::any_of(question.request.channel->profiles, [&](const Profile& profile) {
      const auto& urls = profile.settings().crl_urls;
      return std::ranges::any_of(urls,
                                 [&](const auto& url) { return name.text() == "URI:" + url; });
    });
  };
  return std::ranges::any_of(source.names, published);
}

InfoAnswer crlStatusList(const Question& question) {
  TRY(check_present(question));
  const auto wanted = read_crl_status_list(question.value());
  if (!wanted) return malformed(question, wanted.error());
  InfoTypeAndValue answer{oid::id_it_crls, std::nullopt};
  ASSIGN_OR_RETURN(const auto newest, question.services.ledger.newest_crl());
  if (!newest) return answer;
  ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
  const bool due = std::ranges::any_of(*wanted, [&](const CRLStatus& status) {
    const bool newer = !status.thisUpdate || *status.thisUpdate < crl.thisUpdate;
    return newer && is_our_source(status.source, question);
  });
  if (due) answer.infoValue = encode_elements({newest->second});
  return answer;
}

// What makes two questions of one type different. The same question twice, with a CRL as its
// answer, would be a way to get a thousand times back what was sent.
enum class Repeats { never, with_another_value, for_another_profile };

struct InfoRow {
  Oid infoType;
  InfoAnswer (*answer)(const Question&);
  Repeats repeats = Repeats::never;
};

// What is not here is listed in unsupportedOIDs; so are implicitConfirm, confirmWaitTime and
// origPKIMessage, which belong into headers.
const std::vector<InfoRow>& info_rows() {
  static const std::vector<InfoRow> rows = {
      {oid::id_it_caProtEncCert, caProtEncCert},
      {oid::id_it_signKeyPairTypes, signKeyPairTypes, Repeats::for_another_profile},
      {oid::id_it_encKeyPairTypes, encKeyPairTypes, Repeats::for_another_profile},
      {oid::id_it_preferredSymmAlg, preferredSymmAlg},
      {oid::id_it_caKeyUpdateInfo, caKeyUpdateInfo},
      {oid::id_it_currentCRL, currentCRL},
      {oid::id_it_keyPairParamReq, keyPairParamReq, Repeats::with_another_value},
      {oid::id_it_revPassphrase, revPassphrase},
      {oid::id_it_suppLangTags, suppLangTags},
      {oid::id_it_caCerts, caCerts},
      {oid::id_it_rootCaCert, rootCaCert, Repeats::with_another_value},
      {oid::id_it_certReqTemplate, certReqTemplate, Repeats::for_another_profile},
      {oid::id_it_crlStatusList, crlStatusList}};
  return rows;
}

const InfoRow* row_of(const InfoTypeAndValue& asked) {
  const auto row = std::ranges::find(info_rows(), asked.infoType, &InfoRow::infoType);
  return row == info_rows().end() ? nullptr : &*row;
}

InfoAnswer answer_one(const Question& question) {
  const auto* row = row_of(question.asked);
  if (row == nullptr) return std::nullopt;
  return row->answer(question);
}

// The name in certProfile for one item; one name is for all.
std::string profile_of(std::size_t item, const Request& request) {
  const auto& names = request.wishes.certProfile;
  if (names.size() == 1) return names.front();
  return item < names.size() ? names[item] : std::string();
}

Checked<void> check_repeats(const GeneralInfo& items, const Request& request) {
  std::set<std::tuple<Oid, Bytes, std::string>> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* row = row_of(items[i]);
    const auto repeats = row == nullptr ? Repeats::never : row->repeats;
    const bool by_value = repeats == Repeats::with_another_value;
    const bool by_profile = repeats == Repeats::for_another_profile;
    auto key =
        std::tuple(items[i].infoType, by_value ? items[i].infoValue.value_or(Bytes{}) : Bytes{},
                   by_profile ? profile_of(i, request) : std::string());
    if (seen.insert(std::move(key)).second) continue;
    return reject(PKIFailureInfo::badRequest,
                  items[i].infoType.name() + " is asked for twice in one message");
  }
  return {};
}

// RFC 9810 D.5: "GenMsgContent: empty SEQUENCE -- all relevant information requested".
GeneralInfo everything(const Authority& authority) {
  GeneralInfo items;
  for (const auto* type :
       {&oid::id_it_caProtEncCert, &oid::id_it_signKeyPairTypes, &oid::id_it_encKeyPairTypes,
        &oid::id_it_preferredSymmAlg, &oid::id_it_currentCRL}) {
    items.push_back({*type, std::nullopt});
  }
  if (authority.rollovers.size() == 1) items.push_back({oid::id_it_rootCaCert, std::nullopt});
  return items;
}

Checked<void> check_may_ask(const Request& request, const Requester& requester,
                            const GeneralInfo& items) {
  using Asker = InformationSettings::Asker;
  const auto& settings = request.channel->settings;
  if (settings.information.asker == Asker::nobody) {
    return reject(PKIFailureInfo::badRequest, "genm is not served on this channel");
  }
  if (settings.information.asker == Asker::signer && requester.secret() != nullptr) {
    return reject(PKIFailureInfo::wrongIntegrity, "genm is to be signed on this channel");
  }
  // RFC 9483 4.3: "MUST contain a sequence of one element".
  if (settings.strict && items.size() != 1) {
    return reject(PKIFailureInfo::badRequest, "genm has not exactly one item");
  }
  return check_repeats(items, request);
}

// The profiles that one item is about: certProfile has one name for all or one for each.
Checked<std::vector<Profile>> profiles_for(std::size_t item, const Request& request) {
  const auto& names = request.wishes.certProfile;
  if (names.size() > 1 && item >= names.size()) {
    return reject(PKIFailureInfo::badRequest, "certProfile has fewer names than genm has items");
  }
  const auto name = names.empty() ? std::string() : names[names.size() == 1 ? 0 : item];
  if (name.empty()) return request.channel->profiles;
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(name, *request.channel));
  return std::vector<Profile>{*profile};
}

}  // namespace

Outcome<Answer> handle_genm(const Request& request, const Requester& requester,
                            CaServices& services) {
  const GeneralInfo& items = std::get<body::genm>(request.message.body).items;
  TRY(check_may_ask(request, requester, items));
  const GeneralInfo asked = items.empty() ? everything(services.authority) : items;
  GeneralInfo answers;
  std::vector<Oid> unsupported;
  Effects effects;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    ASSIGN_OR_RETURN(const auto profiles, profiles_for(items.empty() ? 0 : i, request));
    ASSIGN_OR_RETURN(auto answer, answer_one(Question{asked[i], request, profiles, requester,
                                                      services, effects}));
    if (answer) {
      answers.push_back(std::move(*answer));
    } else {
      unsupported.push_back(asked[i].infoType);
    }
  }
  if (!unsupported.empty()) answers.push_back({oid::id_it_unsupportedOIDs, encode(unsupported)});
  Answer answer;
  answer.body = body::genp{std::move(answers)};
  answer.effects = std::move(effects);
  answer.outcome = "accepted";
  return answer;
}

}  // namespace cmpost
