#include "ca/profile/extension_rules.h"

#include <algorithm>
#include <set>

#include "ca/lint/words.h"
#include "ca/profile/key_rules.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

using Kind = ExtensionRule::Kind;

constexpr std::uint32_t kKeyCertSign = std::uint32_t{1}
                                       << static_cast<unsigned>(KeyUsageBit::keyCertSign);

constexpr std::uint32_t kCrlSign = std::uint32_t{1} << static_cast<unsigned>(KeyUsageBit::cRLSign);
constexpr std::string_view kAnyExtendedKeyUsage = "2.5.29.37.0";

bool contains(const std::vector<Oid>& ids, const Oid& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Written by the issuer for every certificate, whatever the rules say.
bool is_ours(const Oid& id) {
  return id == oid::id_ce_subjectKeyIdentifier || id == oid::id_ce_authorityKeyIdentifier;
}

// RFC 9810 8.10 and R-096: whoever has one of these speaks for the PKI.
bool is_pki_role(const Oid& purpose) {
  return purpose == oid::id_kp_cmcCA || purpose == oid::id_kp_cmcRA || purpose == oid::id_kp_cmKGA;
}

auto refuse_extension(std::string text) {
  return refuse(Refusal::Reason::extension, std::move(text));
}

auto refuse_authority(std::string text) {
  return refuse(Refusal::Reason::ca_certificate, std::move(text));
}

}  // namespace

namespace {

// R-096, and what relying parties take for the word of the CA or of an authority of its own.
bool has_power(const Oid& purpose) {
  return is_pki_role(purpose) || purpose == oid::id_kp_OCSPSigning ||
         purpose == oid::id_kp_timeStamping || purpose.dotted() == kAnyExtendedKeyUsage;
}

}  // namespace

// Of a fixed or default rule the value is in `own`; what is copied is in purposes_ and key_usage_.
std::vector<std::string> ExtensionPolicy::powers() const {
  std::set<std::string> words;
  auto purposes = purposes_;
  auto bits = key_usage_;
  for (const Entry& entry : entries_) {
    const auto values = entry.own ? read_values({*entry.own}) : read_values({});
    if (!values) continue;  // prepare_value() has refused it
    for (const Oid& one : values->extKeyUsage.value_or(std::vector<Oid>())) purposes.push_back(one);
    bits |= values->keyUsage.value_or(0);
  }
  for (const Oid& purpose : purposes) {
    if (has_power(purpose)) words.insert("extendedKeyUsage " + plain_name(purpose));
  }
  if ((bits & kCrlSign) != 0) words.insert("keyUsage cRLSign");
  return {words.begin(), words.end()};
}

struct ExtensionPolicy::Request {
  const Extensions& extensions;
  ExtensionValues values;
  const PublicKey& key;
  const DerivedValues& derived;
};

Allowed<ExtensionPolicy::Granted> ExtensionPolicy::apply(const Extensions& requested,
                                                         const PublicKey& key,
                                                         const DerivedValues& derived) const {
  ASSIGN_OR_RETURN(ExtensionValues values, read_values(requested));
  const Request request{requested, std::move(values), key, derived};
  TRY(check_authority(request));
  Granted granted;
  for (const Entry& entry : entries_) TRY(grant(entry, request, granted));
  for (const Extension& asked : requested) {
    if (!is_listed(asked.extnID)) TRY(grant(unlisted(asked.extnID), request, granted));
  }
  granted.extensions.push_back(subject_key_identifier(request, granted));
  return granted;
}

bool ExtensionPolicy::is_listed(const Oid& id) const {
  return is_ours(id) || std::any_of(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.id == id; });
}

ExtensionPolicy::Entry ExtensionPolicy::unlisted(const Oid& id) const {
  ExtensionRule rule;
  rule.kind = profile_.extensions.other;
  return {id, plain_name(id), rule, false, std::nullopt};
}

Allowed<void> ExtensionPolicy::grant(const Entry& entry, const Request& request,
                                     Granted& granted) const {
  TRY(check_rule(entry, find(request.extensions, entry.id)));
  ASSIGN_OR_RETURN(std::optional<Extension> chosen, decide(entry, request, granted));
  if (chosen) granted.extensions.push_back(*std::move(chosen));
  return {};
}

Allowed<void> ExtensionPolicy::check_authority(const Request& request) const {
  const auto& constraints = request.values.basicConstraints;
  if (!profile_.ca && constraints && constraints->cA) {
    return refuse_authority("a CA certificate is asked for (basicConstraints cA); profile " +
                            profile_.name + " makes none");
  }
  if (!profile_.ca && (request.values.keyUsage.value_or(0) & kKeyCertSign) != 0) {
    return refuse_authority("keyUsage keyCertSign is asked for; profile " + profile_.name +
                            " makes no CA certificates");
  }
  for (const Oid& purpose : request.values.extKeyUsage.value_or(std::vector<Oid>())) {
    if (is_pki_role(purpose) && !contains(purposes_, purpose)) {
      return refuse_authority("extendedKeyUsage " + plain_name(purpose) +
                              " is asked for, which profile " + profile_.name + " does not list");
    }
  }
  return {};
}

Allowed<void> ExtensionPolicy::check_rule(const Entry& entry, const Extension* asked) const {
  if (entry.rule.kind == Kind::deny && asked != nullptr) {
    return refuse_extension("profile " + profile_.name + " does not allow the extension " +
                            entry.name + " to be asked for");
  }
  if (entry.rule.kind == Kind::require && asked == nullptr) {
    return refuse_extension("the extension " + entry.name + " is missing, which profile " +
                            profile_.name + " asks for");
  }
  return {};
}

ExtensionPolicy::Choice ExtensionPolicy::decide(const Entry& entry, const Request& request,
                                                Granted& granted) const {
  if (entry.rule.kind == Kind::derive) return derived_names(entry, request, granted);
  const bool copies = entry.rule.kind == Kind::copy || entry.rule.kind == Kind::require ||
                      entry.rule.kind == Kind::default_;
  const bool asked = find(request.extensions, entry.id) != nullptr;
  return asked && copies ? copied(entry, request, granted) : replaced(entry, request, granted);
}

ExtensionPolicy::Choice ExtensionPolicy::copied(const Entry& entry, const Request& request,
                                                Granted& granted) const {
  const Extension& asked = *find(request.extensions, entry.id);
  if (entry.id == oid::id_ce_keyUsage) return copied_key_usage(request, granted);
  if (entry.id == oid::id_ce_extKeyUsage) return copied_purposes(asked, request, granted);
  if (entry.id == oid::id_ce_subjectAltName) return copied_names(asked, request);
  if (entry.id == oid::id_ce_basicConstraints) return replaced(entry, request, granted);
  // RFC 5280 4.2.1.10: "The name constraints extension, which MUST be used only in a CA
  // certificate"
  if (entry.id == oid::id_ce_nameConstraints && !profile_.ca) {
    return refuse_extension("nameConstraints belong into CA certificates only");
  }
  return asked;
}

ExtensionPolicy::Choice ExtensionPolicy::replaced(const Entry& entry, const Request& request,
                                                  Granted& granted) const {
  std::optional<Extension> own = entry.own;
  const bool has_own = entry.rule.kind == Kind::fixed || entry.rule.kind == Kind::default_;
  if (entry.id == oid::id_ce_keyUsage && !has_own) {
    ASSIGN_OR_RETURN(own, own_key_usage(request));
  }
  const Extension* const asked = find(request.extensions, entry.id);
  if (asked == nullptr || (own && own->extnValue == asked->extnValue)) return own;
  // An end entity that says it is no CA is right, and may keep it; many write the FALSE that DER
  // leaves out.
  if (!own && entry.id == oid::id_ce_basicConstraints) {
    auto no_ca = basic_constraints_extension(false, std::nullopt);
    no_ca.critical = asked->critical;
    return no_ca;
  }
  if (!own && asked->critical && !entry.known) {
    return refuse_extension("the critical extension " + entry.name + " is none that profile " +
                            profile_.name + " grants");
  }
  granted.changes.push_back(entry.name +
                            (own ? ": the profile's value, not the one asked for" : ": left out"));
  return own;
}

ExtensionPolicy::Choice ExtensionPolicy::derived_names(const Entry& entry, const Request& request,
                                                       Granted& granted) const {
  std::vector<GeneralName> names;
  std::string words;
  for (const std::string& pattern : entry.rule.names) {
    ASSIGN_OR_RETURN(const std::string text, request.derived.fill_name(pattern));
    auto name = GeneralName::from_text(text);
    if (!name) return refuse_extension("the derived name " + printable(text, 80) + " is none");
    if (const std::string fault = name_fault(profile_.san, *name); !fault.empty()) {
      return refuse_extension("the derived name " + name->text() + ": " + fault);
    }
    words += (words.empty() ? "" : ", ") + name->text();
    names.push_back(*std::move(name));
  }
  const auto made = subject_alt_name_extension(names, false);
  const Extension* const asked = find(request.extensions, entry.id);
  if (asked == nullptr || asked->extnValue != made.extnValue) {
    granted.changes.push_back(entry.name + ": " + words +
                              (asked == nullptr ? " added" : " instead of what was asked for"));
  }
  return made;
}

ExtensionPolicy::Choice ExtensionPolicy::own_key_usage(const Request& request) const {
  if (key_usage_ == 0) return std::nullopt;
  const std::uint32_t bits = key_usage_ & possible_key_usage(request.key.type());
  if (bits == 0) {
    return refuse(Refusal::Reason::key, "a key of type " + request.key.description() +
                                            " is of no use for " + key_usage_words(key_usage_) +
                                            ", which is what profile " + profile_.name + " is for");
  }
  return key_usage_extension(bits);
}

ExtensionPolicy::Choice ExtensionPolicy::copied_key_usage(const Request& request,
                                                          Granted& granted) const {
  const std::uint32_t asked = *request.values.keyUsage;
  const std::uint32_t allowed = key_usage_ & possible_key_usage(request.key.type());
  std::uint32_t bits = asked & allowed;
  if (profile_.ca) bits |= allowed & kKeyCertSign;
  if (bits == 0) {
    return refuse_extension("keyUsage " + key_usage_words(asked) + " is asked for; profile " +
                            profile_.name + " allows " + key_usage_words(allowed));
  }
  if (bits != asked) {
    granted.changes.push_back("keyUsage: " + key_usage_words(asked) + " asked for, " +
                              key_usage_words(bits) + " granted");
  }
  return key_usage_extension(bits);
}

ExtensionPolicy::Choice ExtensionPolicy::copied_purposes(const Extension& asked,
                                                         const Request& request,
                                                         Granted& granted) const {
  const std::vector<Oid>& wanted = *request.values.extKeyUsage;
  std::vector<Oid> kept;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(kept),
               [&](const Oid& purpose) { return contains(purposes_, purpose); });
  if (kept.size() == wanted.size()) return asked;
  if (kept.empty()) {
    return refuse_extension("extendedKeyUsage " + purpose_words(wanted) +
                            " is asked for; profile " + profile_.name + " allows " +
                            purpose_words(purposes_));
  }
  granted.changes.push_back("extendedKeyUsage: " + purpose_words(wanted) + " asked for, " +
                            purpose_words(kept) + " granted");
  return extended_key_usage_extension(kept, asked.critical);
}

ExtensionPolicy::Choice ExtensionPolicy::copied_names(const Extension& asked,
                                                      const Request& request) const {
  const auto& names = *request.values.subjectAltName;
  if (names.size() > static_cast<std::size_t>(profile_.san.most)) {
    return refuse_extension("subjectAltName has " + std::to_string(names.size()) +
                            " names; profile " + profile_.name + " allows " +
                            std::to_string(profile_.san.most));
  }
  for (const GeneralName& name : names) {
    if (const std::string fault = name_fault(profile_.san, name); !fault.empty()) {
      return refuse_extension("subjectAltName has " + name.text() + ": " + fault + " (profile " +
                              profile_.name + ")");
    }
  }
  return asked;
}

// RFC 5280 4.2.1.2; what a requester thinks of it matters to nobody else.
Extension ExtensionPolicy::subject_key_identifier(const Request& request, Granted& granted) const {
  const Bytes identifier = request.key.key_identifier();
  const auto& asked = request.values.subjectKeyIdentifier;
  if (asked && *asked != identifier) {
    granted.changes.push_back("subjectKeyIdentifier: the hash of the key, not the one asked for");
  }
  if (find(request.extensions, oid::id_ce_authorityKeyIdentifier) != nullptr) {
    granted.changes.push_back("authorityKeyIdentifier: the one of the CA");
  }
  return subject_key_identifier_extension(identifier);
}

}  // namespace cmpost
