#include "processor/ra_role/order_answer.h"

#include <algorithm>
#include <set>

#include "processor/ra_role/heard_answer.h"
#include "processor/ra_role/judge_request.h"
#include "processor/rights/unchanged.h"

namespace cmpost {
namespace {

// Clocks differ; a certificate for next year is a mistake.
constexpr auto kEarliest = std::chrono::hours(24);

auto not_ordered(std::string text) {
  return reject(PKIFailureInfo::systemFailure, std::move(text));
}

// The names in subjectAltName as their octets, whatever order they stand in; nullopt: malformed.
std::optional<std::set<Bytes>> names_in(const Extensions& extensions) {
  std::set<Bytes> names;
  const auto* extension = find(extensions, oid::id_ce_subjectAltName);
  if (extension == nullptr) return names;
  der::Reader reader(extension->extnValue);
  auto sequence = reader.enter(der::kSequence);
  if (!sequence || !reader.finish()) return std::nullopt;
  while (!sequence->at_end()) {
    const auto name = sequence->any();
    if (!name) return std::nullopt;
    names.insert(to_bytes(name->whole));
  }
  return names;
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// How a certificate differs from what was ordered; empty: not at all.
std::vector<std::string> changes_in(const Certificate& certificate,
                                    const CertificationRequest& wanted, const Profile& profile) {
  auto changes = changed_extensions(profile, wanted.extensions, certificate.extensions());
  if (!certificate.subject().same(wanted.subject)) {
    changes.push_back("the subject is " + printable(certificate.subject_text(), 200) +
                      " instead of " + printable(wanted.subject.text(), 200));
  }
  const auto asked = names_in(wanted.extensions), got = names_in(certificate.extensions());
  if (!asked || !got) {
    changes.emplace_back("subjectAltName cannot be read");
  } else if (*asked != *got) {
    std::vector<Bytes> more, less;
    std::ranges::set_difference(*got, *asked, std::back_inserter(more));
    std::ranges::set_difference(*asked, *got, std::back_inserter(less));
    changes.push_back("subjectAltName has " + counted(more.size(), "name") +
                      " more than was asked for and lacks " + std::to_string(less.size()));
  }
  return changes;
}

// What nobody can want, whatever the channel allows.
Checked<void> check_sane(const Certificate& certificate, const CertificationRequest& wanted,
                         const Profile& profile, Time now) {
  if (!equal(certificate.spki(), wanted.spki.der)) {
    return not_ordered("the certificate has another key than the order");
  }
  const bool signs = find(certificate.extensions(), oid::id_ce_keyUsage) != nullptr &&
                     certificate.allows(KeyUsageBit::keyCertSign);
  if ((certificate.is_ca() || signs) && !profile.settings().ca) {
    return not_ordered("it is the certificate of a CA, which the profile does not grant");
  }
  if (certificate.not_after() <= now) {
    return not_ordered("the certificate ended at " + to_iso8601(certificate.not_after()));
  }
  if (certificate.not_before() > now + kEarliest) {
    return not_ordered("the certificate begins at " + to_iso8601(certificate.not_before()));
  }
  return {};
}

// The certificates above it, without a root.
Outcome<std::vector<Certificate>> chain_of(const HeardOrder& heard) {
  const auto& leaf = heard.certificates.front();
  const auto at = std::max(heard.now, leaf.not_before());
  ASSIGN_OR_RETURN(const auto path, heard.channel->vendors.check(leaf, heard.certificates, at));
  if (path.verdict != PathVerdict::trusted) {
    return not_ordered("no path leads from the certificate to `trust` of channel " +
                       heard.channel->settings.name + ": " + path.reason);
  }
  std::vector<Certificate> chain;
  for (const auto& one : path.chain) {
    if (one != leaf && !one.is_self_issued()) chain.push_back(one);
  }
  return chain;
}

PKIStatusInfo granted(const std::vector<std::string>& changes) {
  PKIStatusInfo status;
  if (changes.empty()) return status;
  status.status = PKIStatus::grantedWithMods;
  status.statusString = changes;
  return status;
}

Checked<PKIStatusInfo> status_for(const HeardOrder& heard, const CertificationRequest& wanted,
                                  const Profile& profile) {
  const auto changes = changes_in(heard.certificates.front(), wanted, profile);
  const bool allowed = heard.channel->settings.orders()->changes == ChangedNames::grantedWithMods;
  if (changes.empty() || allowed) return granted(changes);
  std::string text = "the portal changed more than allowed: ";
  for (const auto& one : changes) text += (&one == &changes.front() ? "" : "; ") + one;
  return not_ordered(text + " (`changes` of the channel can allow it)");
}

Outcome<Answer> issued(const HeardOrder& heard, const CertificationRequest& wanted) {
  const auto& certificate = heard.certificates.front();
  const auto* profile = heard.question.channel->profile(heard.asked.profile);
  if (profile == nullptr) {
    return not_ordered("the profile " + heard.asked.profile + " is none of channel " +
                       heard.question.channel->settings.name + " any more");
  }
  TRY(check_sane(certificate, wanted, *profile, heard.now));
  ASSIGN_OR_RETURN(auto status, status_for(heard, wanted, *profile));
  ASSIGN_OR_RETURN(const auto chain, chain_of(heard));
  const auto& channel = heard.question.channel->settings;
  Answer answer;
  CertRepMessage content;
  content.response.push_back(
      {kWholeMessage, std::move(status),
       CertifiedKeyPair{{CMPCertificate{to_bytes(certificate.der())}}, std::nullopt, std::nullopt},
       std::nullopt});
  answer.body = body::cp{std::move(content)};
  answer.implicitConfirm =
      heard.question.wishes.implicitConfirm && channel.confirm == ConfirmRule::implicit;
  const bool silence = channel.unconfirmed == UnconfirmedRule::keep;
  answer.certificates.push_back({kWholeMessage, to_bytes(certificate.serial_number()), false});
  answer.effects.passing.push_back(
      passing_record(certificate, {heard.question, heard.transaction, heard.requester, heard.now},
                     !answer.implicitConfirm && !silence));
  answer.outcome = "issued by order";
  FromAbove above;
  for (const auto& one : chain) above.chain.push_back({to_bytes(one.der())});
  answer.from_above = std::move(above);
  return answer;
}

Outcome<Answer> revoked(const HeardOrder& heard, const body::rr& rr, Services& services) {
  RevRepContent statuses;
  statuses.status.resize(rr.details.size());
  Answer answer;
  answer.body = body::rp{std::move(statuses)};
  TRY(note_revocations(heard.question.message.body, answer.body, heard.now, services,
                       answer.effects));
  answer.outcome = "revoked by hand";
  return answer;
}

}  // namespace

Outcome<Answer> answer_order(const HeardOrder& heard, Services& services) {
  const auto& question = heard.question.message.body;
  const auto* p10cr = std::get_if<body::p10cr>(&question);
  const auto* rr = std::get_if<body::rr>(&question);
  switch (heard.news) {
    case OrderNews::certificates:
      if (p10cr != nullptr) return issued(heard, p10cr->request);
      break;
    case OrderNews::revoked:
      if (rr != nullptr) return revoked(heard, *rr, services);
      break;
    case OrderNews::refused: {
      auto answer = refuse_all(question, {PKIFailureInfo::notAuthorized,
                                          "refused by the CA: " + printable(heard.text, 400)});
      give_back(heard.question, heard.requester, answer);
      return answer;
    }
  }
  return not_ordered("that is no answer to " + std::string(body_name(question)));
}

}  // namespace cmpost
