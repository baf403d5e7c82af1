#include "processor/consent/gather_facts.h"

#include <algorithm>

#include "ca/lint/extension_values.h"
#include "processor/devices/sought_device.h"

namespace cmpost {
namespace {

constexpr const char* kForSomebody = "a registration authority asks for somebody else";

RuleFact word(std::string_view text) { return std::string(text); }

// An empty cell of the list is no value.
RuleFact cell(const std::string& text) { return text.empty() ? RuleFact() : RuleFact(text); }

using Names = std::vector<GeneralName>;

// nullopt: they cannot be read.
std::optional<Names> names_in(const Extensions& extensions) {
  const auto* extension = find(extensions, oid::id_ce_subjectAltName);
  if (extension == nullptr) return Names{};
  auto values = read_values({*extension});
  if (!values) return std::nullopt;
  return std::move(values->subjectAltName);
}

bool are_among(const Names& names, const Names& others) {
  return std::ranges::all_of(names, [&](const GeneralName& name) {
    return std::ranges::any_of(others, [&](const auto& other) { return other.same(name); });
  });
}

RuleFact unchanged_if(bool same) { return word(same ? "unchanged" : "changed"); }

class Gathering {
 public:
  Gathering(const Request& request, const Requester& requester, const Services& services)
      : request_(request), requester_(requester), services_(services) {}

  Result<RuleFacts> run(const CertificateToBe* certificate) {
    facts_.set(RuleField::body, word(body_name(request_.message.body)));
    facts_.set(RuleField::channel, request_.channel->settings.name);
    facts_.set(RuleField::requester, word(to_string(requester_.rights.kind)));
    note_credential();
    TRY(note_device(certificate == nullptr ? 0 : certificate->granted_before));
    if (certificate != nullptr) note_certificate(*certificate);
    return std::move(facts_);
  }

 private:
  bool is_for_others() const { return stands_for_others(requester_); }

  void note_credential() {
    const auto* holder = requester_.certificate();
    if (is_for_others()) return facts_.set(RuleField::revoked, UnknownFact{kForSomebody});
    if (holder == nullptr || holder->role != CertificateHolder::Role::end_entity) return;
    if (!holder->record) {
      return facts_.set(RuleField::revoked, UnknownFact{"the certificate is not in the ledger"});
    }
    const auto state = holder->record->state;
    facts_.set(RuleField::revoked,
               state == CertificateState::revoked || state == CertificateState::held);
  }

  // Why it cannot be told which device it is; empty: it can.
  std::string device_unknown() const {
    if (is_for_others()) return kForSomebody;
    const auto* holder = requester_.certificate();
    if (holder == nullptr || requester_.device || !requester_.unlisted.empty()) return {};
    if (holder->role == CertificateHolder::Role::end_entity) {
      return holder->record ? "" : "the certificate is not in the ledger";
    }
    return "the channel does not ask which device it is: devices = \"listed\"";
  }

  Result<void> note_device(std::int64_t granted_before) {
    const auto why = device_unknown();
    if (!why.empty()) {
      for (const auto field : {RuleField::device, RuleField::vendor, RuleField::site,
                               RuleField::batch, RuleField::active_certificates}) {
        facts_.set(field, UnknownFact{why});
      }
      return {};
    }
    facts_.set(RuleField::device, word(requester_.device ? "listed" : "unlisted"));
    if (!requester_.device) return {};
    const auto& row = requester_.device->row;
    facts_.set(RuleField::vendor, cell(row.vendor));
    facts_.set(RuleField::site, cell(row.site));
    facts_.set(RuleField::batch, cell(row.batch));
    ASSIGN_OR_RETURN(
        const auto active,
        KnownDevices(services_.ledger.connection()).active_certificates(row.id, request_.now));
    facts_.set(RuleField::active_certificates, active + granted_before);
    return {};
  }

  void note_certificate(const CertificateToBe& wanted) {
    facts_.set(RuleField::profile, wanted.profile.name());
    if (wanted.key != nullptr) facts_.set(RuleField::key_type, wanted.key->description());
    if (wanted.key == nullptr)
      facts_.set(RuleField::key_type, UnknownFact{"the key is made later"});
    if (wanted.validity) {
      facts_.set(RuleField::validity,
                 std::int64_t{std::chrono::ceil<std::chrono::seconds>(*wanted.validity).count()});
    } else {
      facts_.set(RuleField::validity, UnknownFact{"the CA above decides"});
    }
    note_differences(wanted);
  }

  // Against the certificate that it has: of a secret there is none.
  void note_differences(const CertificateToBe& wanted) {
    const auto* holder = requester_.certificate();
    if (holder == nullptr) return;
    if (is_for_others()) {
      for (const auto field : {RuleField::subject, RuleField::san, RuleField::key}) {
        facts_.set(field, UnknownFact{kForSomebody});
      }
      return;
    }
    const auto& old = holder->certificate;
    facts_.set(RuleField::subject, unchanged_if(wanted.subject.same(old.subject())));
    const auto now = names_in(wanted.extensions), before = names_in(old.extensions());
    if (now && before) {
      facts_.set(RuleField::san,
                 unchanged_if(are_among(*now, *before) && are_among(*before, *now)));
    } else {
      facts_.set(RuleField::san, UnknownFact{"subjectAltName cannot be read"});
    }
    const bool same = wanted.key != nullptr && equal(wanted.key->spki(), old.spki());
    facts_.set(RuleField::key, word(same ? "same" : "new"));
  }

  const Request& request_;
  const Requester& requester_;
  const Services& services_;
  RuleFacts facts_;
};

}  // namespace

Result<RuleFacts> gather_facts(const Request& request, const Requester& requester,
                               const CertificateToBe* certificate, const Services& services) {
  return Gathering(request, requester, services).run(certificate);
}

}  // namespace cmpost
