#include "processor/ra_role/own_request.h"

#include <algorithm>

#include "base/json_object.h"
#include "base/log.h"
#include "cmp/protection.h"
#include "processor/ra_role/heard_answer.h"
#include "processor/ra_role/heard_parts.h"
#include "processor/ra_role/upward.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

constexpr std::int64_t kPvno = 2, kOnlyPart = 0;
constexpr std::size_t kTid = 16;

std::vector<Certificate> certificates_in(const std::vector<CMPCertificate>& sent) {
  std::vector<Certificate> readable;
  for (const auto& one : sent) {
    if (auto certificate = Certificate::from_der(one.der)) {
      readable.push_back(std::move(*certificate));
    }
  }
  return readable;
}

SubjectPublicKeyInfo spki_of(const PublicKey& key) {
  der::Reader reader(key.spki());
  auto spki = read_spki(reader);
  CHECK(spki);  // we have made it
  return *std::move(spki);
}

// RFC 9483 4.1.3: which certificate is renewed.
Controls old_certificate(const Certificate& present) {
  der::Writer writer;
  write(writer, CertId{GeneralName::of(present.issuer()), to_bytes(present.serial_number())});
  return {{oid::id_regCtrl_oldCertID, std::move(writer).take()}};
}

Result<CertReqMsg> cert_request(const Certificate& present, const PrivateKey& key, bool renews) {
  CertReqMsg message;
  message.certReq.certReqId = kOnlyPart;
  auto& wanted = message.certReq.certTemplate;
  wanted.subject = present.subject();
  wanted.publicKey = spki_of(key.public_key());
  if (renews) message.certReq.controls = old_certificate(present);
  message.certReq.der = encode(message.certReq);
  ASSIGN_OR_RETURN(const auto signer, Signer::create(key));
  POPOSigningKey popo;
  popo.algorithmIdentifier = signer.algorithm();
  ASSIGN_OR_RETURN(popo.signature, signer.sign(message.certReq.der));
  message.popo = std::move(popo);
  return message;
}

Result<CertificationRequest> pkcs10(const Certificate& present, const PrivateKey& key) {
  ASSIGN_OR_RETURN(const auto signer, Signer::create(key));
  der::Writer info;
  info.constructed(der::kSequence, [&] {
    info.integer(0);
    info.raw(present.subject().der());
    info.raw(key.public_key().spki());
    info.constructed(der::context_constructed(0), [] {});
  });
  ASSIGN_OR_RETURN(const auto signature, signer.sign(info.bytes()));
  der::Writer request;
  request.constructed(der::kSequence, [&] {
    request.raw(info.bytes());
    write(request, signer.algorithm());
    request.bit_string(signature);
  });
  return certification_request_from_pem_or_der(request.bytes());
}

Result<PKIBody> body_of(const std::string& body, const Certificate& present,
                        const PrivateKey& key) {
  if (body == "p10cr") {
    ASSIGN_OR_RETURN(auto request, pkcs10(present, key));
    return body::p10cr{std::move(request)};
  }
  ASSIGN_OR_RETURN(auto request, cert_request(present, key, body == "kur"));
  if (body == "kur") return body::kur{{std::move(request)}};
  if (body == "cr") return body::cr{{std::move(request)}};
  return body::ir{{std::move(request)}};
}

//
GeneralInfo naming(const std::string& profile) {
  if (profile.empty()) return {};
  der::Writer value;
  value.constructed(der::kSequence, [&] { value.utf8_string(profile); });
  return {{oid::id_it_certProfile, std::move(value).take()}};
}

Checked<std::vector<Bytes>> of_no_use(std::string why) {
  return reject(PKIFailureInfo::incorrectData, "the certificate of the CA does not fit: " + why);
}

// What would be in use: with the new key, good for what the present one is good for, and believed
// where our messages are.
Outcome<std::vector<Bytes>> check_certificate(const Certificate& certificate, const OwnHeard& heard,
                                              const ChannelPolicy& channel,
                                              const Services& services) {
  const auto key = unseal_own_key(heard.renewal.key, services.sealing_key);
  if (!key) return failure(key.error());
  if (!equal(certificate.spki(), key->public_key().spki())) return of_no_use("it has another key");
  if (!certificate.allows(KeyUsageBit::digitalSignature)) return of_no_use("it may not sign");
  if (certificate.is_ca()) return of_no_use("it is the certificate of a CA");
  const auto& present = services.identity.certificate;
  if (present.has_extended_key_usage(oid::id_kp_cmcRA) &&
      !certificate.has_extended_key_usage(oid::id_kp_cmcRA)) {
    return of_no_use("it is not for id-kp-cmcRA, as the present one is");
  }
  auto helpers = certificates_in(heard.answer.message.extraCerts);
  if (const auto* content = cert_response(heard.answer.message.body);
      content != nullptr && content->caPubs) {
    std::ranges::move(certificates_in(*content->caPubs), std::back_inserter(helpers));
  }
  ASSIGN_OR_RETURN(const auto path,
                   channel.vendors.check(certificate, helpers, heard.answer.likely));
  if (path.verdict != PathVerdict::trusted) return of_no_use(path.reason);
  std::vector<Bytes> chain;
  for (const auto& one : path.chain) {
    if (&one == &path.chain.front() || !one.is_self_issued()) chain.push_back(to_bytes(one.der()));
  }
  return chain;
}

UpstreamChange answered(const UpstreamMessage& message, const Request& answer) {
  return {.id = message.id,
          .from = {UpstreamState::made, UpstreamState::left, UpstreamState::waits},
          .to = UpstreamState::answered,
          .answer_body = std::string(body_name(answer.message.body)),
          .answer = answer.digest,
          .answer_nonce = answer.message.header.senderNonce.value_or(Bytes()),
          .answered = answer.now};
}

AuditEntry renewal_entry(std::string_view event, const OwnRenewal& renewal,
                         std::string_view reason) {
  JsonObject detail;
  detail.add("tid", to_hex(renewal.transactionID)).add("channel", renewal.channel);
  if (!reason.empty()) detail.add("reason", reason);
  return {std::string(event), detail.text()};
}

// One answer, read as far as that is of use to us.
class AboutUs {
 public:
  AboutUs(const OwnHeard& heard, const ChannelPolicy& channel, Services& services)
      : heard_(heard), channel_(channel), services_(services) {}

  Outcome<Effects> hear() {
    const auto& body = heard_.answer.message.body;
    TRY(check_answers(heard_.asked, heard_.question, body));
    const auto* content = cert_response(body);
    if (content != nullptr) TRY(check_parts(*content, heard_.asked, heard_.question));
    effects_.audit.push_back(heard_entry(heard_.asked, body_name(body), heard_.signer.text()));
    const auto& first = root_of(heard_.asked, heard_.messages);
    if (&first != &heard_.asked) effects_.upstream.push_back(answered(heard_.asked, heard_.answer));
    effects_.upstream.push_back(answered(first, heard_.answer));
    if (says_waiting(body)) return wait();
    end_polls(first);
    if (heard_.renewal.state == RenewalState::refused) return std::move(effects_);
    if (const auto refused = refusal_in(body)) return refuse(refused->text);
    if (first.seq == 1) return take();
    return end(RenewalState::confirming, RenewalState::granted, "ra.certificate_granted", "");
  }

 private:
  Effects wait() {
    auto& change = effects_.upstream.back();
    change.to = UpstreamState::waits;
    change.ask_again = heard_.answer.likely + check_after(heard_.answer.message.body,
                                                          channel_.check_after(heard_.answer.now));
    return std::move(effects_);
  }

  // What was asked again meanwhile has its answer in this one.
  void end_polls(const UpstreamMessage& first) {
    for (const auto& one : heard_.messages) {
      if (!is_open(one.state) || &one == &first || &one == &heard_.asked) continue;
      effects_.upstream.push_back(
          {.id = one.id, .from = {one.state}, .to = UpstreamState::given_up});
    }
  }

  Effects end(RenewalState from, RenewalState to, std::string_view event, const std::string& why) {
    RenewalChange change{heard_.renewal.id, from, to, {}, why, {}};
    if (!is_under_way(to)) change.ended = heard_.answer.now;
    effects_.renewal = std::move(change);
    effects_.audit.push_back(renewal_entry(event, heard_.renewal, why));
    return std::move(effects_);
  }

  Effects refuse(const std::string& why) {
    return end(heard_.renewal.state, RenewalState::refused, "ra.certificate_refused", why);
  }

  Outcome<Effects> take() {
    const auto* content = cert_response(heard_.answer.message.body);
    const auto* pair = content == nullptr || !content->response.front().certifiedKeyPair
                           ? nullptr
                           : &*content->response.front().certifiedKeyPair;
    const auto* sent =
        pair == nullptr ? nullptr : std::get_if<CMPCertificate>(&pair->certOrEncCert.choice);
    if (sent == nullptr) return refuse("the answer of the CA has no certificate");
    auto certificate = Certificate::from_der(sent->der);
    if (!certificate) return refuse("its certificate cannot be read: " + certificate.error().what);
    ASSIGN_OR_RETURN(auto chain,
                     apart(check_certificate(*certificate, heard_, channel_, services_)));
    const auto why = chain ? std::string() : chain.error().text;
    TRY(confirm(*certificate, content->response.front().certReqId, why));
    if (!chain) return refuse(why);
    const auto& present = services_.identity.certificate;
    if (!certificate->subject().same(present.subject()) ||
        certificate->not_after() < present.not_after()) {
      log::warning("ra.certificate_differs",
                   {{"subject", certificate->subject_text()},
                    {"notAfter", to_iso8601(certificate->not_after())},
                    {"present", present.subject_text() + ", " + to_iso8601(present.not_after())}});
    }
    RenewalChange change{heard_.renewal.id,
                         RenewalState::asked,
                         RenewalState::confirming,
                         *std::move(chain),
                         {},
                         {}};
    effects_.renewal = std::move(change);
    return std::move(effects_);
  }

  // We have asked for no implicit confirmation.
  Result<void> confirm(const Certificate& certificate, std::int64_t certReqId,
                       const std::string& fault) {
    CertStatus status;
    status.certReqId = certReqId;
    const auto hash = cert_hash(certificate, std::nullopt);
    if (!hash) return hold("no certHash: " + hash.error().text);
    status.certHash = *hash;
    if (!fault.empty()) {
      status.statusInfo = status_info({PKIFailureInfo::incorrectData, fault});
    }
    ASSIGN_OR_RETURN(
        auto message,
        make_own(body::certConf{{std::move(status)}}, heard_.messages.front(), kPvno,
                 heard_.answer.message.header.senderNonce, channel_, heard_.answer.now, services_));
    message.seq = heard_.messages.back().seq + 1;
    effects_.send_up.push_back(std::move(message));
    return {};
  }

  const OwnHeard& heard_;
  const ChannelPolicy& channel_;
  Services& services_;
  Effects effects_;
};

}  // namespace

Result<bool> is_issued_above(const Identity& identity, const ChannelPolicy& channel, Time now) {
  const auto& certificate = identity.certificate;
  if (certificate.is_self_issued()) return false;
  ASSIGN_OR_RETURN(const auto path,
                   channel.vendors.check(certificate, certificates_in(identity.chain), now));
  return path.verdict == PathVerdict::trusted && path.chain.size() > 1;
}

std::optional<std::string> renewal_body(const std::string& wanted, bool issued_above,
                                        const ChannelPolicy& channel) {
  if (channel.settings.orders() != nullptr) return std::nullopt;
  if (!wanted.empty() && (wanted != "kur" || issued_above)) return wanted;
  // kur is signed with the old certificate, whatever else the CA believes.
  if (!channel.settings.upstream.secret.empty()) return "ir";
  return issued_above ? std::optional<std::string>("kur") : std::nullopt;
}

Error cannot_be_asked_for(const ChannelPolicy& channel) {
  const auto& name = channel.settings.name;
  if (channel.settings.orders() != nullptr) {
    return {
        Recovery::hold,
        "the CA behind channel " + name +
            " speaks no CMP, so the certificate of this RA cannot be renewed there",
        "order one there by hand for the key in `cmp_key` and put it into `cmp_certificate`, or "
        "keep the one of `init`: requesters have to trust it, and no CA has"};
  }
  return {Recovery::hold,
          "the certificate of this RA is not one that the CA behind channel " + name +
              " has issued, so kur cannot renew it",
          "`renew_by` of [ra], or --by, names what asks for a first one: ir, cr or p10cr"};
}

Result<OwnRequest> make_own_request(const std::string& body, const std::string& profile,
                                    const ChannelPolicy& channel, Time now,
                                    const Services& services) {
  if (channel.settings.orders() != nullptr) return failure(cannot_be_asked_for(channel));
  const auto& present = services.identity.certificate;
  ASSIGN_OR_RETURN(const auto present_key, present.public_key());
  ASSIGN_OR_RETURN(const auto key, PrivateKey::generate(present_key.description()));
  OwnRequest request;
  auto& renewal = request.renewal;
  renewal.body = body;
  renewal.channel = channel.settings.name;
  renewal.transactionID = services.random.bytes(kTid);
  renewal.begun = now;
  ASSIGN_OR_RETURN(renewal.key, seal_own_key(key, services.sealing_key, services.random));
  ASSIGN_OR_RETURN(auto content, body_of(body, present, key));
  UpstreamMessage about;
  about.transactionID = renewal.transactionID;
  ASSIGN_OR_RETURN(request.message, make_own(std::move(content), about, kPvno, std::nullopt,
                                             channel, now, services, naming(profile)));
  return request;
}

Result<bool> store_own_request(OwnRequest request, const std::string& by, LedgerWriter& writer) {
  ASSIGN_OR_RETURN(const auto row, OwnRenewalTable(writer.connection()).add(request.renewal));
  if (!row) return false;
  request.message.renewal = *row;
  ASSIGN_OR_RETURN(const bool added, UpstreamTable(writer.connection()).add(request.message));
  if (!added) return hold("the ledger does not take the request for the own certificate");
  const auto detail = JsonObject()
                          .add("tid", to_hex(request.renewal.transactionID))
                          .add("channel", request.renewal.channel)
                          .add("request", request.renewal.body)
                          .add("by", by)
                          .text();
  TRY(writer.audit("ra.certificate_asked", detail));
  return true;
}

Outcome<Effects> hear_about_us(const OwnHeard& heard, const ChannelPolicy& channel,
                               Services& services) {
  return AboutUs(heard, channel, services).hear();
}

Outcome<UpstreamMessage> poll_about_us(const UpstreamMessages& messages,
                                       const UpstreamMessage& asked, const ChannelPolicy& channel,
                                       Time now, Services& services) {
  const bool whole = asked.seq != 1 || messages.front().body == "p10cr";
  ASSIGN_OR_RETURN(auto poll,
                   make_own(body::pollReq{{{whole ? kWholeMessage : kOnlyPart}}}, messages.front(),
                            kPvno, nonce_from_above(messages), channel, now, services));
  poll.seq = messages.back().seq + 1;
  return poll;
}

}  // namespace cmpost
