#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "config/oid_names.h"
#include "config/readers.h"
#include "config/spelling.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongest = Duration(24h * 36'500);
constexpr auto kKeyHint = "such as \"ec:P-256\", \"rsa:2048-4096\", \"rsa:3072\" or \"ed25519\"";
constexpr int kLeastRsa = 2048, kMostRsa = 16384;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<KeyRule> rsa_rule(std::string_view bits) {
  const auto dash = bits.find('-');
  const auto least = whole_number(bits.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : whole_number(bits.substr(dash + 1));
  if (!least || !most || *least < kLeastRsa || *most > kMostRsa || *least > *most) {
    return std::nullopt;
  }
  return KeyRule{KeyRule::Kind::rsa, "", *least, *most};
}

std::optional<KeyRule> key_rule(std::string_view text) {
  if (text == "ed25519") return KeyRule{.kind = KeyRule::Kind::ed25519, .curve = {}};
  if (text == "ed448") return KeyRule{.kind = KeyRule::Kind::ed448, .curve = {}};
  if (text == "x25519") return KeyRule{.kind = KeyRule::Kind::x25519, .curve = {}};
  if (text == "x448") return KeyRule{.kind = KeyRule::Kind::x448, .curve = {}};
  if (text.starts_with("rsa:")) return rsa_rule(text.substr(4));
  for (const auto* curve : {"P-256", "P-384", "P-521"}) {
    if (text == std::string("ec:") + curve)
      return KeyRule{.kind = KeyRule::Kind::ec, .curve = curve};
  }
  return std::nullopt;
}

std::vector<KeyRule> default_keys() {
  std::vector<KeyRule> keys;
  for (const auto* text :
       {"ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048-8192", "ed25519", "ed448"}) {
    keys.push_back(*key_rule(text));
  }
  return keys;
}

std::vector<KeyRule> read_keys(Section& table) {
  if (!table.has("keys")) {
    table.find("keys");
    return default_keys();
  }
  std::vector<KeyRule> keys;
  for (const auto* item : table.items("keys")) {
    if (const auto rule = key_rule(item->text)) {
      keys.push_back(*rule);
    } else {
      table.reading().complain(item->at, "'" + printable(item->text, 60) + "' is not a kind of key",
                               std::string(kKeyHint) + "; RSA has 2048 to 16384 bits");
    }
  }
  if (table.find("keys")->items.empty()) table.complain("keys", "'keys' allows no key", kKeyHint);
  return keys;
}

std::vector<int> read_key_usage(Section& table, bool ca) {
  static const std::vector<std::string> kBits = {
      "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
      "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};
  if (!table.has("key_usage")) {
    table.find("key_usage");
    return ca ? std::vector<int>{5, 6} : std::vector<int>{0};
  }
  std::vector<int> bits;
  for (const auto* item : table.items("key_usage")) {
    const auto& word = item->text == "contentCommitment" ? kBits[1] : item->text;
    const auto found = std::find(kBits.begin(), kBits.end(), word);
    if (found != kBits.end()) {
      bits.push_back(static_cast<int>(found - kBits.begin()));
    } else {
      table.reading().complain(item->at, "'" + printable(word, 60) + "' is not a key usage",
                               suggestion(word, kBits));
    }
  }
  std::sort(bits.begin(), bits.end());
  if (!ca && std::find(bits.begin(), bits.end(), 5) != bits.end()) {
    table.complain("key_usage", "keyCertSign is for profiles with ca = true only");
  }
  return bits;
}

std::vector<std::string> read_oids(Section& table, std::string_view key,
                                   std::optional<std::string> (*oid_of)(std::string_view),
                                   const std::vector<std::string>& names) {
  std::vector<std::string> oids;
  for (const auto* item : table.items(key)) {
    if (const auto oid = oid_of(item->text)) {
      oids.push_back(*oid);
    } else {
      table.reading().complain(item->at,
                               "'" + printable(item->text, 60) + "' in '" + std::string(key) +
                                   "' is not a name that is known nor a dotted OID",
                               suggestion(item->text, names));
    }
  }
  return oids;
}

std::optional<std::string> policy_oid(std::string_view text) {
  return is_dotted_oid(text) ? std::optional<std::string>(text) : std::nullopt;
}

constexpr std::array kFieldWords = {Word<FieldRule::Kind>{"copy", FieldRule::Kind::copy},
                                    Word<FieldRule::Kind>{"deny", FieldRule::Kind::deny},
                                    Word<FieldRule::Kind>{"drop", FieldRule::Kind::drop},
                                    Word<FieldRule::Kind>{"require", FieldRule::Kind::require}};

// Placeholders of a derived value: names of attributes and of what else a request has.
void complain_about_placeholders(Section& table, std::string_view key, std::string_view text) {
  while (true) {
    const auto open = text.find_first_of("{}");
    if (open == std::string_view::npos) return;
    const auto close = text.find('}', open);
    if (text[open] == '}' || close == std::string_view::npos) {
      return table.complain(key, "a brace in '" + std::string(key) + "' has no partner");
    }
    const auto word = text.substr(open + 1, close - open - 1);
    const bool other =
        word == "dns" || word == "email" || word == "ip" || word == "uri" || word == "key";
    if (!other && !attribute_oid(word)) {
      table.complain(key, "'{" + printable(word, 40) + "}' is nothing that a request has",
                     "an attribute such as {CN}, or {dns}, {email}, {ip}, {uri}, {key}");
    }
    text.remove_prefix(close + 1);
  }
}

// `{ fixed = "Grid" }`, `{ set = "Grid" }`, `{ default = "x" }` or `{ derive = "{CN}-1" }`.
FieldRule read_field_table(Section table, std::string_view field) {
  constexpr std::array kKeys = {std::pair("fixed", FieldRule::Kind::fixed),
                                std::pair("set", FieldRule::Kind::set),
                                std::pair("default", FieldRule::Kind::default_),
                                std::pair("derive", FieldRule::Kind::derive)};
  FieldRule rule{FieldRule::Kind::fixed, {}};
  int given = 0;
  for (const auto& [key, kind] : kKeys) {
    const auto value = table.text(key);
    if (!table.has(key)) continue;
    rule = {kind, value};
    ++given;
  }
  if (given != 1) {
    table.reading().complain(table.at(),
                             table.where() + " needs one of 'fixed', 'set', 'default', 'derive'");
  }
  if (rule.kind == FieldRule::Kind::derive)
    complain_about_placeholders(table, "derive", rule.value);
  const bool country = field == "C" || field == "countryName";
  const bool plain = rule.kind != FieldRule::Kind::derive;
  if (country && plain && !rule.value.empty() && rule.value.size() != 2) {
    table.reading().complain(table.at(), "a country has two letters", "such as \"DE\"");
  }
  table.finish();
  return rule;
}

FieldRule read_field(Section& subject, const Value::Member& member) {
  if (member.value.kind == Value::Kind::table) {
    return read_field_table(subject.table(member.key), member.key);
  }
  return {subject.choice(member.key, FieldRule::Kind::copy, kFieldWords), {}};
}

// Two spellings of one type ("CN" and "commonName") would leave open which rule holds.
template <typename Fields>
void complain_about_twins(Section& table, const Fields& fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fields[i].oid != fields[j].oid) continue;
      table.complain(fields[i].name,
                     "'" + fields[i].name + "' and '" + fields[j].name + "' are the same thing");
    }
  }
}

SubjectRules read_subject(Section table) {
  constexpr std::array kOther = {Word<FieldRule::Kind>{"copy", FieldRule::Kind::copy},
                                 Word<FieldRule::Kind>{"deny", FieldRule::Kind::deny},
                                 Word<FieldRule::Kind>{"drop", FieldRule::Kind::drop}};
  SubjectRules rules;
  rules.other = table.choice("other", rules.other, kOther);
  for (const auto& member : table.members()) {
    if (member.key == "other") continue;
    const auto oid = attribute_oid(member.key);
    if (!oid) {
      table.reading().complain(member.at,
                               "'" + printable(member.key, 60) + "' is not an attribute of a name",
                               suggestion(member.key, attribute_names()));
      continue;
    }
    rules.fields.push_back({*oid, member.key, read_field(table, member)});
  }
  complain_about_twins(table, rules.fields);
  return rules;
}

constexpr std::array kExtensionWords = {
    Word<ExtensionRule::Kind>{"ignore", ExtensionRule::Kind::ignore},
    Word<ExtensionRule::Kind>{"copy", ExtensionRule::Kind::copy},
    Word<ExtensionRule::Kind>{"deny", ExtensionRule::Kind::deny},
    Word<ExtensionRule::Kind>{"require", ExtensionRule::Kind::require}};

// `{ fixed = "0500", critical = true }`, or the same with `default`.
ExtensionRule read_extension_value(Section& table, const char* key, ExtensionRule::Kind kind) {
  ExtensionRule rule{.kind = kind, .der_hex = {}};
  const auto der = from_hex(table.text(key));
  if (!der || der->empty()) {
    table.complain(key, "'" + std::string(key) + "' is not hexadecimal",
                   "the DER of the value, such as \"0500\"");
  } else {
    rule.der_hex = to_hex(*der);
  }
  rule.critical = table.flag("critical", false);
  return rule;
}

// `{ derive = ["DNS:{CN}.grid.example"] }`
ExtensionRule read_derived_names(Section& table, bool names_allowed) {
  ExtensionRule rule{.kind = ExtensionRule::Kind::derive, .der_hex = {}};
  rule.names = table.texts("derive");
  if (!names_allowed) table.complain("derive", "only subjectAltName can be derived");
  if (rule.names.empty()) table.complain("derive", "'derive' names nothing");
  for (const auto& name : rule.names) complain_about_placeholders(table, "derive", name);
  return rule;
}

ExtensionRule read_extension_table(Section table, bool is_san) {
  using Kind = ExtensionRule::Kind;
  const int given =
      (table.has("fixed") ? 1 : 0) + (table.has("default") ? 1 : 0) + (table.has("derive") ? 1 : 0);
  ExtensionRule rule{.kind = Kind::ignore, .der_hex = {}};
  if (given != 1) {
    table.reading().complain(table.at(),
                             table.where() + " needs one of 'fixed', 'default' and 'derive'",
                             "'fixed' and 'default': the hexadecimal DER of its value");
  }
  if (table.has("derive")) {
    rule = read_derived_names(table, is_san);
  } else if (table.has("default")) {
    rule = read_extension_value(table, "default", Kind::default_);
  } else if (table.has("fixed")) {
    rule = read_extension_value(table, "fixed", Kind::fixed);
  }
  table.finish();
  return rule;
}

ExtensionRule read_extension(Section& table, const Value::Member& member) {
  const bool constraints = member.key == "basicConstraints" || member.key == "2.5.29.19";
  if (member.value.kind == Value::Kind::table) {
    if (constraints) table.complain(member.key, "'ca' and 'path_length' decide basicConstraints");
    return read_extension_table(table.table(member.key), extension_oid(member.key) == "2.5.29.17");
  }
  const auto kind = table.choice(member.key, ExtensionRule::Kind::ignore, kExtensionWords);
  const bool copied = kind == ExtensionRule::Kind::copy || kind == ExtensionRule::Kind::require;
  if (constraints && copied) {
    table.complain(member.key, "basicConstraints can only be \"ignore\" or \"deny\"",
                   "'ca' and 'path_length' decide what the certificate says");
  }
  return {.kind = kind, .der_hex = {}};
}

ExtensionRules read_extensions(Section table) {
  constexpr std::array kOther = {kExtensionWords[0], kExtensionWords[1], kExtensionWords[2]};
  ExtensionRules rules;
  rules.other = table.choice("other", rules.other, kOther);
  for (const auto& member : table.members()) {
    if (member.key == "other") continue;
    const auto oid = extension_oid(member.key);
    if (!oid) {
      table.reading().complain(member.at, "'" + printable(member.key, 60) + "' is not an extension",
                               suggestion(member.key, extension_names()) + ", or a dotted OID");
      continue;
    }
    rules.fields.push_back({*oid, member.key, read_extension(table, member)});
  }
  complain_about_twins(table, rules.fields);
  const auto has_names = std::any_of(rules.fields.begin(), rules.fields.end(),
                                     [](const auto& field) { return field.oid == "2.5.29.17"; });
  // The names of a device are its own to say; who may say them is decided by its protection.
  if (!has_names) {
    rules.fields.push_back(
        {"2.5.29.17", "subjectAltName", {.kind = ExtensionRule::Kind::copy, .der_hex = {}}});
  }
  return rules;
}

SanKinds read_san(Section& table) {
  static const std::vector<std::string> kSanKinds = {"dns", "ip", "email", "uri", "dirname"};
  if (table.find("san") == nullptr) return {};
  SanKinds kinds{.dns = false, .ip = false, .email = false, .uri = false, .dirname = false};
  const std::array flags = {&kinds.dns, &kinds.ip, &kinds.email, &kinds.uri, &kinds.dirname};
  for (const auto* item : table.items("san")) {
    const auto found = std::find(kSanKinds.begin(), kSanKinds.end(), item->text);
    if (found != kSanKinds.end()) {
      *flags[static_cast<std::size_t>(found - kSanKinds.begin())] = true;
    } else {
      table.reading().complain(item->at,
                               "'" + printable(item->text, 60) + "' is not a kind of name",
                               suggestion(item->text, kSanKinds));
    }
  }
  return kinds;
}

std::vector<std::string> read_urls(Section& table, std::string_view key) {
  std::vector<std::string> urls;
  for (const auto* item : table.items(key)) {
    complain_unless_url(table.reading(), item->at, item->text);
    urls.push_back(item->text);
  }
  return urls;
}

void read_constraints(Section& table, ProfileSettings& profile) {
  profile.ca = table.flag("ca", profile.ca);
  if (table.find("path_length") == nullptr) return;
  profile.path_length = static_cast<int>(table.integer("path_length", 0, {0, 100}));
  if (!profile.ca)
    table.complain("path_length", "'path_length' is for profiles with ca = true only");
}

}  // namespace

ExtensionRule ExtensionRules::rule_for(std::string_view oid) const {
  for (const auto& field : fields) {
    if (field.oid == oid) return field.rule;
  }
  return {.kind = other, .der_hex = {}};
}

namespace {

std::string read_generate(Section& table) {
  auto kind = table.text("generate");
  const auto rule = kind.empty() ? std::nullopt : key_rule(kind);
  const bool one = rule && (rule->kind != KeyRule::Kind::rsa || rule->min_bits == rule->max_bits);
  if (kind.empty() || one) return kind;
  table.complain("generate", "'generate': " + printable(kind, 40) + " is not one kind of key",
                 "such as \"ec:P-256\" or \"rsa:3072\"");
  return {};
}

}  // namespace

void complain_unless_url(Reading& reading, Position at, std::string_view text) {
  const bool scheme = text.starts_with("http://") || text.starts_with("https://") ||
                      text.starts_with("ldap://") || text.starts_with("file://");
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
  if (scheme && plain) return;
  reading.complain(at, "'" + printable(text, 60) + "' is not a URL",
                   "such as \"http://pki.example/grid.crl\"");
}

ProfileSettings read_profile(Section table) {
  constexpr std::array kReuse = {Word<bool>{"allow", true}, Word<bool>{"deny", false}};
  ProfileSettings profile;
  profile.name = table.name("name");
  profile.validity = table.duration("validity", profile.validity, {1min, kLongest});
  profile.not_before_slack =
      table.duration("not_before_slack", profile.not_before_slack, {0s, 24h * 365});
  profile.keys = read_keys(table);
  read_constraints(table, profile);
  profile.key_usage = read_key_usage(table, profile.ca);
  profile.extended_key_usage = read_oids(table, "extended_key_usage", purpose_oid, purpose_names());
  profile.subject = read_subject(table.table("subject"));
  profile.extensions = read_extensions(table.table("extensions"));
  profile.san = read_san(table);
  profile.policies = read_oids(table, "policies", policy_oid, {});
  profile.crl_urls = read_urls(table, "crl_urls");
  profile.issuer_urls = read_urls(table, "issuer_urls");
  profile.ocsp_urls = read_urls(table, "ocsp_urls");
  profile.reuse_key = table.choice("reuse_key", profile.reuse_key, kReuse);
  profile.generate = read_generate(table);
  profile.max_requests =
      static_cast<int>(table.integer("max_requests", profile.max_requests, {1, 1000}));
  constexpr std::array kLint = {
      Word<ProfileSettings::Lint>{"refuse", ProfileSettings::Lint::refuse},
      Word<ProfileSettings::Lint>{"warn", ProfileSettings::Lint::warn},
      Word<ProfileSettings::Lint>{"off", ProfileSettings::Lint::off}};
  profile.lint = table.choice("lint", profile.lint, kLint);
  profile.lint_allow = table.texts("lint_allow");
  table.finish();
  return profile;
}

}  // namespace cmpost
